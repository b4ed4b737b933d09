"""What does one ledger entry add to the spend? Exactly once, under redelivery, replay and repeated production.

Two tables, whose changelogs are written independently. ``attempts`` holds for each attempt at which offset each of its
phases (opened, unsettled, closed) was first seen: an entry at another place is a repetition. ``spend`` holds the sums
of a key together with the offset of the last entry in them, of each partition that entries of the key came from, in one
changelog record: an entry at or below that offset is in the sums already. So a crash between the two writes is mended
by the redelivery, whichever of them survived. What an entry adds depends on nothing but the entry: closing ones carry
what the opening one had reserved. (A key has one partition, until partitions are added to ``usage``.)

All entries of an attempt are booked for when it began, as its first entry says (:mod:`forebay.history.booking`).
"""

import json
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from forebay.contract.json_lines import to_json
from forebay.contract.records import Spend, UsageEvent, UsageStatus, WindowKind
from forebay.contract.windows import window_start
from forebay.history.booking import booked_for

_PHASE = {
    UsageStatus.STARTED: "opened",
    UsageStatus.UNSETTLED: "unsettled",
    UsageStatus.SETTLED: "closed",
    UsageStatus.FAILED: "closed",
    UsageStatus.AVOIDED: "closed",
}

_LARGEST = (1 << 63) - 1

AttemptRow = dict[str, Any]
"""Phase to offset, ``at`` (for when it is booked, ms), ``partition``, ``entry`` (the opening one, while it is open),
``cost`` (nano-dollars, once it is closed), by which :mod:`forebay_agents.cost.drift` checks the sums."""

Keys = tuple[str, str, str]
"""Of the rows that an entry goes into: those of its hour, its day and its month."""

SEEN = "seen"
"""In a row of ``spend`` beside the fields of the record: partition, as text, to the offset of its last entry in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delta:
    """What an entry adds to each of its windows; fields of :class:`Spend`."""

    calls: int = 0
    failed: int = 0
    avoided: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_nanousd: int = 0
    pending_nanousd: int = 0
    saved_nanousd: int = 0
    cached_prompt_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    unpriced_calls: int = 0
    saved_tier_nanousd: int = 0
    saved_compression_nanousd: int = 0


_SUMS = tuple(field.name for field in fields(Delta))


def delta_of(entry: UsageEvent) -> Delta:
    """What ``entry`` adds, by its status alone."""
    match entry.status:
        case UsageStatus.STARTED:
            return Delta(calls=1, pending_nanousd=entry.cost_nanousd)
        case UsageStatus.UNSETTLED:
            return Delta()  # its worst case is pending already, and stays so
        case UsageStatus.AVOIDED:
            return Delta(avoided=1, saved_nanousd=entry.saved_nanousd)
        case UsageStatus.FAILED:
            return Delta(failed=1, pending_nanousd=-entry.reserved_nanousd)
        case UsageStatus.SETTLED:
            return Delta(
                prompt_tokens=entry.prompt_tokens,
                completion_tokens=entry.completion_tokens,
                cost_nanousd=entry.cost_nanousd,
                pending_nanousd=-entry.reserved_nanousd,
                cached_prompt_tokens=entry.cached_prompt_tokens,
                cache_write_tokens=entry.cache_write_tokens,
                cache_write_1h_tokens=entry.cache_write_1h_tokens,
                reasoning_tokens=entry.reasoning_tokens,
                unpriced_calls=int(not entry.priced),
                saved_tier_nanousd=entry.saved_tier_nanousd,
                saved_compression_nanousd=entry.saved_compression_nanousd,
            )


def row_key(owner: Sequence[str], kind: str, start_ms: int) -> str:
    """Key of a spend row: JSON, so that no character in an id can make two keys one.

    Args:
        owner: tenant, user, model, tier and purpose.
    """
    tenant, user, model, tier, purpose = owner
    return json.dumps([tenant, user, model, kind, start_ms, tier, purpose], ensure_ascii=False)


def keys_of(entry: UsageEvent, at_ms: int) -> Keys:
    """Keys of the rows that ``entry`` goes into. Raises for times that no date can be made of."""
    owner = (entry.tenant_id, entry.user_id, entry.model, entry.tier, entry.purpose.value)
    hour, day, month = (row_key(owner, kind.value, window_start(kind, at_ms)) for kind in WindowKind)
    return hour, day, month


class Projection:
    """Applies ledger entries to the two tables; synchronous, so that entries of a partition are applied in order.

    Args:
        attempts: attempt id to :data:`AttemptRow`.
        spend: :func:`row_key` to the fields of a :class:`Spend`, and :data:`SEEN`.
    """

    def __init__(
        self, attempts: MutableMapping[str, AttemptRow], spend: MutableMapping[str, Mapping[str, Any]]
    ) -> None:
        self._attempts = attempts
        self._spend = spend

    def apply(
        self, entry: UsageEvent, *, partition: int, offset: int, taken_ms: int, now_ms: int
    ) -> list[tuple[str, Spend]]:
        """As :meth:`take`; the rows of its three windows as they are now, none for a repetition."""
        keys = self.take(entry, partition=partition, offset=offset, taken_ms=taken_ms, now_ms=now_ms)
        return [] if keys is None else [(key, record_of(self._spend[key])) for key in keys]

    def take(self, entry: UsageEvent, *, partition: int, offset: int, taken_ms: int, now_ms: int) -> Keys | None:
        """Take ``entry`` in; keys of the rows that have it now, ``None`` for a repetition.

        Args:
            taken_ms: when the brokers took the entry, ms since the epoch.
        """
        at_ms = self._booked_for(entry, taken_ms)
        keys = keys_of(entry, at_ms)  # before any write: it fails on absurd times
        if not self._is_new(entry, partition, offset, at_ms):
            return None
        delta = delta_of(entry)
        sums = [(name, added) for name in _SUMS if (added := getattr(delta, name))]
        for kind, key in zip(WindowKind, keys, strict=True):
            self._add(key, entry, kind, at_ms, sums, (partition, offset), now_ms)
        return keys

    def _booked_for(self, entry: UsageEvent, taken_ms: int) -> int:
        row = self._attempts.get(entry.attempt_id)
        if row is not None:
            return int(row["at"])
        return booked_for(entry, taken_ms)

    def _is_new(self, entry: UsageEvent, partition: int, offset: int, at_ms: int) -> bool:
        phase = _PHASE[entry.status]
        row = dict(self._attempts.get(entry.attempt_id) or {"partition": partition, "at": at_ms})
        known = row.get(phase)
        if known is not None:
            return bool(known == offset and row["partition"] == partition)  # the same record again, or a repetition
        row[phase] = offset
        if phase == "opened" and "closed" not in row:
            row["entry"] = to_json(entry)
        if phase == "closed":
            row.pop("entry", None)
            row["cost"] = entry.cost_nanousd if entry.status is UsageStatus.SETTLED else 0
        self._attempts[entry.attempt_id] = row
        return True

    def _add(
        self,
        key: str,
        entry: UsageEvent,
        kind: WindowKind,
        at_ms: int,
        sums: Sequence[tuple[str, int]],
        place: tuple[int, int],
        now_ms: int,
    ) -> None:
        partition, offset = str(place[0]), place[1]
        row = self._spend.get(key) or _fresh(entry, kind, at_ms)
        seen: Mapping[str, int] | None = row.get(SEEN)  # where there is none, the revision is the offset
        if (row.get("revision", -1) if seen is None else seen.get(partition, -1)) < offset:
            # As it is stored: a record and its JSON are made of 24 fields, and most entries change five of them.
            now_seen = {**(seen or {}), partition: offset}
            # Grows with each change, and is the same in whatever order partitions are gone through anew: else a row
            # that was told before a rebuild would count as newer than the one that is told after it.
            revision = max(row.get("revision", -1) + 1, sum(now_seen.values()) + len(now_seen))
            changed = {**row, "updated_at": now_ms, "revision": revision, SEEN: now_seen}
            for name, added in sums:
                changed[name] = _within(changed.get(name, 0) + added)
            self._spend[key] = changed


def record_of(row: Mapping[str, Any]) -> Spend:
    """The record that a row of ``spend`` stands for."""
    values = {**row, "window": WindowKind(row["window"])}
    values.pop(SEEN, None)
    return Spend(**values)


def _fresh(entry: UsageEvent, kind: WindowKind, at_ms: int) -> Mapping[str, Any]:
    """A row of nothing: sums that are 0 are left out, and there are many rows."""
    return {
        "tenant_id": entry.tenant_id,
        "user_id": entry.user_id,
        "model": entry.model,
        "tier": entry.tier,
        "purpose": entry.purpose.value,
        "window": kind.value,
        "window_start": window_start(kind, at_ms),
    }


def _within(number: int) -> int:
    """What a field of a record takes: a sum that is wrong is better than one that no record says ever again."""
    return max(-_LARGEST, min(number, _LARGEST))
