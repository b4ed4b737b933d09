"""What of a file is the ledger? Lines as ``forebay tail usage`` writes them, or entries alone.

A line that is none is left out and counted, never the end of the others: a file may end in half a line, have entries of
a status that is not known yet, or lines of something else. What the cost stage refuses is refused here too.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import ValidationError

from forebay.contract.failures import Permanent
from forebay.contract.json_lines import record_from_json
from forebay.contract.records import UsageEvent
from forebay.history.plausible import check
from forebay_agents.cost.spending.facts import Entered

_NAMED = 5
"""Lines that are named; the others are only counted."""


@dataclass(kw_only=True, slots=True)
class LedgerLines:
    """Entries of a file, once; ``left_out`` counts lines that are none, ``places`` has the numbers of the first."""

    lines: Iterable[str | bytes]
    left_out: int = 0
    places: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[Entered]:
        for number, line in enumerate(self.lines, 1):
            if not line.strip():
                continue
            try:
                entered = _entered(line)
            except (ValueError, TypeError, RecursionError, ValidationError, Permanent):
                self.left_out += 1
                if len(self.places) < _NAMED:
                    self.places.append(number)
                continue
            if entered is not None:
                yield entered


def _entered(line: str | bytes) -> Entered | None:
    """``None`` for a record of another topic, and for one without a value."""
    content = _parsed(line)
    if "value" not in content and "topic" in content:
        raise ValueError("a record that could not be read")
    if content.get("topic", "usage") != "usage":
        raise ValueError("another topic")
    value = content.get("value", content)
    if value is None:
        return None
    if not isinstance(value, dict) or not value.get("attempt_id"):
        raise ValueError("no entry")
    entry = record_from_json(UsageEvent, value)
    check(entry)
    if "value" not in content:
        return Entered(entry=entry)
    partition, offset = _whole(content.get("partition")), _whole(content.get("offset"))
    place = None if partition is None or offset is None else (partition, offset)
    return Entered(entry=entry, taken_ms=_whole(content.get("timestamp")), place=place)


def _parsed(line: str | bytes) -> Mapping[str, Any]:
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError:
        content = json.loads(line)  # integers of more than 64 bits
    if not isinstance(content, dict):
        raise TypeError("no object")
    return content


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None
