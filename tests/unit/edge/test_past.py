"""An answer that no door remembers is found by the time in its id, by its own tenant alone, and with an end to it."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from forebay.client.door_channel import Arrived
from forebay.client.past_responses import partition_of
from forebay.contract import headers as h
from forebay.contract.clock import now_ms
from forebay.contract.json_lines import new_id
from forebay.contract.records import Error, Request, Response, ResponseStatus
from forebay.edge.answers import Answers
from forebay.edge.past import made_at
from forebay.kafka.queries import BrokerUnavailableError
from forebay.testing import codecs
from tests.unit.edge.bench import HELLO, another_key, bench

HOUR_MS = 3_600_000


def old_id(age_ms: int = HOUR_MS, last: str = "000000000001") -> str:
    stamp = f"{now_ms() - age_ms:012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7000-8000-{last}"


def arrived(request_id: str, *, tenant: str = "acme", headers: Any = None, **changes: Any) -> Arrived:
    known = {"request_id": request_id, "tenant_id": tenant, "status": ResponseStatus.OK, "content": "Long ago."}
    value = codecs()["responses"].encode(Response(**{**known, **changes}))
    return Arrived(request_id=request_id, value=value, headers=headers or {}, at_ms=0)


def failure(request_id: str, code: str, **more: Any) -> Arrived:
    error = Error(code=code, message="why")
    return arrived(request_id, status=ResponseStatus.FAILED, content="", error=error, **more)


@dataclass
class Topic:
    """See :class:`forebay.edge.past.Topic`."""

    answers: Iterable[Arrived] = ()
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    away: bool = False

    def under(self, request_id: str, tenant_id: str, since_ms: int) -> Iterator[Arrived]:
        self.asked.append((request_id, tenant_id, since_ms))
        if self.away:
            raise BrokerUnavailableError("no broker")
        yield from (one for one in self.answers if one.request_id == request_id)


async def test_an_old_id_says_from_where_on_to_look() -> None:
    request_id = old_id()
    topic = Topic([arrived(request_id)])
    async with bench(past=topic) as door:
        for path in (f"/v1/requests/{request_id}", f"/v1/requests/chatcmpl-{request_id}"):
            status, body, _ = await door.call(path=path)
            assert (status, body["status"]) == (200, "ok")
            assert body["response"]["choices"][0]["message"]["content"] == "Long ago."
        assert topic.asked[0][:2] == (request_id, "acme")
        assert 0 < (made_at(request_id) or 0) - topic.asked[0][2] <= 60_000, "clocks differ a little"


async def test_what_is_another_tenants_looks_like_nothing() -> None:
    request_id, nobodys = old_id(), old_id(last="000000000002")
    topic = Topic([arrived(request_id, tenant="globex")])
    text, key = another_key(tenant_id="initech")
    async with bench(past=topic) as door:
        door.keys[key.key_id] = key
        for shown in (None, text):
            more = {} if shown is None else {"key": shown}
            theirs, unknown = [await door.call(path=f"/v1/requests/{one}", **more) for one in (request_id, nobodys)]
            assert theirs[:2] == unknown[:2]
            assert (theirs[0], theirs[1]["error"]["code"]) == (404, "unknown_request")
            assert set(theirs[2]) == set(unknown[2])


async def test_only_what_can_be_there_is_looked_for() -> None:
    topic = Topic()
    async with bench(past=topic) as door:
        await door.answered(headers={"idempotency-key": "one"})
        named = (await door.asked()).request_id
        of_version_4 = f"{old_id()[:14]}4{old_id()[15:]}"  # the second group may begin with 7 as well
        for known_or_no_id in (named, new_id(), "order-7", "idem", old_id()[:-1], of_version_4):
            await door.call(path=f"/v1/requests/{known_or_no_id}")
        assert topic.asked == []
        await door.call(path=f"/v1/requests/idem-{'a' * 24}")
        [(_, _, since_ms)] = topic.asked
        assert HOUR_MS <= now_ms() - since_ms < HOUR_MS + 60_000, "a key of idempotency is good for so long"


async def test_what_was_pushed_out_of_memory_is_looked_for_too() -> None:
    topic = Topic()
    async with bench(past=topic, answers=Answers(keep_s=600, keep_bytes=2_000)) as door:
        await door.answered()
        first = (await door.asked()).request_id
        for _ in range(5):
            await door.answered()
        topic.answers = [arrived(first)]
        assert (await door.call(path=f"/v1/requests/{first}"))[0] == 200


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([("idempotency_conflict", {}), ("", {})], "ok"),
        ([("idempotency_conflict", {}), ("bug", {})], "bug"),
        ([("bug", {}), ("no_tier", {})], "bug"),
        ([("bug", {}), ("no_tier", {h.SUPERSEDES: b"1"})], "no_tier"),
        ([("bug", {}), ("", {h.SUPERSEDES: b"1"})], "ok"),
    ],
)
async def test_of_several_answers_the_one_that_counts_is_told(answers: list[tuple[str, Any]], status: str) -> None:
    request_id = old_id()
    made = [
        failure(request_id, code, headers=headers) if code else arrived(request_id, headers=headers)
        for code, headers in answers
    ]
    async with bench(past=Topic(made)) as door:
        _, body, _ = await door.call(path=f"/v1/requests/{request_id}")
        assert (body["status"] if status == "ok" else body["error"]["code"]) == status


async def test_who_makes_ids_up_waits_and_asks_nobody_else_to() -> None:
    gate = threading.Event()

    class Slow(Topic):
        def under(self, request_id: str, tenant_id: str, since_ms: int) -> Iterator[Arrived]:
            self.asked.append((request_id, tenant_id, since_ms))
            gate.wait(60)
            yield from ()

    topic = Slow()
    async with bench(past=topic) as door:
        looking = [asyncio.create_task(door.call(path=f"/v1/requests/{old_id()}")) for _ in range(17)]
        done, _ = await asyncio.wait(looking, return_when=asyncio.FIRST_COMPLETED)
        [refused] = done
        assert refused.result()[1]["error"]["code"] == "overloaded"
        assert len(topic.asked) <= 2
        assert (await door.answered(HELLO))[0] == 200, "others are served meanwhile"
        gate.set()
        assert {status for status, _, _ in await asyncio.gather(*looking)} == {404, 503}


async def test_without_brokers_it_is_unknown() -> None:
    async with bench(past=Topic(away=True)) as door:
        assert (await door.call(path=f"/v1/requests/{old_id()}"))[0] == 404


@pytest.mark.parametrize(
    ("key", "hashed"), [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536)]
)
def test_the_partition_is_that_of_all_clients(key: str, hashed: int) -> None:
    """The values are of Kafka's own tests (``UtilsTest.testMurmur2``)."""
    for count in (1, 6, 16):
        assert partition_of(key.encode(), count) == (hashed & 0x7FFFFFFF) % count


async def test_what_comes_while_it_is_looked_for_is_not_missed() -> None:
    gate = threading.Event()

    class Slow(Topic):
        def under(self, request_id: str, tenant_id: str, since_ms: int) -> Iterator[Arrived]:
            self.asked.append((request_id, tenant_id, since_ms))
            gate.wait(60)
            yield from ()

    topic, request_id = Slow(), old_id()
    async with bench(past=topic) as door:
        asking = asyncio.create_task(door.call(path=f"/v1/requests/{request_id}"))
        while not topic.asked:
            await asyncio.sleep(0)
        door.channel.answer(Request(request_id=request_id, tenant_id="acme"), content="Just now.")
        assert (await asking)[1]["status"] == "ok", "before the search ends"
        gate.set()
