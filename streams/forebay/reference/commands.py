"""Which commands are there? All of them with their arguments and options, from the command objects."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

import typer

from forebay.reference.configuration import type_words
from forebay.reference.discovery import DISTRIBUTION
from forebay.reference.markdown import code, page, prose, table

_INTRODUCTION = """\
`forebay COMMAND --help` says the same. Commands that talk to Kafka or Redis use what the environment and `forebay.yaml`
name ([configuration](configuration.md)). Exit status: 0 done, 1 done but something was wrong (a bad line, a missing
response, a failed check), 2 wrong use or wrong configuration."""


def commands() -> dict[str, Any]:
    """Name on the command line (``schemas register``) to its command object, without groups that only hold others."""
    found: dict[str, Any] = {}
    for entry in sorted(entry_points(group="forebay.commands"), key=lambda entry: entry.name):
        if entry.dist is not None and entry.dist.name == DISTRIBUTION:
            found |= dict(_flattened(entry.name, typer.main.get_command(entry.load())))
    return found


def commands_page() -> str:
    """``docs/reference/commands.md``."""
    parts = [_INTRODUCTION]
    for name, command in commands().items():
        parts += [f"## forebay {name}", f"```\n{usage(name, command)}\n```"]
        if command.help:
            parts.append(prose(command.help))
        rows = [_row(parameter) for parameter in command.params if not parameter.hidden]
        if rows:
            parts.append(table(["", "value", "default", "meaning"], rows))
    return page("Commands", "the command objects", *parts)


def usage(name: str, command: Any) -> str:
    """One line: how the command is called."""
    words = [f"forebay {name}"]
    if any(not _is_argument(parameter) for parameter in command.params):
        words.append("[OPTIONS]")
    for parameter in filter(_is_argument, command.params):
        word = _shown(parameter) + ("…" if parameter.nargs == -1 and "…" not in _shown(parameter) else "")
        words.append(word if parameter.required else f"[{word}]")
    if getattr(command, "commands", None):
        words.append("[COMMAND]")
    return " ".join(words)


def _flattened(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    subcommands: dict[str, Any] = getattr(command, "commands", {})
    if not subcommands or command.invoke_without_command:
        yield name, command
    for word, subcommand in subcommands.items():
        if not subcommand.hidden:
            yield from _flattened(f"{name} {word}", subcommand)


def _row(parameter: Any) -> list[str]:
    if _is_argument(parameter):
        return [code(_shown(parameter)), _value(parameter), _default(parameter), prose(parameter.help or "")]
    spellings = ", ".join(code(option) for option in [*parameter.opts, *parameter.secondary_opts])
    return [spellings, "" if parameter.is_flag else _value(parameter), _default(parameter), prose(parameter.help or "")]


def _is_argument(parameter: Any) -> bool:
    return not parameter.opts[0].startswith("-")


def _shown(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _value(parameter: Any) -> str:
    return type_words(parameter.type_descriptor.annotation)


def _default(parameter: Any) -> str:
    default = parameter.default
    if parameter.required:
        return "must be given"
    if callable(default):
        return "depends on the machine"
    if default in (None, "", False, ()) and default != 0:
        return ""
    return "" if default is False else code(str(getattr(default, "value", default)))
