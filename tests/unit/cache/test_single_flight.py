"""Of equal requests one asks the models, also when the store is late or the answer is."""

import asyncio
import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from forebay.contract.failures import Transient
from forebay.contract.records import Completion
from forebay.testing import VirtualClock
from forebay_agents.cache.single_flight import flyer
from forebay_agents.cache.store.memory import MemoryStore
from forebay_agents.cache.store.store import Place, StoreUnavailableError
from tests.unit.cache.conftest import CONTEXT, Bench
from tests.unit.cache.memory import completion, request

_EQUAL = 50


class Unhurried(VirtualClock):
    """A pause takes its time, so that an answer can come meanwhile."""

    async def sleep(self, seconds: float) -> None:
        self.now_ms += 1
        await asyncio.sleep(0.001)


@pytest.fixture
def unhurried() -> Iterator[Bench]:
    with ThreadPoolExecutor(1) as executor:
        yield Bench(store=MemoryStore(), executor=executor, clock=Unhurried(1_000_000))


async def test_a_late_store_makes_equal_requests_wait_for_the_one_that_pays(unhurried: Bench) -> None:
    worker = unhurried.worker()
    asked = [request("What is a forebay?", request_id=f"r{number}") for number in range(_EQUAL)]
    unhurried.store.down = True
    tasks = [asyncio.create_task(worker.answer(one, CONTEXT)) for one in asked]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    [leader] = done
    assert leader.result()[0].topic == "requests.uncached"
    unhurried.store.down = False
    await worker.keep(completion(asked[tasks.index(leader)]), CONTEXT)
    outputs = await asyncio.gather(*waiting)
    assert len(outputs) == _EQUAL - 1
    assert all(isinstance(output[0].value, Completion) for output in outputs)


async def test_without_a_store_different_requests_do_not_wait(bench: Bench) -> None:
    worker = bench.worker()
    bench.store.down = True
    outputs = [await worker.answer(request(f"What is number {n}?", request_id=f"r{n}"), CONTEXT) for n in range(3)]
    assert [output[0].topic for output in outputs] == ["requests.uncached"] * 3


async def test_who_waited_in_vain_comes_back_once_before_paying(bench: Bench) -> None:
    worker = bench.worker(flight_lease_s=600)
    first, second = (request("What is a forebay?", request_id=name) for name in ("r1", "r2"))
    assert (await worker.answer(first, CONTEXT))[0].topic == "requests.uncached"
    with pytest.raises(Transient) as caught:
        await worker.answer(second, CONTEXT)
    assert caught.value.code == "equal_in_flight"
    again = await worker.answer(second, dataclasses.replace(CONTEXT, attempt=2))
    assert again[0].topic == "requests.uncached"


async def test_who_has_no_time_to_come_back_pays(bench: Bench) -> None:
    worker = bench.worker(flight_lease_s=600)
    await worker.answer(request("What is a forebay?", request_id="r1"), CONTEXT)
    hurried = request("What is a forebay?", request_id="r2", accepted_at=bench.clock.now_ms, deadline_ms=40_000)
    assert (await worker.answer(hurried, CONTEXT))[0].topic == "requests.uncached"


async def test_an_answer_is_kept_although_the_store_stalls_meanwhile(bench: Bench) -> None:
    worker = bench.worker()
    asked = request("What is a forebay?", request_id="r1")
    await worker.answer(asked, CONTEXT)
    bench.store.down = True
    keeping = asyncio.create_task(worker.keep(completion(asked), CONTEXT))
    await asyncio.sleep(0)
    assert not keeping.done()
    bench.store.down = False
    await keeping
    again = await worker.answer(request("What is a forebay?", request_id="r2"), CONTEXT)
    assert isinstance(again[0].value, Completion)


class OneLateClaim(MemoryStore):
    """Its first lease is asked for in vain; then it is there again."""

    def __init__(self) -> None:
        super().__init__()
        self.claims = 0
        self.late = asyncio.Event()

    async def claim(self, place: Place, owner: str, *, lease_s: float) -> str:
        self.claims += 1
        if self.claims == 1:
            await self.late.wait()
            raise StoreUnavailableError("TimeoutError")
        return await super().claim(place, owner, lease_s=lease_s)


async def test_who_asks_for_the_lease_leads_although_the_store_is_late_and_then_answers_others() -> None:
    store = OneLateClaim()
    with ThreadPoolExecutor(1) as executor:
        worker = Bench(store=store, executor=executor, clock=Unhurried()).worker()
        asked = [request("What is a forebay?", request_id=f"r{number}") for number in range(_EQUAL)]
        tasks = [asyncio.create_task(worker.answer(one, CONTEXT)) for one in asked]
        while not store.claims:
            await asyncio.sleep(0)
        await asyncio.sleep(0.02)
        assert store.claims == 1, "one request of a worker asks for all of them"
        store.late.set()
        [leader], waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert leader.result()[0].topic == "requests.uncached"
        await worker.keep(completion(asked[tasks.index(leader)]), CONTEXT)
        outputs = await asyncio.gather(*waiting)
    assert all(isinstance(output[0].value, Completion) for output in outputs)


async def test_a_store_that_is_late_after_the_answer_makes_nobody_pay(unhurried: Bench) -> None:
    worker = unhurried.worker()
    first = request("What is a forebay?", request_id="r1")
    assert (await worker.answer(first, CONTEXT))[0].topic == "requests.uncached"
    waiting = asyncio.create_task(worker.answer(request("What is a forebay?", request_id="r2"), CONTEXT))
    await asyncio.sleep(0.01)
    await worker.keep(completion(first), CONTEXT)
    unhurried.store.down = True
    late = asyncio.create_task(worker.answer(request("What is a forebay?", request_id="r3"), CONTEXT))
    await asyncio.sleep(0.02)
    unhurried.store.down = False
    for output in await asyncio.gather(waiting, late):
        assert isinstance(output[0].value, Completion)


async def test_nobody_waits_for_a_leader_that_is_done_whose_answer_is_gone(bench: Bench) -> None:
    here, elsewhere = bench.worker(), bench.worker()
    first = request("What is a forebay?", request_id="r1")
    await here.answer(first, CONTEXT)
    await elsewhere.keep(completion(first), CONTEXT)
    bench.store.entries.clear()
    began_ms = bench.clock.now_ms
    second = await here.answer(request("What is a forebay?", request_id="r2"), CONTEXT)
    assert second[0].topic == "requests.uncached"
    assert bench.clock.now_ms - began_ms < 1_000


async def test_a_leader_that_was_lost_is_replaced_once_its_lease_is_over(bench: Bench) -> None:
    worker = bench.worker()
    await worker.answer(request("What is a forebay?", request_id="r1"), CONTEXT)
    bench.store.leases.clear()
    second = await worker.answer(request("What is a forebay?", request_id="r2"), CONTEXT)
    assert second[0].topic == "requests.uncached"
    assert list(bench.store.leases.values()) == [flyer("t", "r2")]


def test_two_tenants_with_one_request_id_are_two_leaders() -> None:
    assert flyer("acme", "r-1") == flyer("acme", "r-1") != flyer("globex", "r-1")
