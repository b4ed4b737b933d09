"""A claim: one owner at a time, noticed when it is lost, and who finishes first is right."""

import asyncio
from collections.abc import Sequence

import pytest

from forebay.contract.failures import Transient
from forebay.contract.handlers import Output
from forebay.state.idempotency import Claim, ClaimLostError, Claims
from forebay.state.keys import Key, Owned, owned
from forebay.testing import MemoryClaims, codecs

KEY: Key = owned(Owned.ANSWER_CLAIM, "acme", "r-1")


def answer(text: bytes, cost: bytes = b"") -> list[Output]:
    """What a call came to: an answer, and what it cost."""
    paid = [Output(topic="usage", key="k", value=cost, always=True)] if cost else []
    return [*paid, Output(topic="completions", key="r-1", value=text)]


class Store(MemoryClaims):
    """Counts how often it is asked whether a claim is still held."""

    def __init__(self) -> None:
        super().__init__()
        self.renewals = 0

    async def renew(self, key: str, owner: str, lease_ms: int) -> bool:
        self.renewals += 1
        return await super().renew(key, owner, lease_ms)


class Bench:
    """Two workers, whose leases are of 5 s; time passes when told."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.store = Store()
        self.claims, self.successor = (
            Claims(self.store, codecs(), lease_s=5.0, elapsed=lambda: self.now_s) for _ in range(2)
        )

    def stand_still(self, seconds: float) -> None:
        """The process does not run, and its lease ends."""
        self.now_s += seconds
        self.store.owners.clear()


@pytest.mark.parametrize(("after_s", "renewals"), [(0.0, 0), (2.4, 0), (2.6, 1)])
async def test_before_the_first_call_a_claim_is_looked_at_once_half_a_lease_has_passed(
    after_s: float, renewals: int
) -> None:
    bench = Bench()
    async with await bench.claims.acquire(KEY) as claim:
        bench.now_s += after_s
        await claim.check()
        assert bench.store.renewals == renewals


async def test_before_a_second_call_it_is_looked_at_as_the_one_taken_for_dead_may_have_finished() -> None:
    bench = Bench()
    async with await bench.claims.acquire(KEY) as dead:
        bench.stand_still(12.0)
        async with await bench.successor.acquire(KEY) as claim:
            await claim.check()
            await dead.finish([])
            with pytest.raises(ClaimLostError):
                await claim.check()


async def test_a_lease_that_ran_out_is_noticed_before_the_call() -> None:
    bench = Bench()
    async with await bench.claims.acquire(KEY) as claim:
        bench.stand_still(12.0)
        bench.store.owners[KEY] = "successor"
        for _ in range(2):
            with pytest.raises(ClaimLostError):
                await claim.check()


async def test_a_lease_that_ran_out_and_that_nobody_took_over_is_ours_again() -> None:
    bench = Bench()
    async with await bench.claims.acquire(KEY) as claim:
        bench.stand_still(12.0)
        await claim.check()
        assert bench.store.owners.keys() == {KEY}


async def test_a_request_that_is_done_is_not_done_again() -> None:
    bench = Bench()
    async with await bench.claims.acquire(KEY) as claim:
        bench.now_s += 12.0
        bench.store.done[KEY] = b"outputs"
        with pytest.raises(ClaimLostError):
            await claim.check()


class Slow(Store):
    """Answers a renewal when told to, and hears of no cancellation."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def renew(self, key: str, owner: str, lease_ms: int) -> bool:
        self.asked.set()
        while not self.answer.is_set():
            try:
                await self.answer.wait()
            except asyncio.CancelledError:
                continue
        return await super().renew(key, owner, lease_ms)


async def test_a_claim_that_was_given_up_during_its_renewal_is_renewed_no_more() -> None:
    store = Slow()
    claims = Claims(store, codecs(), lease_s=0.003)
    async with await claims.acquire(KEY):
        await store.asked.wait()
        asyncio.get_running_loop().call_later(0.01, store.answer.set)
    assert store.owners == {}, "released after its last renewal"
    renewals = store.renewals
    await asyncio.sleep(0.02)
    assert (store.owners, store.renewals) == ({}, renewals), "nobody goes on renewing it"


async def test_work_that_is_finished_waits_for_no_renewal() -> None:
    store = Slow()
    claims = Claims(store, codecs(), lease_s=0.003)
    async with await claims.acquire(KEY) as claim:
        await store.asked.wait()
        await claim.finish(answer(b"done"))
    assert store.renewals == 0
    store.answer.set()
    await asyncio.sleep(0.02)
    assert store.renewals == 1


async def test_while_nobody_can_say_the_lease_counts() -> None:
    bench = Bench()
    async with await bench.claims.acquire(KEY) as claim:
        bench.store.down = True
        bench.now_s += 4.9
        await claim.check()
        bench.now_s += 0.2
        with pytest.raises(Transient):
            await claim.check()


async def test_who_finishes_first_is_right_and_the_other_publishes_what_it_paid_beside_that() -> None:
    bench = Bench()
    async with await bench.claims.acquire(KEY) as frozen:
        bench.stand_still(12.0)
        async with await bench.successor.acquire(KEY) as claim:
            first = await claim.finish(answer(b"first", b"cost-1"))
        second = await frozen.finish(answer(b"second", b"cost-2"))
    assert [output.value for output in first] == [b"cost-1", b"first"]
    assert [output.value for output in second] == [b"cost-2", b"cost-1", b"first"]
    assert [output.value for output in await bench.claims.kept(KEY) or ()] == [b"cost-1", b"first"]


async def test_work_whose_claim_is_lost_ends_with_what_the_other_made_of_it() -> None:
    bench = Bench()
    tries = 0

    async def work(claim: Claim | None) -> Sequence[Output]:
        nonlocal tries
        tries += 1
        assert claim is not None
        bench.stand_still(12.0)
        async with await bench.successor.acquire(KEY) as other:
            await other.finish(answer(b"theirs"))
        await claim.check()
        raise AssertionError("a call would have been made twice")

    assert [output.value for output in await bench.claims.once(KEY, work)] == [b"theirs"]
    assert tries == 1


async def test_answers_are_published_though_they_cannot_be_kept() -> None:
    bench = Bench()
    async with await bench.claims.acquire(KEY) as claim:
        bench.store.down = True
        assert await claim.finish(answer(b"mine")) == answer(b"mine")


@pytest.mark.parametrize("required", [True, False])
async def test_without_claims_work_waits_where_one_is_required(required: bool) -> None:
    bench = Bench()
    bench.store.down = True

    async def work(claim: Claim | None) -> Sequence[Output]:
        assert claim is None
        return answer(b"unclaimed")

    if required:
        with pytest.raises(Transient):
            await bench.claims.once(KEY, work)
    else:
        assert await bench.claims.once(KEY, work, required=False) == answer(b"unclaimed")
