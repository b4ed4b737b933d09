"""How does a command say something? Every line through :mod:`forebay.observability.plain`, every JSON value exact."""

import json
from typing import Any

import orjson
import typer

from forebay.observability.plain import json_shown, shown


def say(text: str, *, err: bool = False, lines: bool = False) -> None:
    """One line of text; several with ``lines``. ``err``: on standard error."""
    typer.echo(shown(text, lines=lines), err=err)


def say_part(text: str) -> None:
    """Text that goes on: of an answer while it is written."""
    typer.echo(shown(text, lines=True), nl=False)


def complain(problem: object) -> None:
    """What is wrong, on standard error; it may have several lines."""
    say(f"forebay: {problem}", err=True, lines=True)


def print_json(content: Any, *, indent: bool = False, err: bool = False) -> None:
    """JSON in one line, or indented; UTF-8, whatever the terminal speaks."""
    typer.echo(json_text(content, indent=indent).encode(), err=err)


def json_text(content: Any, *, indent: bool = False) -> str:
    """What :func:`print_json` prints. Dataclasses, NumPy's values, sets and integers of any size may be in it."""
    options = orjson.OPT_SERIALIZE_NUMPY | (orjson.OPT_INDENT_2 if indent else 0)
    try:
        text = orjson.dumps(content, default=list, option=options).decode()
    except TypeError:  # an integer of more than 64 bits, or half of a surrogate pair
        layout: dict[str, Any] = {"indent": 2} if indent else {"separators": (",", ":")}
        text = json.dumps(content, default=list, ensure_ascii=False, **layout)
    return json_shown(text)


def refusal(message: str, hint: str | None = None) -> typer.BadParameter:
    """The error of a wrong use, exit status 2; ``hint``: the option that is meant."""
    return typer.BadParameter(shown(message), param_hint=hint)


def confirm(question: str) -> None:
    """Ask on standard error; ends the command unless the answer is yes."""
    typer.confirm(shown(question), abort=True, err=True)
