"""Does the provider's invoice agree with the ledger? Attempt by attempt, every difference named.

An attempt that the ledger holds open (``started``: its worker may have died in the call; ``unsettled``: nobody saw its
end) is no difference: the ledger says that it does not know, and the invoice is what settles it. Such attempts are
listed apart, with what the invoice says of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from forebay.contract.records import UsageEvent, UsageStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceLine:
    """One billed call; tokens and model are ``None`` where the invoice does not say, the id is empty if it has none."""

    attempt_id: str
    cost_nanousd: int
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None


class Kind(StrEnum):
    """How invoice and ledger can differ.

    ``unknown``: billed, and not in the ledger; ``billed_twice``: the same attempt on several lines; ``not_billed``:
    settled in the ledger, and not on the invoice; ``billed_failure``: the ledger holds it for free; ``cost``,
    ``tokens``, ``model``: both have it and do not agree.
    """

    UNKNOWN = "unknown"
    BILLED_TWICE = "billed_twice"
    NOT_BILLED = "not_billed"
    BILLED_FAILURE = "billed_failure"
    COST = "cost"
    TOKENS = "tokens"
    MODEL = "model"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One difference; amounts in nano-dollars, ``difference_nanousd`` is invoice minus ledger."""

    kind: Kind
    attempt_id: str
    request_id: str = ""
    ledger: str = ""
    invoice: str = ""
    difference_nanousd: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAttempt:
    """An attempt whose end the ledger does not know; ``billed_nanousd`` is ``None`` if the invoice has no line."""

    attempt_id: str
    request_id: str
    status: UsageStatus
    worst_case_nanousd: int
    billed_nanousd: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciliation:
    """The result; sums in nano-dollars."""

    attempts: int
    lines: int
    agreed: int
    ledger_nanousd: int
    invoice_nanousd: int
    differences: Sequence[Difference]
    open: Sequence[OpenAttempt]

    @property
    def error_nanousd(self) -> int:
        """Sum of the absolute differences: 0 only if every closed attempt agrees."""
        return sum(abs(item.difference_nanousd) for item in self.differences)


_RANK = {
    UsageStatus.STARTED: 0,
    UsageStatus.UNSETTLED: 1,
    UsageStatus.AVOIDED: 2,
    UsageStatus.FAILED: 2,
    UsageStatus.SETTLED: 2,
}
_OPEN = frozenset({UsageStatus.STARTED, UsageStatus.UNSETTLED})


def newest_entries(entries: Iterable[UsageEvent]) -> dict[str, UsageEvent]:
    """Attempt id to the entry that counts: a closing one beats an open one, the first of equals stays.

    The order does not matter, so that redelivered entries, which come late, change nothing.
    """
    newest: dict[str, UsageEvent] = {}
    for entry in entries:
        known = newest.get(entry.attempt_id)
        if known is None or _RANK[entry.status] > _RANK[known.status]:
            newest[entry.attempt_id] = entry
    return newest


def reconcile(entries: Iterable[UsageEvent], lines: Iterable[InvoiceLine]) -> Reconciliation:
    """Compare ledger ``entries`` (all of them, in any order, repetitions too) with invoice ``lines``."""
    ledger = {k: v for k, v in newest_entries(entries).items() if v.status is not UsageStatus.AVOIDED}
    billed, repeated = _by_attempt(lines)
    differences: list[Difference] = []
    for attempt_id, line in billed.items():
        differences += _of_attempt(ledger.get(attempt_id), (line, *repeated.get(attempt_id, ())))
    for attempt_id, entry in ledger.items():
        if attempt_id not in billed and entry.status is UsageStatus.SETTLED:
            differences.append(_difference(Kind.NOT_BILLED, entry, str(entry.cost_nanousd), "", -entry.cost_nanousd))
    flawed = {item.attempt_id for item in differences}
    return Reconciliation(
        attempts=len(ledger),
        lines=len(billed) + sum(len(found) for found in repeated.values()),
        agreed=sum(
            1
            for attempt_id, entry in ledger.items()
            if entry.status is UsageStatus.SETTLED and attempt_id in billed and attempt_id not in flawed
        ),
        ledger_nanousd=sum(entry.cost_nanousd for entry in ledger.values() if entry.status is UsageStatus.SETTLED),
        invoice_nanousd=sum(line.cost_nanousd for found in (billed.values(), *repeated.values()) for line in found),
        differences=differences,
        open=[
            _open(entry, billed.get(attempt_id), repeated.get(attempt_id, ()))
            for attempt_id, entry in ledger.items()
            if entry.status in _OPEN
        ],
    )


def _by_attempt(lines: Iterable[InvoiceLine]) -> tuple[dict[str, InvoiceLine], dict[str, list[InvoiceLine]]]:
    """The first line of each attempt, and the others, of which there are few: a list a line took 70 bytes."""
    first: dict[str, InvoiceLine] = {}
    others: dict[str, list[InvoiceLine]] = {}
    for line in lines:
        if line.attempt_id in first:
            others.setdefault(line.attempt_id, []).append(line)
        else:
            first[line.attempt_id] = line
    return first, others


def _of_attempt(entry: UsageEvent | None, lines: Sequence[InvoiceLine]) -> list[Difference]:
    line, *repeated = lines
    if entry is None:
        return [
            Difference(
                kind=Kind.UNKNOWN,
                attempt_id=item.attempt_id,
                invoice=str(item.cost_nanousd),
                difference_nanousd=item.cost_nanousd,
            )
            for item in lines
        ]
    differences = [_difference(Kind.BILLED_TWICE, entry, "1", str(len(lines)), item.cost_nanousd) for item in repeated]
    if entry.status is UsageStatus.FAILED and line.cost_nanousd:
        differences.append(_difference(Kind.BILLED_FAILURE, entry, "0", str(line.cost_nanousd), line.cost_nanousd))
    if entry.status is UsageStatus.SETTLED:
        differences += _of_settled(entry, line)
    return differences


def _of_settled(entry: UsageEvent, line: InvoiceLine) -> list[Difference]:
    differences = []
    if line.cost_nanousd != entry.cost_nanousd:
        delta = line.cost_nanousd - entry.cost_nanousd
        differences.append(_difference(Kind.COST, entry, str(entry.cost_nanousd), str(line.cost_nanousd), delta))
    total = entry.prompt_tokens + entry.completion_tokens
    for name, ours, theirs in (
        ("prompt", entry.prompt_tokens, line.prompt_tokens),
        ("completion", entry.completion_tokens, line.completion_tokens),
        ("total", total, line.total_tokens),
    ):
        if theirs is not None and ours != theirs:
            differences.append(_difference(Kind.TOKENS, entry, f"{name} {ours}", f"{name} {theirs}"))
    if line.model and not _same_model(entry.model, line.model):
        differences.append(_difference(Kind.MODEL, entry, entry.model, line.model))
    return differences


def _same_model(ours: str, theirs: str) -> bool:
    """Ours carries the route to the provider in front (``openai/…``), which an invoice does not know."""
    return ours == theirs or ours.endswith(f"/{theirs}")


def _difference(kind: Kind, entry: UsageEvent, ledger: str, invoice: str, nanousd: int = 0) -> Difference:
    return Difference(
        kind=kind,
        attempt_id=entry.attempt_id,
        request_id=entry.request_id,
        ledger=ledger,
        invoice=invoice,
        difference_nanousd=nanousd,
    )


def _open(entry: UsageEvent, line: InvoiceLine | None, repeated: Sequence[InvoiceLine]) -> OpenAttempt:
    return OpenAttempt(
        attempt_id=entry.attempt_id,
        request_id=entry.request_id,
        status=entry.status,
        worst_case_nanousd=entry.cost_nanousd,
        billed_nanousd=None if line is None else sum(one.cost_nanousd for one in (line, *repeated)),
    )
