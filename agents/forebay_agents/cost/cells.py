"""Does an invoice that has only sums agree with the ledger? Day by day and model by model, each cell named.

Providers export sums by day and model, some by key too, and none by call. A cell agrees within a tolerance, for they
round; calls whose end the ledger does not know are counted beside it, for they may be what is missing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum

from forebay.contract.records import UsageStatus
from forebay_agents.cost.spending.facts import Entered, attempts

Cell = tuple[str, str, str | None]
"""Day (ISO 8601, of the invoice's zone), model, and the door's key where the invoice has keys."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SumLine:
    """A line of such an invoice."""

    day: str
    model: str
    key: str | None
    cost_nanousd: int
    tokens: int | None = None


class CellKind(StrEnum):
    """How a cell may differ: it is on one side only, or its sums are too far apart."""

    LEDGER_ONLY = "ledger_only"
    INVOICE_ONLY = "invoice_only"
    DIFFERENT = "different"


@dataclass(frozen=True, kw_only=True, slots=True)
class CellDifference:
    """A cell that differs; ``difference_nanousd`` is invoice minus ledger, ``percent`` of the ledger's sum.

    Attributes:
        unsettled: calls of the cell whose end the ledger does not know.
        ledger_tokens: input and output, as are the invoice's, where it has them.
    """

    kind: CellKind
    day: str
    model: str
    key: str | None
    ledger_nanousd: int
    invoice_nanousd: int
    difference_nanousd: int
    percent: float | None
    unsettled: int
    ledger_tokens: int
    invoice_tokens: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CellReconciliation:
    """All cells of both sides; sums in nano-dollars."""

    cells: int
    agreed: int
    ledger_nanousd: int
    invoice_nanousd: int
    unsettled: int
    differences: Sequence[CellDifference]


def summed(lines: Iterable[SumLine]) -> list[SumLine]:
    """One line a cell: an export may have a million."""
    cells: dict[Cell, SumLine] = {}
    for line in lines:
        cell = line.day, line.model, line.key
        known = cells.get(cell)
        cells[cell] = line if known is None else _sum(known, line)
    return list(cells.values())


def _sum(one: SumLine, other: SumLine) -> SumLine:
    tokens = None if one.tokens is None and other.tokens is None else (one.tokens or 0) + (other.tokens or 0)
    return replace(one, cost_nanousd=one.cost_nanousd + other.cost_nanousd, tokens=tokens)


@dataclass(kw_only=True, slots=True)
class _Sums:
    ledger: int = 0
    invoice: int = 0
    unsettled: int = 0
    ledger_tokens: int = 0
    invoice_tokens: int | None = None
    in_ledger: bool = False
    in_invoice: bool = False


def reconcile_sums(
    entries: Iterable[Entered],
    lines: Iterable[SumLine],
    *,
    tolerance: Decimal,
    zone: tzinfo,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> CellReconciliation:
    """Compare sums.

    Args:
        entries: the ledger, in any order, repetitions too.
        tolerance: share of the larger sum by which a cell may be off.
        zone: of the invoice's days.
        since_ms: half-open with ``until_ms``; an invoice's day belongs to the period if it begins in it.
    """
    cells: dict[Cell, _Sums] = {}
    for line in lines:
        if not _holds(_begin(line.day, zone), since_ms, until_ms):
            continue
        sums = cells.setdefault((line.day, line.model, line.key), _Sums())
        sums.invoice += line.cost_nanousd
        sums.in_invoice = True
        if line.tokens is not None:
            sums.invoice_tokens = (sums.invoice_tokens or 0) + line.tokens
    with_keys = any(key is not None for _, _, key in cells)
    names = _Names({model for _, model, _ in cells})
    for entry, at_ms in attempts(entries):
        if entry.status in (UsageStatus.AVOIDED, UsageStatus.FAILED) or not _holds(at_ms, since_ms, until_ms):
            continue
        day = datetime.fromtimestamp(at_ms / 1000, zone).date().isoformat()
        key = (entry.key_id or "") if with_keys else None
        sums = cells.setdefault((day, names.of(entry.model), key), _Sums())
        sums.in_ledger = True
        if entry.status is UsageStatus.SETTLED:
            sums.ledger += entry.cost_nanousd
            sums.ledger_tokens += entry.prompt_tokens + entry.completion_tokens
        else:
            sums.unsettled += 1
    differences = [found for cell in sorted(cells, key=_order) if (found := _compared(cell, cells[cell], tolerance))]
    return CellReconciliation(
        cells=len(cells),
        agreed=len(cells) - len(differences),
        ledger_nanousd=sum(sums.ledger for sums in cells.values()),
        invoice_nanousd=sum(sums.invoice for sums in cells.values()),
        unsettled=sum(sums.unsettled for sums in cells.values()),
        differences=differences,
    )


class _Names:
    """Ours carry the route to the provider in front (``openai/…``), which an invoice does not know."""

    def __init__(self, theirs: Collection[str]) -> None:
        self._theirs = theirs
        self._known: dict[str, str] = {}

    def of(self, ours: str) -> str:
        if (known := self._known.get(ours)) is None:
            known = next((name for name in self._shorter(ours) if name in self._theirs), ours)
            self._known[ours] = known
        return known

    def _shorter(self, name: str) -> Iterable[str]:
        yield name
        while "/" in name:
            name = name.partition("/")[2]
            yield name


def _begin(day: str, zone: tzinfo) -> int:
    return round(datetime.fromisoformat(day).replace(tzinfo=zone).timestamp() * 1000)


def _holds(at_ms: int, since_ms: int | None, until_ms: int | None) -> bool:
    return (since_ms is None or at_ms >= since_ms) and (until_ms is None or at_ms < until_ms)


def _order(cell: Cell) -> tuple[str, str, str]:
    return cell[0], cell[1], cell[2] or ""


def _compared(cell: Cell, sums: _Sums, tolerance: Decimal) -> CellDifference | None:
    apart = sums.invoice - sums.ledger
    if abs(apart) <= tolerance * max(abs(sums.invoice), abs(sums.ledger)):
        return None  # so does a cell of nothing on both sides
    if not sums.in_invoice:
        kind = CellKind.LEDGER_ONLY
    else:
        kind = CellKind.DIFFERENT if sums.in_ledger else CellKind.INVOICE_ONLY
    return CellDifference(
        kind=kind,
        day=cell[0],
        model=cell[1],
        key=cell[2],
        ledger_nanousd=sums.ledger,
        invoice_nanousd=sums.invoice,
        difference_nanousd=apart,
        percent=round(100 * apart / sums.ledger, 3) if sums.ledger else None,
        unsettled=sums.unsettled,
        ledger_tokens=sums.ledger_tokens,
        invoice_tokens=sums.invoice_tokens,
    )
