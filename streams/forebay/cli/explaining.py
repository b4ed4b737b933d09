"""How does a command say what an operation refused? In a line on standard error, and by its exit status."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from forebay.cli.terminal.saying import complain, refusal, say


@contextmanager
def explained(*more: type[Exception], who: Callable[[Any], str] = str) -> Iterator[None]:
    """What an operator can mend, or has to know: exit status 2 where something is meant that there is not, else 1.

    Args:
        more: errors of this command, beside those of all that write: said as they are.
        who: of a record that somebody else has written meanwhile, what was done and by whom.
    """
    from forebay.kafka.transactions import FencedError, StepError
    from forebay.operations.choices import InvalidChoiceError
    from forebay.operations.publishing import PublishError
    from forebay.operations.seen_writes import OutdatedError

    refused: tuple[type[Exception], ...] = (FencedError, StepError, PublishError, *more)
    try:
        yield
    except InvalidChoiceError as error:
        raise refusal(str(error), f"--{error.field}" if error.field else None) from None
    except OutdatedError as error:
        complain(error)
        for key, entry in error.entries.items():
            if entry is not None and entry.value is not None:
                say(f"{key} was {who(entry.value)}", err=True)
        raise typer.Exit(1) from None
    except refused as error:
        complain(error)
        raise typer.Exit(1) from None
