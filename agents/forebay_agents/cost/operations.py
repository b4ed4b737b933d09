"""What may people ask about money? Who has spent how much on what, and whether the provider's invoice agrees."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from forebay.contract.records import Spend, UsageEvent, WindowKind
from forebay.kafka.reader import read_topic
from forebay.operations.topic_view import TopicView, open_view
from forebay.privacy.people.names import Names, same
from forebay.settings import Settings
from forebay_agents.cost.invoice import read_invoice
from forebay_agents.cost.period import Period
from forebay_agents.cost.reconciliation import Reconciliation
from forebay_agents.cost.reconciliation import reconcile as compare


@dataclass(frozen=True, kw_only=True, slots=True)
class SpendQuery:
    """Which rows? Empty fields match everything; a user is meant by his id or his pseudonym."""

    window: WindowKind = WindowKind.DAY
    tenant: str = ""
    user: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """An invoice and its period, as :meth:`forebay_agents.cost.period.Period.of` reads it; empty is unbounded."""

    invoice: Path
    since: str = ""
    until: str = ""


@contextmanager
def open_spend(settings: Settings) -> Iterator[TopicView[Spend]]:
    """The rows of an installation, up to the newest. Raises :class:`BrokerUnavailableError`."""
    # A worker that died after publishing publishes once more what it had: then an older revision comes last.
    with open_view(settings, "spend", prefer=_newest_revision) as rows:
        yield rows


def spend(rows: TopicView[Spend], query: SpendQuery, names: Names | None = None) -> list[Spend]:
    """The rows that match, the newest window first.

    Rows of one user under several names (from before there were pseudonyms, or since a setting was changed) are one,
    called as the newest of them.

    Args:
        names: by which a user is found (:func:`forebay.privacy.people.names.same`).
    """
    found: dict[tuple[str, str, str, int], Spend] = {}
    for row in sorted(rows.values(), key=lambda row: row.updated_at):
        if row.window is query.window and query.tenant in ("", row.tenant_id) and _is_of(row, query.user, names):
            user = row.user_id if names is None else names.recorded(row.tenant_id, row.user_id)
            key = row.tenant_id, user, row.model, row.window_start
            found[key] = _sum(found[key], row) if key in found else row
    return sorted(found.values(), key=lambda row: (-row.window_start, row.tenant_id, row.user_id, row.model))


def _is_of(row: Spend, user: str, names: Names | None) -> bool:
    return not user or same(names, row.tenant_id, row.user_id, user)


def _sum(older: Spend, row: Spend) -> Spend:
    return replace(row, **{name: getattr(older, name) + getattr(row, name) for name in _SUMS})


_SUMS = (
    "calls", "failed", "avoided", "prompt_tokens", "completion_tokens", "cost_nanousd", "pending_nanousd",
    "saved_nanousd",
)  # fmt: skip


def read_ledger(settings: Settings) -> Iterator[UsageEvent]:
    """Every entry that is kept, repetitions too. Raises :class:`BrokerUnavailableError`."""
    return (record.value for record in read_topic(settings, "usage") if record.value is not None)


def reconcile(statement: Statement, ledger: Iterable[UsageEvent]) -> Reconciliation:
    """Compare an invoice with the ledger, which is read only if the invoice can be.

    Raises:
        InvoiceError: the file is no invoice; the message names the line.
        InvalidChoiceError: a bound is neither a time nor an age.
        OSError: the file cannot be read.
    """
    period = Period.of(statement.since, statement.until)
    lines = list(read_invoice(statement.invoice))
    return compare(*period.cut(list(ledger), lines))


def _newest_revision(known: Spend, newest: Spend) -> Spend:
    return newest if newest.revision >= known.revision else known
