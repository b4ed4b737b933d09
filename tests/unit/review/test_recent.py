"""Where does the answer stand that feedback speaks of? Kept as a place, read when somebody asks."""

import zlib

import pytest
from redis.exceptions import ConnectionError as RedisGone

from forebay.contract.failures import Transient
from forebay.contract.records import Completion, ResponseStatus
from forebay.testing import codecs
from forebay_agents.review.recent import AnswerPlace, RedisRecentOutcomes

PLACE = AnswerPlace(2, 7)
ANSWER = Completion(request_id="r-1", tenant_id="acme", status=ResponseStatus.OK, content="No.")


class Redis:
    """Values and how long they are kept."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.seconds: dict[str, int] = {}
        self.down = False

    async def set(self, key: str, value: bytes, ex: int) -> None:
        if self.down:
            raise RedisGone
        self.kept[key], self.seconds[key] = value, ex

    async def get(self, key: str) -> bytes | None:
        return self.kept.get(key)


class Bench:
    def __init__(self) -> None:
        self.redis, self.topic = Redis(), dict[AnswerPlace, Completion]()
        self.codec = codecs()["completions"]
        self.recent = RedisRecentOutcomes(self.redis, "p:", self.codec, 60, self._read)

    async def _read(self, at: AnswerPlace) -> Completion | None:
        return self.topic.get(at)

    async def put(self, answer: Completion = ANSWER, at: AnswerPlace = PLACE) -> None:
        self.topic[at] = answer
        await self.recent.put(answer, at)


async def test_an_answer_is_found_by_its_place_and_little_is_kept_of_it() -> None:
    bench = Bench()
    await bench.put()
    assert await bench.recent.get("acme", "r-1") == ANSWER
    assert list(bench.redis.kept.values()) == [b"@2:7"]
    assert set(bench.redis.seconds.values()) == {60}


async def test_nothing_is_found_where_nothing_was_kept_or_the_record_is_gone() -> None:
    bench = Bench()
    assert await bench.recent.get("acme", "r-1") is None
    await bench.put()
    bench.topic.clear()
    assert await bench.recent.get("acme", "r-1") is None


@pytest.mark.parametrize(
    "there",
    [
        Completion(request_id="r-1", tenant_id="globex", status=ResponseStatus.OK),
        Completion(request_id="r-2", tenant_id="acme", status=ResponseStatus.OK),
        Completion(request_id="r-1", tenant_id="acme", status=ResponseStatus.FAILED),
    ],
)
async def test_a_record_that_stands_there_by_now_and_is_anothers_is_given_to_nobody(there: Completion) -> None:
    bench = Bench()
    await bench.put()
    bench.topic[AnswerPlace(2, 7)] = there
    assert await bench.recent.get("acme", "r-1") is None


async def test_what_the_version_before_kept_is_still_found() -> None:
    bench = Bench()
    await bench.put()
    [key] = bench.redis.kept
    bench.redis.kept[key] = zlib.compress(bench.codec.encode(ANSWER), 1)
    bench.topic.clear()
    assert await bench.recent.get("acme", "r-1") == ANSWER


async def test_redis_away_is_tried_again() -> None:
    bench = Bench()
    bench.redis.down = True
    with pytest.raises(Transient) as refused:
        await bench.put()
    assert refused.value.code == "redis_unavailable"
