"""One place looks at the machine's time in the unit of records, and in a worker it follows the brokers'."""

import re
import time
from pathlib import Path

import pytest

from forebay.contract.clock import Clock, FollowingClock, elapsed_s

ROOT = Path(__file__).parents[3]
READS_IN_MS = re.compile(r"time_ns\(\)\s*//|time\.time\(\)\s*\*\s*1_?000")
DAY_S = 86_400.0
TODAY_MS = 1_700_000_000_000


def test_now_is_between_two_looks_at_the_machine() -> None:
    """Of a clock that has heard of no other; the process's own may follow the brokers of a test before this one."""
    clock: Clock = FollowingClock()
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


def test_nobody_else_asks_the_machine_what_day_it_is() -> None:
    reads = re.compile(r"time\.time\b|datetime\.now\(|utcnow|date\.today")
    found = {
        str(path.relative_to(ROOT))
        for folder in ("streams", "agents")
        for path in (ROOT / folder).rglob("*.py")
        if reads.search(path.read_text())
    }
    assert found == {
        "agents/forebay_agents/completion/routing/offline/training.py",  # no worker's
        "agents/forebay_agents/redaction/detection/recognizers/identifiers/citizens.py",  # years of birth end somewhere
    }


class Machine:
    """A machine whose clock is wrong by ``ahead_s`` seconds, and can be set."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.ahead_s = ahead_s
        self.passed_s = 1_000.0

    def true_ms(self) -> int:
        return TODAY_MS + round(1000 * self.passed_s)

    def clock(self) -> FollowingClock:
        return FollowingClock(lambda: self.true_ms() + round(1000 * self.ahead_s), lambda: self.passed_s)

    def ask(self, clock: FollowingClock, there_s: float = 0.001, back_s: float = 0.001) -> None:
        asked = self.passed_s
        self.passed_s += there_s
        said = self.true_ms()
        self.passed_s += back_s
        clock.heard(said, asked, self.passed_s)


def test_until_something_was_heard_the_time_is_the_machines() -> None:
    machine = Machine(ahead_s=26 * 3600)
    clock = machine.clock()
    assert clock() == machine.true_ms() + 26 * 3600 * 1000
    assert clock.skew_s == 0


@pytest.mark.parametrize("ahead_s", [26 * 3600.0, -26 * 3600.0, 31.0, 0.0])
def test_what_was_heard_counts_whatever_the_machine_says(ahead_s: float) -> None:
    machine = Machine(ahead_s)
    clock = machine.clock()
    machine.ask(clock)
    machine.passed_s += 5
    assert abs(clock() - machine.true_ms()) <= 2
    assert clock.skew_s == pytest.approx(ahead_s, abs=0.002)


def test_setting_the_machines_clock_does_not_move_it() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.ask(clock)
    machine.ahead_s = -DAY_S
    assert abs(clock() - machine.true_ms()) <= 2
    assert clock.skew_s == pytest.approx(-DAY_S, abs=0.002)


def test_a_slow_answer_does_not_spoil_what_a_quick_one_said() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.ask(clock)
    machine.ask(clock, there_s=0.0, back_s=12.0)  # it stood still with the answer in its socket
    assert abs(clock() - machine.true_ms()) <= 2


def test_a_quick_answer_mends_what_a_slow_one_said() -> None:
    machine = Machine(ahead_s=300)
    clock = machine.clock()
    machine.ask(clock, there_s=4.0, back_s=0.0)
    assert abs(clock() - machine.true_ms()) <= 2_001, "half of the time that the answer took"
    machine.ask(clock)
    assert abs(clock() - machine.true_ms()) <= 2


def test_another_broker_may_have_another_time() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.ask(clock)
    clock.heard(machine.true_ms() - 40_000, machine.passed_s, machine.passed_s)
    assert machine.true_ms() - clock() == pytest.approx(40_000, abs=2)
    assert clock.skew_s == pytest.approx(40, abs=0.002)


def test_elapsed_time_never_goes_back() -> None:
    first = elapsed_s()
    assert elapsed_s() >= first
