"""What the measurements of overload, soak and scale say of what they saw; no stack is started."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.chaos.faults import STAGES
from loadtest.endurance import overload, scale, soak
from loadtest.endurance.growth import Growth, growth
from loadtest.endurance.overload import Seen
from loadtest.endurance.sampling import Sample, Sampler, file_growth, memory_growth, sizes_mb
from loadtest.endurance.scale import Step

WANTED = overload.Wanted(highest=10.0, seconds=10.0, quiet_s=60.0, deadline_s=5.0)


def _seen(outcome: str, latency_ms: int | None, count: int, start: float = 0.0, length: float = 10.0) -> list[Seen]:
    return [Seen(start + length * number / count, latency_ms, outcome) for number in range(count)]


def _quiet(bad_until_s: float) -> list[Seen]:
    bad = _seen("ok", 4_000, round(5 * bad_until_s), 10.0, bad_until_s) if bad_until_s else []
    return [*bad, *_seen("ok", 300, round(5 * (60 - bad_until_s)), 10.0 + bad_until_s, 60 - bad_until_s)]


def test_answers_in_time_are_those_before_their_deadline() -> None:
    found = overload.figures(
        [
            *_seen("ok", 900, 95),
            *_seen("ok", 5_001, 20),
            *_seen("overloaded", 40, 80),
            *_seen("x", None, 5),
            *_quiet(10),
        ],
        WANTED,
    )
    assert found.in_time_per_s == 9.5
    assert found.outcomes == {"ok": 95, "overloaded": 80, "late": 20, "no answer": 5}
    assert (found.told_ms["p50"], found.recovered_s) == (40, 10.0)
    assert overload.broken(found, WANTED) == []


@pytest.mark.parametrize(
    ("in_time", "bad_until_s", "what"),
    [(89, 0.0, "answered in time"), (95, 35.0, "after 35 s"), (95, 60.0, "not in the quiet")],
)
def test_too_few_in_time_or_too_late_back_is_broken(in_time: int, bad_until_s: float, what: str) -> None:
    found = overload.figures([*_seen("ok", 900, in_time), *_quiet(bad_until_s)], WANTED)
    [violation] = overload.broken(found, WANTED)
    assert what in violation


def test_who_is_turned_away_after_the_excess_has_not_recovered() -> None:
    turned = [*_seen("ok", 900, 95), *_seen("overloaded", 10, 25, 10.0, 5.0), *_quiet(5.0)]
    assert overload.figures(turned, WANTED).recovered_s == 5.0


@given(st.floats(-5, 5), st.floats(100, 1_000))
def test_a_line_has_its_slope_and_no_doubt(slope: float, base: float) -> None:
    found = growth([(10.0 * number, base + slope * number) for number in range(20)])
    assert found is not None
    assert found.an_hour == pytest.approx(360 * slope, abs=1e-3)
    assert found.low == pytest.approx(found.high, abs=1.0)


def test_what_goes_up_and_down_is_no_growth() -> None:
    found = growth([(10.0 * number, 100.0 + number % 2) for number in range(60)])
    assert found is not None
    assert found.low < 0 < found.high
    assert growth([(1.0, 2.0)] * 9) is None
    assert growth([(1.0, 2.0), (2.0, 3.0)]) is None


def test_growth_counts_from_the_last_start_of_a_process() -> None:
    samples = [
        Sample(at_s=10.0 * n, pss_mb={"cache": 100.0 if n < 10 else 50.0 + n}, pids={"cache": n // 10}, files_mb={})
        for n in range(20)
    ]
    found = memory_growth(samples, 20.0)["cache"]
    assert found.an_hour == pytest.approx(360.0)
    assert soak.grown({"cache": found}, hours=0.5) == ["cache grew by 360.0 to 360.0 MB an hour"]
    assert soak.grown({"cache": found}, hours=0.01) == []


def test_a_slope_that_may_be_none_is_not_told_of() -> None:
    unsure = Growth(an_hour=50.0, low=-1.0, high=101.0, mean=100.0, last=110.0)
    assert soak.grown({"cache": unsure}, hours=1.0) == []


def test_files_are_summed_by_folder(tmp_path) -> None:  # type: ignore[no-untyped-def]
    for name, size in (("logs/a.log", 1_000_000), ("logs/old/b.log", 500_000), ("redis/dump", 250_000)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    assert sizes_mb(tmp_path) == {"logs": 1.5, "redis": 0.25}


def _step(workers: int, served: float) -> Step:
    return Step(workers=workers, served_per_s=served, in_flight=0.0, lag=0, partitions=range(12))


def test_more_workers_have_to_carry_more() -> None:
    wanted = scale.Wanted()
    assert scale.too_little([_step(1, 2.0), _step(2, 3.9), _step(4, 6.5)], wanted) == []
    assert scale.too_little([_step(1, 2.0), _step(2, 3.9), _step(4, 6.0)], wanted) == [
        "4 workers served 6 a second, one 2"
    ]
    assert scale.too_little([_step(1, 2.0)], wanted) == ["only 1 of 3 steps came to their end"]


class FakeStack:
    """One process, which is this one, and a folder; what is struck is noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.struck: list[str] = []

    def rows(self) -> Mapping[str, SimpleNamespace]:
        return {"cache": SimpleNamespace(pid=os.getpid()), "gone": SimpleNamespace(pid=None)}

    def strike(self, name: str) -> None:
        self.struck.append(name)


def test_a_sampler_sees_memory_and_files_again_and_again(tmp_path: Path) -> None:
    (tmp_path / "stack" / "logs").mkdir(parents=True)
    (tmp_path / "stack" / "logs" / "a.log").write_bytes(b"x" * 10_000)
    stack: Any = FakeStack(tmp_path)
    with Sampler(stack, 0.01) as sampler:
        while len(sampler.samples) < 6:
            time.sleep(0.01)
    assert {frozenset(sample.pids) for sample in sampler.samples} == {frozenset({"cache"})}
    assert min(sample.pss_mb["cache"] for sample in sampler.samples) > 1
    assert set(memory_growth(sampler.samples, 0.0)) == {"cache"}
    files = file_growth(sampler.samples, 0.0)["logs"]
    assert (files.last, files.an_hour) == (0.01, pytest.approx(0.0, abs=1e-6))


def test_every_stage_is_killed_once(tmp_path: Path) -> None:
    stack: Any = FakeStack(tmp_path)
    said: list[str] = []
    soak.kill_each(stack, soak.Wanted(rate=1.0, minutes=0.001), said.append)
    assert stack.struck == list(STAGES)
    assert len(said) == len(STAGES)


def test_what_was_found_is_told_in_a_table() -> None:
    wanted = {"minutes": 3.0, "rate": 15.0, "killed": ["cache"]}
    grown = {"an_hour": 1.0, "low": 0.5, "high": 1.5, "mean": 9.0, "last": 9.5}
    found = {
        "wanted": wanted,
        "requests": 9,
        "answered": 9,
        "latency_ms": {"p50": 1, "p95": 2, "p99": 3},
        "pss_mb": 9,
        "memory": {"cache": grown},
        "files": {},
        "yardstick_ms": [20.0, 21.0],
        "violations": [],
    }
    assert "| memory of cache | 9.5 | 1.0 | 0.5 | 1.5 |" in soak.markdown(found)
