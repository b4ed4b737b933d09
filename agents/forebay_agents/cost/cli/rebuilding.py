"""``forebay spend rebuild``: makes what the cost stage knows anew from the ledger."""

from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.terminal.saying import complain, print_json, say
from forebay.contract.json_lines import to_json

if TYPE_CHECKING:
    from forebay_agents.cost.rebuild import Rebuilt

_COUNTED = ("partitions", "entries", "waiting", "same", "corrected", "added", "cleared", "kept", "explained")


def rebuild(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Sums before and after; exit status 1 if they differ by more than entries that were not in yet."""
    from forebay.cli.explaining import explained
    from forebay.embedded.installation import installation
    from forebay.kafka.tables.remaking import TablesError
    from forebay.operations.audit.opening import recorder
    from forebay_agents.cost import operations

    settings = installation()
    try:
        with explained():
            found = operations.rebuild(settings, recorder(settings))
    except TablesError as error:
        complain(error)
        raise typer.Exit(2) from None
    if as_json:
        counted = {name: getattr(found, name) for name in _COUNTED}
        print_json({"before": to_json(found.before), "after": to_json(found.after), **counted})
    else:
        print_rebuilt(found)
    if not found.explained:
        raise typer.Exit(1)


def print_rebuilt(found: "Rebuilt") -> None:
    """Both totals, and what became of the rows."""
    for name, sums in (("before", found.before), ("after ", found.after)):
        say(
            f"{name}  {sums.calls:,} calls, {sums.failed:,} failed, {sums.avoided:,} avoided, "
            f"{sums.prompt_tokens + sums.completion_tokens:,} tokens; {sums.cost_nanousd:,} n$, "
            f"{sums.pending_nanousd:,} n$ pending, {sums.saved_nanousd:,} n$ saved"
        )
    say(
        f"{found.entries:,} entries of the ledger in {found.partitions} partitions, {found.waiting:,} were not in yet; "
        f"rows: {found.same:,} the same, {found.corrected:,} corrected, {found.added:,} new, {found.cleared:,} cleared,"
        f" {found.kept:,} from before the ledger's first entry"
    )
    if not found.explained:
        say("the sums were wrong, and are right now")
