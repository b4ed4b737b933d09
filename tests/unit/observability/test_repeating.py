"""Is what a library repeats written a few times and counted, and nothing else held back?"""

import json
import logging
import subprocess
import sys

from forebay.observability.repeating import Repeating


def said(at_s: float, name: str = "aiokafka", line: int = 7) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.ERROR, "client.py", line, "Unable connect to node %s", (1,), None)
    record.created = at_s
    return record


def test_a_place_that_repeats_itself_is_written_five_times_in_ten_seconds() -> None:
    repeating = Repeating()
    assert [repeating.filter(said(100 + n / 100)) for n in range(100)] == [True] * 5 + [False] * 95


def test_the_next_window_says_how_many_were_withheld() -> None:
    repeating = Repeating()
    for n in range(100):
        repeating.filter(said(100 + n / 100))
    later = said(110)
    assert repeating.filter(later)
    assert later.__dict__["withheld"] == 95
    assert "withheld" not in said(110.1).__dict__


def test_another_place_and_another_library_are_not_held_back() -> None:
    repeating = Repeating()
    for n in range(100):
        repeating.filter(said(100 + n / 100))
    assert repeating.filter(said(101, line=8))
    assert repeating.filter(said(101, name="faust"))


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    repeating = Repeating()
    for n in range(6):
        repeating.filter(said(1e9 + n / 100))
    assert repeating.filter(said(5.0))


_PROGRAM = """
import logging, structlog
from forebay.observability import logging as ours
ours.configure("info")
for n in range(50):
    logging.getLogger("aiokafka").error("Unable connect to node %s", n)
    structlog.get_logger().info("ours", n=n)
"""


def test_our_own_events_are_all_written() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True)
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert events.count("ours") == 50
    assert len(events) == 55
