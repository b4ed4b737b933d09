"""Which command was asked for? Commands are entry points in the group ``forebay.commands``.

Only the module of the command that is called gets imported: ``forebay redact`` must not wait for litellm.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from forebay import __version__
from forebay.cli.extras import advice
from forebay.cli.terminal.saying import complain, say

GROUP = "forebay.commands"

# Before anything imports NumPy: its matrices here are small, and a pool of spinning BLAS threads made one reading of a
# question cost 31 ms of CPU instead of 5.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@cache
def _commands() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


class _LazyGroup(TyperGroup):
    """A command group whose commands are loaded when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(_commands())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = _commands().get(cmd_name)
        if entry is None:
            return None
        command = typer.main.get_command(entry.load())
        command.name = cmd_name
        return command


_forebay = typer.Typer(cls=_LazyGroup, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@_forebay.callback(invoke_without_command=True, help="LLM calls as a system, not a demo.")
def _root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        say(f"forebay {__version__}")
        raise typer.Exit


_UNCHECKED = frozenset({"config", "down", "reference"})
"""Commands that need no configuration: one tells what is wrong with it, one stops what runs, one writes pages."""


def _check_configuration(arguments: Sequence[str]) -> None:
    """Raise :class:`ConfigurationError` where the command would run beside something that nobody reads.

    Who names a folder of data has the configuration checked by the command, which knows how the stack there is reached.
    """
    name = arguments[0] if arguments else ""
    if name in _commands().keys() - _UNCHECKED and not {"--help", "--data-dir"} & set(arguments):
        from forebay.embedded.installation import installation

        installation()


_MENDABLE = (
    ("forebay.settings", "ConfigurationError", 2),
    ("forebay.privacy.sealing", "SealError", 2),
    ("forebay.kafka.queries", "BrokerUnavailableError", 1),
    ("confluent_kafka", "KafkaException", 1),
)
"""Module and name of the errors that a user can mend, and the exit status. Named and not imported: pydantic, yaml and
cryptography cost `forebay --help` more than half of its time, and who has raised such an error has imported it."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors that a user can mend are printed as one line, without a traceback."""
    try:
        _check_configuration(sys.argv[1:] if arguments is None else arguments)
        _forebay(args=arguments, prog_name="forebay")
    except ModuleNotFoundError as error:
        told = advice(error.name)
        if not told:
            _die(traceback.format_exc())
        complain(told)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output went away (`forebay tail … | head`); that is no failure of ours. What is still in
        # the buffer goes nowhere: the interpreter would try to flush it as it ends, and exit with 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - a defect is told as text too: its message may quote anybody's
        for module, name, status in _MENDABLE:
            if isinstance(error, getattr(sys.modules.get(module), name, ())):
                complain(_words(error))
                sys.exit(status)
        _die(traceback.format_exc())


def _words(error: Exception) -> str:
    """What ``error`` says to a person."""
    reason: Any = error.args[0] if error.args else ""
    # Kafka's client has an object with the reason in it.
    return f"the brokers do not do what was asked of them: {reason.str()}" if hasattr(reason, "str") else str(error)


def _die(trace: str) -> NoReturn:
    """A defect of ours: the traceback, as text like any other; what an error quotes may come from a record."""
    say(trace.rstrip(), err=True, lines=True)
    sys.exit(1)
