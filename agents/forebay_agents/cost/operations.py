"""What may people ask about money? Who has spent how much on what, and whether the provider's invoice agrees."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from forebay.contract.clock import now_ms
from forebay.contract.failures import Permanent
from forebay.contract.handlers import Output
from forebay.contract.records import Spend, UsageEvent, WindowKind
from forebay.contract.windows import HOUR_MS
from forebay.history.plausible import check
from forebay.kafka.lag import Waiting, read_waiting
from forebay.kafka.reader import TopicReader, read_topic
from forebay.kafka.tables.remaking import TableTopics, partition_of
from forebay.operations.audit.recording import Recorder
from forebay.operations.choices import InvalidChoiceError, moment
from forebay.operations.publishing import publish
from forebay.operations.topic_view import TopicView, open_view
from forebay.privacy.people.names import Names
from forebay.settings import KafkaSettings, Settings, StageSettings
from forebay_agents.cost.cells import CellReconciliation, summed
from forebay_agents.cost.cells import reconcile_sums as compare_sums
from forebay_agents.cost.invoice import read_invoice
from forebay_agents.cost.invoice_sums import columns_of, has_attempts, read_sums, tolerance_of
from forebay_agents.cost.period import Period
from forebay_agents.cost.rebuild import Rebuilding, Rebuilt
from forebay_agents.cost.reconciliation import Reconciliation
from forebay_agents.cost.reconciliation import reconcile as compare
from forebay_agents.cost.spending.facts import Entered, of_attempts, of_rows
from forebay_agents.cost.spending.grouping import Spending, SpendQuery, grouped, zone_of
from forebay_agents.models.cost_settings import CostSettings

TABLES = ("attempts", "spend")
_AT_ONCE = 5_000
"""Records that are published, and waited for, together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """An invoice and its period, as :meth:`forebay_agents.cost.period.Period.of` reads it; empty is unbounded.

    Attributes:
        by: ``day,model``: by sums, though there may be an attempt id; empty: as the file has it.
        tolerance: share by which a sum may be off, in percent.
        columns: map of our names of columns to the file's, or a name in
            :data:`forebay_agents.cost.invoice_sums.PRESETS`.
        zone: of the invoice's days.
    """

    invoice: Path
    since: str = ""
    until: str = ""
    by: str = ""
    tolerance: str = "0.5%"
    columns: Path | None = None
    zone: str = ""


def query_of(
    *,
    by: str = "",
    since: str = "",
    until: str = "",
    tenant: str = "",
    user: str = "",
    top: int | None = None,
    zone: str = "",
    now: int | None = None,
) -> SpendQuery:
    """A query from texts: keys with commas, ISO 8601 times (UTC unless they say otherwise) or ages, a zone.

    Raises:
        InvalidChoiceError: one of them is none.
    """
    at = now_ms() if now is None else now
    keys = tuple(name.strip() for name in by.split(",")) if by else SpendQuery().by
    return SpendQuery(
        by=keys,
        since_ms=moment(since, at),
        until_ms=moment(until, at),
        tenant=tenant,
        user=user,
        top=top,
        zone=zone_of(zone),
    )


@contextmanager
def open_spend(settings: Settings) -> Iterator[TopicView[Spend]]:
    """The rows of an installation, up to the newest. Raises :class:`BrokerUnavailableError`."""
    # A worker that died after publishing publishes once more what it had: then an older revision comes last.
    with open_view(settings, "spend", prefer=_newest_revision) as rows:
        yield rows


def spend(rows: TopicView[Spend], query: SpendQuery, names: Names | None = None) -> Spending:
    """What rows say; of a period, by hours: see :func:`in_hours`.

    Rows of one user under several names (from before there were pseudonyms, or since a setting was changed) are one.

    Args:
        names: by which a user is found (:func:`forebay.privacy.people.names.same`).
    """
    kind = window_read(query)
    return grouped(of_rows(row for row in rows.values() if row.window is kind), in_hours(query), names)


def spend_of_entries(entries: Iterable[Entered], query: SpendQuery, names: Names | None = None) -> Spending:
    """The same from entries of the ledger, in any order, repetitions too; a period is cut to the millisecond."""
    return grouped(of_attempts(entries), query, names)


def in_hours(query: SpendQuery) -> SpendQuery:
    """``query`` with a period of whole hours, as rows of spend have them: each bound is that of its hour."""

    def hour(at_ms: int | None) -> int | None:
        return None if at_ms is None else at_ms - at_ms % HOUR_MS

    return replace(query, since_ms=hour(query.since_ms), until_ms=hour(query.until_ms))


def window_read(query: SpendQuery) -> WindowKind:
    """The longest windows that say what is asked for; days of another zone, and periods, are made from hours."""
    bounded = query.since_ms is not None or query.until_ms is not None
    if bounded or "hour" in query.by or query.zone != SpendQuery().zone:
        return WindowKind.HOUR
    return WindowKind.DAY if "day" in query.by else WindowKind.MONTH


def behind(settings: Settings) -> Waiting | None:
    """What of the ledger is not in the rows yet; ``None``: all is. Raises :class:`BrokerUnavailableError`."""
    waiting = read_waiting(settings)[1].get("cost", {}).get("usage")
    return waiting if waiting is not None and waiting.records else None


def read_entries(settings: Settings) -> Iterator[Entered]:
    """The ledger as it is kept, repetitions too, without what no call can have made.

    Raises :class:`BrokerUnavailableError`.
    """
    for record in read_topic(settings, "usage"):
        if record.value is None:
            continue
        try:
            check(record.value)
        except Permanent:
            continue
        source = record.source
        place = source.partition, source.offset
        yield Entered(entry=record.value, taken_ms=source.timestamp_ms, place=place)


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


def has_sums(statement: Statement) -> bool:
    """Whether the invoice is compared by sums. Raises as :func:`reconcile_sums` does."""
    if statement.by:
        if [name.strip() for name in statement.by.split(",")] not in (["day", "model"], ["model", "day"]):
            raise InvalidChoiceError("--by: an invoice is compared by day,model, or call by call")
        return True
    return statement.columns is not None or not has_attempts(statement.invoice)


def reconcile_sums(statement: Statement, entries: Iterable[Entered]) -> CellReconciliation:
    """Compare an invoice's sums with the ledger's, which is read only if the invoice can be.

    Raises:
        InvoiceError: the file is no invoice; the message names the line.
        InvalidChoiceError: bound, tolerance, zone or ``by`` is none.
        OSError: a file cannot be read.
    """
    period, zone = Period.of(statement.since, statement.until), zone_of(statement.zone)
    tolerance = tolerance_of(statement.tolerance)
    lines = summed(read_sums(statement.invoice, columns_of(statement.columns), zone))
    return compare_sums(entries, lines, tolerance=tolerance, zone=zone, since_ms=period.since, until_ms=period.until)


def rebuild(settings: Settings, record: Recorder) -> Rebuilt:
    """Make the projection anew from the ledger: tables, rows of ``spend``, and where the stage goes on.

    Whatever of it has happened when it ends half way, a worker that starts then goes through the whole ledger, and
    takes in what is not in yet (:mod:`forebay_agents.cost.projection`); and this can be done again. All attempts of the
    ledger are in memory meanwhile, 270 bytes each.

    Raises:
        TablesError: a worker of the stage runs, or the brokers do not make the tables.
        BrokerUnavailableError, PublishError: the brokers do not answer.
    """
    tables = TableTopics(settings[KafkaSettings], "cost", settings[StageSettings].version)
    tables.refuse_members()
    with TopicReader(settings, ["usage"]) as reader:
        firsts = {partition: first for (_, partition), first in reader.firsts.items()}
        rebuilding, oldest_ms = _entered(reader, Rebuilding(finished=tables.positions("usage", firsts)))
        ends = {partition: end for (_, partition), end in reader.positions.items()}
    with open_spend(settings) as view:
        there = {entry.key: entry.value for entry in view.entries() if entry.value is not None}
    now = now_ms()
    expired = [oldest_ms.get(partition, now) for partition, first in firsts.items() if first]
    rebuilt = rebuilding.rebuilt(
        there,
        ends=ends,
        partition_of=lambda key: partition_of(key, len(ends)),
        complete_since_ms=max(expired, default=0),
        remembered_since_ms=now - round(1000 * settings[CostSettings].remember_s),
    )
    with record("spend.rebuild", subject="spend", count=len(rebuilt.published)):
        tables.go_on_at("usage", firsts)  # first: refused where a worker runs
        tables.remake(TABLES, len(ends))
        tables.write("spend", rebuilt.spend)  # before the attempts, which keep their entries from being added again
        tables.write("attempts", rebuilt.attempts)
        rows = [Output(topic="spend", key=key, value=row) for key, row in rebuilt.published]
        for start in range(0, len(rows), _AT_ONCE):
            publish(settings, rows[start : start + _AT_ONCE])
        tables.go_on_at("usage", ends)
    return rebuilt


def _entered(reader: TopicReader, rebuilding: Rebuilding) -> tuple[Rebuilding, dict[int, int]]:
    """All entries, and when the brokers took the oldest of each partition, in ms since the epoch."""
    oldest_ms: dict[int, int] = {}
    for record in reader.read_to_end():
        source = record.source
        oldest_ms.setdefault(source.partition, source.timestamp_ms)
        if record.value is None:
            continue
        with suppress(Permanent, ValueError, OverflowError, OSError):  # what is a dead letter to the stage too
            check(record.value)
            rebuilding.take(
                record.value, partition=source.partition, offset=source.offset, taken_ms=source.timestamp_ms
            )
    return rebuilding, oldest_ms


def _newest_revision(known: Spend, newest: Spend) -> Spend:
    return newest if newest.revision >= known.revision else known
