"""Records that are passed over by their key: finished at once, in order, and nothing of them is lost."""

import pytest
from structlog.testing import capture_logs

from forebay.contract import headers as h
from forebay.contract.handlers import Context, Output, Route
from forebay.contract.records import Alert
from forebay.runtime.stage import Stage
from forebay.settings import StageSettings
from forebay.testing import StageRunner
from tests.unit.runtime.bench import LaneBench, settle


def _others(key: bytes) -> bool:
    return key != b"mine"


def _passed(bench: LaneBench) -> float | None:
    labels = {"stage": "cache", "topic": "retry.10s"}
    return bench.registry.get_sample_value("forebay_records_passed_over_total", labels)


async def test_what_is_passed_over_is_finished_without_a_handler() -> None:
    async with LaneBench(skip=_others) as bench:
        bench.lane.assign({0})
        bench.deliver(1, 2, key=b"others")
        bench.deliver(3, key=b"mine")
        await settle()
        assert (bench.handled, bench.acked, _passed(bench)) == ([(0, 3)], [(0, 0, 1), (0, 0, 2)], 2)
        assert bench.lane.positions() == {0: 3}


async def test_it_is_not_acknowledged_past_a_record_that_is_not_finished() -> None:
    async with LaneBench(skip=_others) as bench:
        bench.lane.assign({0})
        bench.deliver(1, key=b"mine")
        bench.deliver(2, key=b"others")
        await settle()
        assert bench.acked == []
        await bench.finish(1)
        assert bench.acked == [(0, 0, 1), (0, 0, 2)]


async def test_it_waits_for_no_room_but_for_the_window() -> None:
    async with LaneBench(skip=_others, in_flight=1, window=3) as bench:
        bench.lane.assign({0})
        bench.deliver(1, key=b"mine")
        bench.deliver(2, 3, 4, key=b"others")
        await settle()
        assert _passed(bench) == 2, "a record in work takes no room from them, but bounds what a crash repeats"
        await bench.finish(1)
        assert (_passed(bench), bench.lane.positions()) == (3, {0: 5})


async def test_of_a_partition_that_is_anothers_nothing_is_passed_over() -> None:
    async with LaneBench(skip=_others) as bench:
        bench.deliver(1, key=b"others")
        await settle()
        assert (bench.acked, _passed(bench)) == ([], None)
        bench.lane.assign({0})
        await settle()
        assert bench.acked == [(0, 0, 1)]


@pytest.mark.parametrize("header", [h.RETRY_STAGE, h.PROOF, h.SEALED_KEY])
async def test_what_comes_back_goes_the_long_way(header: str) -> None:
    async with LaneBench(skip=_others) as bench:
        bench.lane.assign({0})
        bench.deliver(1, key=b"others", headers=[(header, b"x")])
        bench.deliver(2, key=None)
        await settle()
        assert bench.handled == [(0, 1), (0, 2)]


async def test_a_fault_of_the_short_cut_loses_nothing_and_is_told_of_once() -> None:
    def broken(_key: bytes) -> bool:
        raise KeyError("no")

    async with LaneBench(skip=broken) as bench:
        bench.lane.assign({0})
        with capture_logs() as logs:
            bench.deliver(1, 2)
            await settle()
        assert bench.handled == [(0, 1), (0, 2)]
        assert [(line["event"], line["error"]) for line in logs] == [("skip_bug", "KeyError")]


async def test_withheld_outputs_are_published_though_the_key_says_otherwise_by_now() -> None:
    nothing: set[bytes] = set()
    async with LaneBench(skip=nothing.__contains__) as bench:
        bench.lane.assign({0})
        bench.deliver(1)
        await settle()
        bench.lane.revoke({0})
        await bench.finish(1)
        assert bench.published == []
        nothing.add(b"k")
        await bench.rebalance(0)
        bench.deliver(1)
        await settle()
        assert bench.published == [b"out"]


async def test_the_runner_for_tests_passes_over_as_a_worker_does() -> None:
    seen: list[str] = []

    async def handle(alert: Alert, _context: Context) -> list[Output]:
        seen.append(alert.kind)
        return []

    route = Route(topic="alerts", handle=handle, skip=_others)
    runner = StageRunner(Stage(name="stage", routes=[route], limits=StageSettings()))
    for key in ("mine", "others"):
        await runner.send("alerts", Alert(kind=key), key=key)
    assert seen == ["mine"]
