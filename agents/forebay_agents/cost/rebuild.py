"""What do the tables of the cost stage hold, made anew from the ledger alone? Pure: entries in, rows out.

When partitions are added to ``usage``, users move: their sums lie with a worker that gets none of their entries any
more. Then, and when sums are wrong for whatever reason, all rows are made anew, in the partitions where the entries of
their users go now.

A row that the ledger does not give any more (from before tiers were told apart, of an entry that is none) becomes one
of zeros with a higher revision: readers of ``spend`` replace it by that. (A record without a value would be a dead
letter to completion, whose budgets would keep the sum.) Rows of windows that began before the oldest entry that is
kept stay as they are: the ledger is kept for 400 days, ``spend`` for ever.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, fields, replace
from struct import Struct
from typing import Any

from forebay.contract.json_lines import to_json
from forebay.contract.records import Spend, UsageEvent, WindowKind
from forebay_agents.cost.projection import SEEN, AttemptRow, Delta, Projection, delta_of, record_of
from forebay_agents.models.ledger import usage_key

_COMPARED = (
    "calls",
    "failed",
    "avoided",
    "prompt_tokens",
    "completion_tokens",
    "cost_nanousd",
    "pending_nanousd",
    "saved_nanousd",
)
"""Sums that all rows have that were ever written."""
_PHASES = ("opened", "unsettled", "closed")
_KNOWN = {"partition", "at", "cost", *_PHASES}
_ROW = Struct("<iqqqqq")  # partition, at, the offset of each phase, cost
_NEVER = -(2**63)
"""Offset of a phase that was not seen."""
_INCLUDED = -1
"""Offset of a phase that is in the sums, whatever record it was in: another one is a repetition."""

Sums = Counter[tuple[WindowKind, str]]
"""Kind of window and field of :class:`Spend` to the sum."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """What to write, and what changed.

    Attributes:
        partitions: of ``usage``, and of the tables from now on.
        entries: of the ledger; ``waiting``: of them, those that were not in yet.
        spend: partition, key and row of each row of the table; ``attempts`` likewise.
        published: keys and records of ``spend`` that differ from what is there.
        before: sums of what was there; ``after``: of what is.
        explained: whether they differ by nothing but entries that were not in yet.
        corrected: rows that were there and differ; ``added``, ``cleared``: are new, and zeros now; ``kept``: are of
            before the ledger's first entry.
    """

    partitions: int
    entries: int
    waiting: int
    spend: Sequence[tuple[int, str, Mapping[str, Any]]]
    attempts: Sequence[tuple[int, str, AttemptRow]]
    published: Sequence[tuple[str, Spend]]
    before: Delta
    after: Delta
    explained: bool
    same: int
    corrected: int
    added: int
    cleared: int
    kept: int


class _Attempts(MutableMapping[str, AttemptRow]):
    """Attempt id to its row. Of a closed one, as most are, 44 bytes are kept: as a dictionary it took 400."""

    def __init__(self) -> None:
        self._rows: dict[str, AttemptRow | bytes] = {}

    def __getitem__(self, attempt_id: str) -> AttemptRow:
        found = self._rows[attempt_id]
        return _unpacked(found) if isinstance(found, bytes) else found

    def __setitem__(self, attempt_id: str, row: AttemptRow) -> None:
        closed = row.keys() <= _KNOWN and "cost" in row
        self._rows[attempt_id] = _packed(row) if closed else row

    def __delitem__(self, attempt_id: str) -> None:
        del self._rows[attempt_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _packed(row: AttemptRow) -> bytes:
    return _ROW.pack(row["partition"], row["at"], *(row.get(phase, _NEVER) for phase in _PHASES), row["cost"])


def _unpacked(packed: bytes) -> AttemptRow:
    partition, at_ms, *offsets, cost = _ROW.unpack(packed)
    seen = {phase: offset for phase, offset in zip(_PHASES, offsets, strict=True) if offset != _NEVER}
    return {"partition": partition, "at": at_ms, **seen, "cost": cost}


@dataclass(kw_only=True, slots=True)
class Rebuilding:
    """Takes in the ledger, in order within each partition.

    Attributes:
        finished: partition to the offset up to which (exclusive) the stage had taken entries in.
        entries: that were taken in; ``waiting``: of them, what the stage had not taken in.
    """

    finished: Mapping[int, int]
    entries: int = 0
    waiting: int = 0
    _attempts: _Attempts = field(default_factory=_Attempts)
    _spend: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _owners: dict[str, str] = field(default_factory=dict)
    _had: dict[tuple[WindowKind, int], Counter[str]] = field(default_factory=dict)

    def take(self, entry: UsageEvent, *, partition: int, offset: int, taken_ms: int) -> None:
        """An entry, and where it stands; ``taken_ms``: when the brokers took it. Raises what no date can be made of."""
        self.entries += 1
        rows = Projection(self._attempts, self._spend).apply(
            entry, partition=partition, offset=offset, taken_ms=taken_ms, now_ms=taken_ms
        )
        self._owners.setdefault(entry.attempt_id, sys.intern(usage_key(entry.tenant_id, entry.user_id)))
        if offset >= self.finished.get(partition, 0):
            self.waiting += 1
        elif rows:
            delta = delta_of(entry)
            for _, row in rows:
                sums = self._had.setdefault((row.window, row.window_start), Counter())
                sums.update({name: getattr(delta, name) for name in _COMPARED})

    def rebuilt(
        self,
        there: Mapping[str, Spend],
        *,
        ends: Mapping[int, int],
        partition_of: Callable[[str], int],
        complete_since_ms: int,
        remembered_since_ms: int,
    ) -> Rebuilt:
        """The rows.

        Args:
            there: the newest record of each key of ``spend``.
            ends: partition to the offset up to which (exclusive) was read.
            partition_of: of a record of ``usage`` with a key.
            complete_since_ms: since when no entry has expired; 0: none ever did.
            remembered_since_ms: attempts of before are not needed to know repetitions.
        """
        everything = {str(partition): end - 1 for partition, end in ends.items()}
        found = {key: record_of(row) for key, row in self._spend.items()}
        kept = {key for key, row in there.items() if row.window_start < complete_since_ms}
        spend: list[tuple[int, str, Mapping[str, Any]]] = []
        published: list[tuple[str, Spend]] = []
        counts: Counter[str] = Counter()
        for key in there.keys() | found.keys():
            old, new = there.get(key), found.get(key)
            if old is not None and (key in kept or new is None):
                new = old if key in kept else _zeros(old)
            assert new is not None  # one of the two has it
            if old is not None:
                changed = _content(new) != _content(old)
                new = replace(new, revision=old.revision + 1) if changed else old
            what = _what(old, new, key in found, key in kept)
            counts[what] += 1
            if what in ("corrected", "added", "cleared"):
                published.append((key, new))
            seen = self._spend[key][SEEN] if key in found and key not in kept else everything
            place = partition_of(usage_key(new.tenant_id, new.user_id))
            spend.append((place, key, {**to_json(new), SEEN: seen}))
        after = [record_of(row) for _, _, row in spend]
        return Rebuilt(
            partitions=len(ends),
            entries=self.entries,
            waiting=self.waiting,
            spend=spend,
            attempts=list(self._remembered(partition_of, remembered_since_ms)),
            published=published,
            before=_month(there.values()),
            after=_month(after),
            explained=self._explained(
                [row for key, row in there.items() if key not in kept],
                [row for row in after if row.window_start >= complete_since_ms],
                complete_since_ms,
            ),
            same=counts["same"],
            corrected=counts["corrected"],
            added=counts["added"],
            cleared=counts["cleared"],
            kept=counts["kept"],
        )

    def _remembered(self, partition_of: Callable[[str], int], since_ms: int) -> Iterable[tuple[int, str, AttemptRow]]:
        for attempt_id, row in self._attempts.items():
            if row["at"] >= since_ms:
                place = partition_of(self._owners[attempt_id])
                phases = dict.fromkeys((phase for phase in _PHASES if phase in row), _INCLUDED)
                yield place, attempt_id, {**row, **phases, "partition": place}

    def _explained(self, before: Iterable[Spend], after: Iterable[Spend], since_ms: int) -> bool:
        had: Sums = Counter()
        for (kind, start), sums in self._had.items():
            if start >= since_ms:
                had.update({(kind, name): amount for name, amount in sums.items()})
        found = _sums(before)
        return found in (had, _sums(after))


def _what(old: Spend | None, new: Spend, in_ledger: bool, kept: bool) -> str:
    if old is None:
        return "added"
    if kept:
        return "kept"
    if new == old:
        return "same"
    return "corrected" if in_ledger else "cleared"


def _zeros(row: Spend) -> Spend:
    nothing: Mapping[str, Any] = dict.fromkeys((each.name for each in fields(Delta)), 0)
    return replace(row, **nothing)


def _content(row: Spend) -> Spend:
    return replace(row, revision=0, updated_at=0)


def _sums(rows: Iterable[Spend]) -> Sums:
    sums: Sums = Counter()
    for row in rows:
        for name in _COMPARED:
            sums[row.window, name] += getattr(row, name)
    return sums


def _month(rows: Iterable[Spend]) -> Delta:
    months = [row for row in rows if row.window is WindowKind.MONTH]
    return Delta(**{each.name: sum(getattr(row, each.name) for row in months) for each in fields(Delta)})
