"""Who is told of a budget that is used up by half, by four fifths, or all? People, once in a day or month each."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from forebay.contract.json_lines import new_id
from forebay.contract.records import Alert, Severity, WindowKind
from forebay.state.conditions import Conditions
from forebay_agents.completion.quotas.budgets import Account, Reservation
from forebay_agents.models.prices.rates import NANO

HALF, NEARLY, ALL = 500, 800, 1000
"""Shares of a budget in per mille."""

_REMEMBERED = 100_000  # accounts and shares; each day has its own
_RAISE = "Raise it (`forebay budget set`), or leave it"
_OF_KEY = "Give its holder a key that may use more (`forebay keys create`), or leave it"


_TOLD = {  # the texts may name ``budget``, ``filled`` (in per cent), ``limit`` and ``do``
    HALF: Alert(
        kind="budget_half_spent",
        severity=Severity.INFO,
        message="{filled:.0f} % of {budget} (${limit:,.2f}) is spent or reserved",
        summary="half of {budget} is spent",
        action="Nothing, if the period is half over too.",
    ),
    NEARLY: Alert(
        kind="budget_nearly_spent",
        severity=Severity.WARNING,
        message="{filled:.0f} % of {budget} (${limit:,.2f}) is spent or reserved; from budgets.soft_share on only the "
        "cheapest tier is used",
        summary="{budget} is nearly spent",
        action="{do}: at the whole of it requests are rejected.",
    ),
    ALL: Alert(
        kind="budget_spent",
        severity=Severity.CRITICAL,
        message="what is left of {budget} (${limit:,.2f}) pays for no call: requests are rejected",
        summary="{budget} is spent",
        action="{do}: requests are rejected with budget_exceeded until the next period.",
    ),
}


class BudgetTeller:
    """Makes alerts of how full accounts are."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._known: set[tuple[str, int]] = set()

    async def tell(self, reservation: Reservation, now_ms: int) -> list[Alert]:
        """What to tell, the smaller shares first; nothing that was told before."""
        told: list[Alert] = []
        for account, filled in reservation.fills:
            for share in _TOLD:
                if filled >= share and (account.key, share) not in self._known:
                    self._remember(account, share)
                    told += await self._conditions.note(_alert(account, filled, share, now_ms), holds=True)
        return told

    def _remember(self, account: Account, share: int) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known.add((account.key, share))


def _alert(account: Account, filled: int, share: int, now_ms: int) -> Alert:
    tenant, subject = account.ids[0], account.ids[-1]
    whose = f"tenant {tenant}" if account.whose == "tenant" else f"{account.whose} {subject} of {tenant}"
    budget = f"the {'daily' if account.kind is WindowKind.DAY else 'monthly'} budget of {whose}"
    do = _OF_KEY if account.whose == "key" else _RAISE
    told, facts = _TOLD[share], {"budget": budget, "filled": filled / 10, "limit": account.limit / NANO, "do": do}
    return replace(
        told,
        fingerprint="",  # of what it is by now
        alert_id=new_id(),
        tenant_id=tenant,
        subject=subject,
        message=told.message.format(**facts),
        value=filled / 1000,
        threshold=share / 1000,
        created_at=now_ms,
        labels=_labels(account),
        ends_at=account.ends_at,
        summary=told.summary.format(**facts),
        action=told.action.format(**facts),
    )


def _labels(account: Account) -> Mapping[str, str]:
    since = datetime.fromtimestamp(account.start / 1000, UTC).date().isoformat()
    return {"of": account.whose, "window": account.kind.value, "since": since}
