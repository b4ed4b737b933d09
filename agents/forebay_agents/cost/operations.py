"""What may people ask about money? Who has spent how much on what, and whether the provider's invoice agrees."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from forebay.contract.records import Spend, UsageEvent, WindowKind
from forebay.kafka.reader import read_topic
from forebay.operations.topic_view import TopicView, open_view
from forebay.settings import Settings
from forebay_agents.cost.invoice import read_invoice
from forebay_agents.cost.period import Period
from forebay_agents.cost.reconciliation import Reconciliation
from forebay_agents.cost.reconciliation import reconcile as compare


@dataclass(frozen=True, kw_only=True, slots=True)
class SpendQuery:
    """Which rows? Empty fields match everything."""

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


def spend(rows: TopicView[Spend], query: SpendQuery) -> list[Spend]:
    """The rows that match, the newest window first."""
    found = [
        row
        for row in rows.values()
        if row.window is query.window and query.tenant in ("", row.tenant_id) and query.user in ("", row.user_id)
    ]
    return sorted(found, key=lambda row: (-row.window_start, row.tenant_id, row.user_id, row.model))


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
