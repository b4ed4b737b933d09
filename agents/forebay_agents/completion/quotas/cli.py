"""``forebay budget``: see what is left of a budget, and set another while workers run."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.explaining import explained
from forebay.cli.terminal.saying import print_json, refusal, say
from forebay.cli.terminal.tables import Column, print_table
from forebay.contract.json_lines import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forebay_agents.completion.quotas.operations import AccountState

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Budgets of tenants and users.")
_WHOSE = "TENANT, or TENANT/USER: the user by id or pseudonym."


@app.command(help="Show the budgets that limit a tenant or a user, and what of them is spent.")
def show(
    whose: Annotated[str, typer.Argument(help=_WHOSE)],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a budget, in nano-dollars.")] = False,
) -> None:
    """Spent is what counts: settled, reserved and pending."""
    from forebay.embedded.installation import installation
    from forebay_agents.completion.quotas import operations

    async def ask() -> "Sequence[AccountState]":
        async with operations.open_purse(installation()) as purse:
            return await operations.show(purse, whose)

    with explained():
        found = asyncio.run(ask())
    if as_json:
        for one in found:
            print_json(to_json(one))
    elif found:
        print_accounts(found)
    else:
        say("no budget limits them")


@app.command("set", help="Set a budget without a restart: in effect within two seconds, and in the audit trail.")
def change(
    whose: Annotated[str, typer.Argument(help=_WHOSE)],
    daily: Annotated[float | None, typer.Option(min=0, help="US dollars a day; without it, no limit a day.")] = None,
    monthly: Annotated[float | None, typer.Option(min=0, help="US dollars a calendar month; so for a month.")] = None,
    configured: Annotated[bool, typer.Option("--configured", help="Go back to what is configured.")] = False,
) -> None:
    """Replaces what the configuration says of this tenant or user."""
    if configured == (daily is not None or monthly is not None):
        raise refusal("give --daily, --monthly or both, or --configured")
    from forebay.embedded.installation import installation
    from forebay.operations.audit.opening import recorder
    from forebay_agents.completion.quotas import operations
    from forebay_agents.completion.quotas.settings import Budget

    settings = installation()
    budget = None if configured else Budget(daily_usd=daily, monthly_usd=monthly)

    async def put() -> None:
        async with operations.open_purse(settings) as purse:
            await operations.change(purse, whose, budget, recorder(settings))

    with explained():
        asyncio.run(put())
    say(f"{whose}: {'as configured' if configured else 'set'}")


def print_accounts(found: "Sequence[AccountState]") -> None:
    """Limits and what is spent, in US dollars."""
    numbers = [Column(title=name, right=True) for name in ("limit $", "spent $", "left $")]
    print_table(
        ["budget of", "window", *numbers],
        [
            (
                f"{one.whose}{' (common)' if one.common else ''}", one.window, f"{one.limit_nanousd / 1e9:,.4f}",
                f"{one.spent_nanousd / 1e9:,.4f}", f"{(one.limit_nanousd - one.spent_nanousd) / 1e9:,.4f}",
            )
            for one in found
        ],
    )  # fmt: skip
