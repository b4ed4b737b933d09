"""One place looks at the machine's time in the unit of records."""

import re
import time
from pathlib import Path

from forebay.contract.clock import Clock, now_ms

ROOT = Path(__file__).parents[3]
READS_IN_MS = re.compile(r"time_ns\(\)\s*//|time\.time\(\)\s*\*\s*1_?000")


def test_now_is_between_two_looks_at_the_machine() -> None:
    clock: Clock = now_ms
    before = time.time_ns() // 1_000_000
    now = clock()
    assert before <= now <= time.time_ns() // 1_000_000


def test_nobody_else_turns_the_time_into_milliseconds() -> None:
    found = [
        str(path.relative_to(ROOT))
        for folder in ("streams", "agents", "loadtest")
        for path in (ROOT / folder).rglob("*.py")
        if READS_IN_MS.search(path.read_text())
    ]
    assert found == ["streams/forebay/contract/clock.py"]
