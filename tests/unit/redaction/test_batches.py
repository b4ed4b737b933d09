"""Requests that wait together are read together: what is found is the same, and a failure is its own request's."""

import asyncio
import multiprocessing
import threading
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import Any, ClassVar

import pytest

from forebay.contract.failures import Rejected, Transient
from forebay_agents.redaction.detection.detector import Asked, Detector, Found
from forebay_agents.redaction.detection.pool import MOST, Batches, finder
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import RedactionSettings
from tests.data.kinds import texts


class Recorder:
    """Stands for detection: keeps what it was asked, and waits until it may go on."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go = threading.Event()

    def find_all(self, asked: Sequence[Asked]) -> list[Found | Exception]:
        self.batches.append([one.parts[0].text for one in asked])
        assert self.go.wait(10)
        return [self._outcome(one) for one in asked]

    @staticmethod
    def _outcome(asked: Asked) -> Found | Exception:
        if asked.parts[0].text == "bad":
            return Rejected("language_unsupported", "no")
        return Found(spans=[[]], language=asked.tenant_id)


def _one(text: str) -> Asked:
    return Asked(parts=[Part(text=text)], tenant_id=text)


async def _all(batches: Batches, wanted: Sequence[str], go: threading.Event) -> list[Any]:
    asked = [asyncio.ensure_future(batches.find(_one(text))) for text in wanted]
    await asyncio.sleep(0.05)
    go.set()
    return await asyncio.gather(*asked, return_exceptions=True)


async def test_what_waits_is_read_at_once_in_order() -> None:
    recorder = Recorder()
    sizes: list[int] = []
    wanted = [f"t{number}" for number in range(12)]
    with ThreadPoolExecutor(1) as pool:
        found = await _all(Batches(lambda: pool, recorder.find_all, 1, sizes.append), wanted, recorder.go)
    assert recorder.batches == [wanted[:1], wanted[1 : 1 + MOST], wanted[1 + MOST :]]
    assert sizes == [1, MOST, 3]
    assert [one.language for one in found] == wanted


async def test_a_long_text_is_read_by_itself() -> None:
    recorder = Recorder()
    wanted = ["first", "a", "x" * 5_000, "b", "c"]
    with ThreadPoolExecutor(1) as pool:
        await _all(Batches(lambda: pool, recorder.find_all, 1), wanted, recorder.go)
    assert [list(map(len, batch)) for batch in recorder.batches] == [[5], [1], [5_000], [1, 1]]


async def test_one_failure_is_nobody_elses() -> None:
    recorder = Recorder()
    with ThreadPoolExecutor(1) as pool:
        found = await _all(Batches(lambda: pool, recorder.find_all, 1), ["a", "b", "bad", "c"], recorder.go)
    assert [isinstance(one, Rejected) for one in found] == [False, False, True, False]


async def test_who_gave_up_is_not_read() -> None:
    recorder = Recorder()
    with ThreadPoolExecutor(1) as pool:
        batches = Batches(lambda: pool, recorder.find_all, 1)
        first, second, third = (asyncio.ensure_future(batches.find(_one(t))) for t in "abc")
        await asyncio.sleep(0.05)
        second.cancel()
        recorder.go.set()
        assert (await first).language == "a"
        assert (await third).language == "c"
    assert recorder.batches == [["a"], ["c"]]


class Dying(Executor):
    """Stands for a pool of processes, one of which dies when it reads "poison"; then nothing is read any more."""

    made: ClassVar[list["Dying"]] = []

    def __init__(self) -> None:
        self.made.append(self)
        self.broken = False

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.broken = self.broken or any(one.parts[0].text == "poison" for one in args[0])
        if self.broken:
            future.set_exception(BrokenExecutor("a process died"))
        else:
            future.set_result(fn(*args))
        return future


async def test_a_process_that_dies_takes_nobody_with_it() -> None:
    Dying.made.clear()
    recorder = Recorder()
    recorder.go.set()
    batches = Batches(Dying, recorder.find_all, 1)
    wanted = ["a", "b", "poison", "c"]
    found = await asyncio.gather(*(batches.find(_one(t)) for t in wanted), return_exceptions=True)
    assert [one.language for one in found if isinstance(one, Found)] == ["a", "b", "c"]
    assert isinstance(found[2], Transient)
    assert found[2].code == "redaction_interrupted"
    assert (await batches.find(_one("later"))).language == "later"
    assert len(Dying.made) == 3  # the first one, after the batch, after the poison by itself


async def test_a_real_process_is_replaced() -> None:
    async with finder(RedactionSettings(processes=1)) as find:
        [process] = multiprocessing.active_children()
        process.kill()
        process.join(10)
        assert (await find(_one("I am Ann Lee."))).spans[0]


def test_findings_do_not_depend_on_what_is_read_beside_a_text() -> None:
    detector = Detector(RedactionSettings())
    asked = [Asked(parts=[Part(text=row.text)]) for row in texts()]
    alone = [detector.find(one) for one in asked]
    for size in (2, 5, 8):
        together = [found for at in range(0, len(asked), size) for found in detector.find_all(asked[at : at + size])]
        assert together == alone


def test_a_language_that_is_refused_fails_only_its_own_request() -> None:
    detector = Detector(RedactionSettings(other_languages="block"))
    good, bad = ([Part(text="I am Ann Lee, call me.")], [Part(text="Меня зовут Олег, и я хочу узнать, где мой заказ.")])
    first, second, third = detector.find_all([Asked(parts=good), Asked(parts=bad), Asked(parts=good)])
    assert isinstance(second, Rejected)
    assert first == third == detector.find(Asked(parts=good))


@pytest.mark.parametrize("where", [{"threads": 1}, {"processes": 1}])
async def test_a_refusal_comes_back_and_the_next_request_is_served(where: dict[str, int]) -> None:
    refused = [Part(text="Меня зовут Олег, и я хочу узнать, где мой заказ.")]
    async with finder(RedactionSettings(other_languages="block", **where)) as find:  # type: ignore[arg-type]  # numbers
        for _ in range(2):
            with pytest.raises(Rejected, match="not accepted") as caught:
                await find(Asked(parts=refused, tenant_id="t"))
            assert caught.value.code == "language_unsupported"
            assert (await find(_one("I am Ann Lee."))).spans[0]


@pytest.mark.parametrize("where", [{"threads": 2}, {"processes": 1}])
async def test_threads_and_processes_find_the_same(where: dict[str, int]) -> None:
    async with finder(RedactionSettings(**where)) as find:  # type: ignore[arg-type]  # only numbers
        found = await asyncio.gather(*(find(_one("I am Ann Lee.")) for _ in range(20)))
    assert len({str(one) for one in found}) == 1
    assert found[0].spans[0]
