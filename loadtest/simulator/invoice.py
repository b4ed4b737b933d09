"""What does the provider charge? One line for each call that it bills, written before the client can see the end.

The line is appended and flushed before the last byte of the answer leaves, so that whatever the client was told, and
however the client or Forebay died, the invoice has it: the ledger is reconciled against this file.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

ATTEMPT_HEADER = "x-forebay-attempt-id"
_RECORDED = ("x-request-id", "traceparent", "idempotency-key")


class Invoice:
    """Lines in memory and, with ``path``, in a file (appended to, JSON lines)."""

    def __init__(self, path: Path | None = None) -> None:
        self.lines: list[dict[str, Any]] = []
        self.total_nanousd = 0
        self._file: BinaryIO | None = path.open("ab") if path else None

    def bill(self, line: dict[str, Any]) -> None:
        """Add one line and flush it."""
        self.lines.append(line)
        self.total_nanousd += line["cost_nanousd"]
        if self._file:
            self._file.write(orjson.dumps(line) + b"\n")
            self._file.flush()

    def reset(self) -> None:
        """Start anew, in the file too."""
        self.lines.clear()
        self.total_nanousd = 0
        if self._file:
            self._file.truncate(0)

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


class Stats:
    """Counts since the start or the last reset."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.in_flight: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()

    def begin(self, model: str) -> None:
        """A call for ``model`` came in."""
        self.calls[model] += 1
        self.in_flight[model] += 1
        self.peak[model] = max(self.peak[model], self.in_flight[model])

    def end(self, model: str, outcome: str) -> None:
        """It is over."""
        self.in_flight[model] -= 1
        self.outcomes[model, outcome] += 1

    def reset(self) -> None:
        """Forget all but what is in flight."""
        self.calls.clear()
        self.outcomes.clear()
        self.peak.clear()

    def as_json(self) -> dict[str, Any]:
        """By model: calls, outcomes, in flight, most in flight."""
        return {
            model: {
                "calls": calls,
                "in_flight": self.in_flight[model],
                "peak_in_flight": self.peak[model],
                "outcomes": {outcome: n for (name, outcome), n in sorted(self.outcomes.items()) if name == model},
            }
            for model, calls in sorted(self.calls.items())
        }


def recorded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers that identify a call; never credentials."""
    return {
        name: value
        for name, value in ((name.lower(), value) for name, value in headers.items())
        if name.startswith("x-forebay-") or name in _RECORDED
    }
