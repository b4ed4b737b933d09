"""``forebay erase`` and ``forebay subject export``."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from forebay.cli.explaining import explained
from forebay.cli.terminal.saying import complain, print_json, say
from forebay.cli.terminal.tables import Column, print_table

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.operations.people.person import Person, Row
    from forebay.operations.people.subjects import Desk

T = TypeVar("T")

erase = typer.Typer(add_completion=False, invoke_without_command=True, help="Forget a person, wherever he is known.")
subject = typer.Typer(add_completion=False, no_args_is_help=True, help="Tell a person what is known of him.")

Tenant = Annotated[str, typer.Option("--tenant", help="The user's tenant.")]
User = Annotated[str, typer.Option("--user", help="The user, by id or pseudonym.")]
_NOTHING = 3


@erase.callback()
def erase_command(
    tenant: Tenant,
    user: User,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a place.")] = False,
) -> None:
    """A row a place: what was removed, what stays, how the person is called there and until when.

    Exit status 3 when nothing is known of the person.
    """
    rows = _done(tenant, user, lambda desk, person: desk.erase(person))
    if as_json:
        for row in rows:
            print_json(asdict(row))
    else:
        print_rows(rows)


def print_rows(rows: "Sequence[Row]") -> None:
    """A line a place."""
    cells = [
        (
            row.place,
            str(row.removed or ""),
            "unread" if row.left is None else str(row.left or ""),
            row.how,
            _end(row),
        )
        for row in rows
    ]
    right = [Column(title=title, right=True) for title in ("removed", "left")]
    print_table(("place", *right, "as", "until"), cells)


def _end(row: "Row") -> str:
    if row.until is None:
        return "for ever" if row.left else ""
    return datetime.fromtimestamp(row.until / 1000, UTC).strftime("%Y-%m-%d %H:%M")


@subject.command(help="Write all that is known of a person into a new JSON file that its owner alone can read.")
def export(
    tenant: Tenant,
    user: User,
    file: Annotated[Path, typer.Argument(help="The file; there must be none.", metavar="FILE")],
) -> None:
    """Exit status 3 when nothing is known of the person."""
    count = _done(tenant, user, lambda desk, person: desk.export(person, file))
    say(f"{count} things in {file}")


@subject.callback()
def _group() -> None:
    """What people may ask."""


def _done(tenant: str, user: str, work: "Callable[[Desk, Person], Awaitable[T]]") -> T:
    from forebay.contract.failures import Failure
    from forebay.embedded.installation import installation
    from forebay.history.store import HistoryError
    from forebay.operations.people.opening import open_people
    from forebay.operations.people.person import Person
    from forebay.operations.people.subjects import NothingKnownError
    from forebay.privacy.people.names import needed_names

    settings = installation()
    person = Person(tenant_id=tenant, given=user, names=needed_names(settings))

    async def run() -> T:
        async with open_people(settings) as desk:
            return await work(desk, person)

    try:
        with explained(HistoryError):
            return asyncio.run(run())
    except NothingKnownError as error:
        complain(error)
        raise typer.Exit(_NOTHING) from None
    except Failure as failure:
        complain(failure.message)
        raise typer.Exit(2) from None
