"""In which windows does a moment fall? Hour, day and month, aligned to UTC."""

from datetime import UTC, datetime

from forebay.contract.records import WindowKind

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def window_start(kind: WindowKind, at_ms: int) -> int:
    """Start of the window of ``kind`` that holds ``at_ms``; both in ms since the epoch."""
    if kind is WindowKind.HOUR:
        return at_ms - at_ms % HOUR_MS
    if kind is WindowKind.DAY:
        return at_ms - at_ms % DAY_MS
    first = datetime.fromtimestamp(at_ms / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return round(first.timestamp() * 1000)


def window_end(kind: WindowKind, start_ms: int) -> int:
    """Start of the window after the one of ``kind`` that begins at ``start_ms``."""
    longest = {WindowKind.HOUR: HOUR_MS, WindowKind.DAY: DAY_MS, WindowKind.MONTH: 32 * DAY_MS}
    return window_start(kind, start_ms + longest[kind])
