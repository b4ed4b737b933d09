"""What stands in the changelogs? Many rows in one record, where there was a record for each.

The hour, the day and the month of a key change together, so they are one record, under the key of the hour with a sign
before it; ids stand in the key alone. The rows of attempts that were changed together are one record, under a key that
is never used again: it is deleted when all of them are forgotten. Records of before are read as ever: a row of a window
under its own key, an attempt under its id. (Older workers cannot read what is written here.)

Records of a day or month are in several hours' records then, and those of a partition that two workers wrote to may
stand in any order: so a row of sums never gives way to one with a smaller revision, nor an attempt to one that knows
less of it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from forebay.contract.records import WindowKind
from forebay_agents.cost.projection import SEEN, AttemptRow, Keys, row_key

Row = Mapping[str, Any]

_TOGETHER = "+"
"""Before the key of a record with several rows: keys of single rows begin with a bracket."""
_ATTEMPTS = "attempts"
"""In such a record of attempts; no row of one attempt has it."""
_OWNER = ("tenant_id", "user_id", "model", "tier", "purpose")
_ALWAYS = frozenset({"window_start", "updated_at", "revision", SEEN})
_LEFT_OUT = frozenset({*_OWNER, "window"})
_PHASES = ("opened", "unsettled", "closed")
_MOST = 100_000
"""Characters of the rows in one record, roughly: a changelog takes a megabyte, and control characters grow sixfold."""


def folded(keys: Keys, rows: Mapping[str, Row]) -> tuple[str, Mapping[str, Row]]:
    """Key and value of the record of three windows of a key."""
    return _TOGETHER + keys[0], {
        kind.value: {
            name: value for name, value in rows[key].items() if name not in _LEFT_OUT and (value or name in _ALWAYS)
        }
        for kind, key in zip(WindowKind, keys, strict=True)
    }


def unfolded(key: str, value: Any) -> Iterator[tuple[str, Row]]:
    """Keys and rows that a record of the sums' changelog stands for."""
    if not key.startswith(_TOGETHER):
        yield key, value
        return
    tenant, user, model, _, _, tier, purpose = json.loads(key.removeprefix(_TOGETHER))
    owner = (tenant, user, model, tier, purpose)
    for kind, sums in value.items():
        row = {**dict(zip(_OWNER, owner, strict=True)), "window": kind, **sums}
        yield row_key(owner, kind, row["window_start"]), row


def together(attempts: Iterable[tuple[str, AttemptRow]]) -> Iterator[Mapping[str, Mapping[str, AttemptRow]]]:
    """Values of records that hold ``attempts``, none of them too large; each under a key of its own."""
    gathered: dict[str, AttemptRow] = {}
    size = 0
    for attempt_id, row in attempts:
        more = len(attempt_id) + len(repr(row))
        if gathered and size + more > _MOST:
            yield {_ATTEMPTS: gathered}
            gathered, size = {}, 0
        gathered[attempt_id] = row
        size += more
    if gathered:
        yield {_ATTEMPTS: gathered}


def apart(value: Mapping[str, Any]) -> Mapping[str, AttemptRow] | None:
    """The attempts of a record with several; ``None``: it is the row of one."""
    return value.get(_ATTEMPTS)


def newest_sums(known: Row | None, row: Row) -> Row:
    """Which of two rows of the same sums counts."""
    return row if known is None or known.get("revision", -1) <= row.get("revision", -1) else known


def newest_attempt(known: AttemptRow | None, row: AttemptRow) -> AttemptRow:
    """Which of two rows of the same attempt counts."""
    return row if known is None or _known(known) <= _known(row) else known


def _known(row: AttemptRow) -> int:
    return sum(phase in row for phase in _PHASES)
