"""The cache on a real Redis 8: walls, single flight, and what people and operators do to entries."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from forebay.contract.records import (
    AnswerSource,
    Completion,
    Correction,
    CorrectionAction,
    Error,
    Evaluation,
    Feedback,
    FeedbackRating,
    RedactedRequest,
    ResponseStatus,
)
from forebay.operations.audit.recording import unrecorded
from forebay.testing import KEYRING
from forebay_agents.cache.metrics import CacheMetrics
from forebay_agents.cache.operations import Purge, approved, keep, purge, stats
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.redis import RedisStore
from forebay_agents.cache.wiring import Parts, assemble
from tests.integration.conftest import empty_redis
from tests.unit.cache.conftest import CONTEXT
from tests.unit.cache.memory import WordMatcher, completion, request, scoped

pytestmark = pytest.mark.embedded

Open = Callable[..., Parts]


@pytest.fixture
async def store(scratch_url: str) -> AsyncIterator[RedisStore]:
    async with empty_redis(scratch_url, connections=1_000) as client:  # a test has a thousand requests that wait
        yield RedisStore(client, "fb:")


@pytest.fixture
def worker(store: RedisStore) -> Iterator[Open]:
    """Opens workers that share one Redis."""
    with ThreadPoolExecutor(2) as executor:
        yield lambda **own: open_worker(store, executor, **own)


def open_worker(store: RedisStore, executor: ThreadPoolExecutor, **own: object) -> Parts:
    quiet = {"verify_hits": 0.0, "verify_near_misses": 0.0, "least_similarity": -1.0} | own
    section = CacheSettings(**quiet)  # type: ignore[arg-type]  # any key of the section
    return assemble(store, WordMatcher(), executor, section, CacheMetrics(CollectorRegistry()))


async def answer(parts: Parts, asked: RedactedRequest, attempt: int = 1) -> Completion | None:
    """What the stage answers by itself, or ``None`` when the request goes to the models."""
    output = (await parts.stage.answer(asked, dataclasses.replace(CONTEXT, attempt=attempt)))[0]
    return output.value if isinstance(output.value, Completion) else None


_people = st.sampled_from([(tenant, user) for tenant in ("t1", "t12") for user in ("u1", "u2")])
_step = st.tuples(
    _people, st.sampled_from([None, "user"]), st.sampled_from(["reset my password", "password my reset"]), st.booleans()
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_step, min_size=2, max_size=10), scope=st.sampled_from(["user", "tenant"]))
def test_no_entry_crosses_a_wall(
    scratch_url: str, steps: list[tuple[tuple[str, str], str | None, str, bool]], scope: str
) -> None:
    async def run() -> None:
        with ThreadPoolExecutor(1) as executor:
            async with empty_redis(scratch_url) as client:
                parts = open_worker(RedisStore(client, "fb:"), executor, scope=scope, flight_wait_s=0)
                for (tenant, user), asked_scope, text, keeps in steps:
                    asked = scoped(text, asked_scope, tenant=tenant, user=user)
                    if keeps:
                        await parts.stage.keep(completion(asked, f"{tenant}|{user}|{asked_scope}"), CONTEXT)
                    elif (given_answer := await answer(parts, asked)) is not None:
                        author_tenant, author, author_scope = given_answer.content.split("|")
                        assert author_tenant == tenant
                        if scope == "user" or "user" in (asked_scope, author_scope):
                            assert author == user

    asyncio.run(run())


async def test_a_thousand_equal_requests_make_one_call(worker: Open) -> None:
    workers = [worker() for _ in range(3)]
    calls = 0

    async def one(number: int) -> str:
        nonlocal calls
        asked = request("What is a forebay?", request_id=f"r{number}")
        parts = workers[number % 3]
        found = await answer(parts, asked)
        if found is None:
            calls += 1
            await asyncio.sleep(0.2)
            await parts.stage.keep(completion(asked), CONTEXT)
            return "An answer."
        return found.content

    answers = await asyncio.gather(*(one(number) for number in range(1_000)))
    assert calls == 1
    assert set(answers) == {"An answer."}


async def test_when_the_leader_is_lost_one_other_leads(worker: Open) -> None:
    workers = [worker(flight_lease_s=4) for _ in range(3)]
    leaders: list[int] = []

    async def one(number: int) -> str:
        asked = request("What is a forebay?", request_id=f"r{number}")
        parts = workers[number % 3]
        found = await answer(parts, asked)
        if found is not None:
            return found.content
        leaders.append(number)
        if len(leaders) == 1:
            return "lost"  # killed in the middle of its call: neither an answer nor a released lease
        await asyncio.sleep(0.1)
        await parts.stage.keep(completion(asked), CONTEXT)
        return "An answer."

    answers = await asyncio.gather(*(one(number) for number in range(200)))
    assert len(leaders) == 2
    assert sorted(set(answers)) == ["An answer.", "lost"]
    assert answers.count("lost") == 1


async def test_the_lost_leader_delivered_again_finds_the_lease_its_own(worker: Open) -> None:
    asked = request("What is a forebay?", request_id="r1")
    assert await answer(worker(), asked) is None
    assert await asyncio.wait_for(answer(worker(), asked), 5) is None


async def test_an_error_of_the_provider_is_remembered_for_seconds_only(worker: Open) -> None:
    parts = worker(negative_ttl_s=0.4, flight_wait_s=0)
    failed = completion(
        request("too long"), "", status=ResponseStatus.FAILED, finish_reason=None,
        error=Error(code="context_length", message="The prompt is too long."),
    )  # fmt: skip
    await parts.stage.keep(failed, CONTEXT)
    remembered = await answer(parts, request("too long", request_id="r2"))
    assert remembered is not None
    assert remembered.error is not None
    assert (remembered.status, remembered.error.code) == (ResponseStatus.FAILED, "context_length")
    await asyncio.sleep(0.5)
    assert await answer(parts, request("too long", request_id="r3")) is None


async def test_redis_drops_entries_after_their_time(worker: Open, store: RedisStore) -> None:
    parts = worker(ttl_s=1, stale_s=0, flight_wait_s=0)
    await parts.stage.keep(completion(request("reset my password")), CONTEXT)
    assert await answer(parts, request("my password reset", request_id="r2")) is not None
    await asyncio.sleep(1.1)
    assert await answer(parts, request("my password reset", request_id="r3")) is None
    assert [blob async for blob in store.scan()] == []


async def test_an_epoch_ends_one_task_or_all(worker: Open, store: RedisStore) -> None:
    parts = worker(flight_wait_s=0)
    for task in ("faq", "other"):
        await parts.stage.keep(completion(request("a question", task=task)), CONTEXT)
    await store.bump_epoch("faq")
    assert await answer(parts, request("a question", task="faq")) is None
    assert await answer(parts, request("a question", task="other")) is not None
    await store.bump_epoch(None)
    assert await answer(parts, request("a question", task="other")) is None


async def test_purge_removes_what_was_meant_and_nothing_else(worker: Open, store: RedisStore) -> None:
    parts = worker(flight_wait_s=0)
    for tenant, user, text in [("a", "u", "one"), ("a", "v", "two"), ("b", "u", "three"), ("b", "u", "about tulips")]:
        await parts.stage.keep(completion(request(text, tenant=tenant, user=user)), CONTEXT)
    assert await purge(store, Purge(match="TULIPS"), unrecorded, lambda: KEYRING) == 1
    assert await purge(store, Purge(tenant="a", user="u"), unrecorded, lambda: KEYRING) == 1
    assert await answer(parts, request("one", tenant="a")) is None
    assert await answer(parts, request("two", tenant="a")) is not None
    assert await purge(store, Purge(tenant="a"), unrecorded, lambda: KEYRING) == 1
    assert await answer(parts, request("three", tenant="b")) is not None


async def test_a_thumb_down_quarantines_until_judged(worker: Open) -> None:
    parts = worker(flight_wait_s=0)
    await parts.stage.keep(completion(request("a question")), CONTEXT)
    assert await answer(parts, request("a question", request_id="r2")) is not None
    await parts.stage.hear(Feedback(request_id="r2", tenant_id="t", rating=FeedbackRating.DOWN), CONTEXT)
    assert await answer(parts, request("a question", request_id="r3")) is None
    await parts.stage.judged(Evaluation(request_id="r2", tenant_id="t", score=4.5), CONTEXT)
    assert await answer(parts, request("a question", request_id="r4")) is not None
    await parts.stage.judged(Evaluation(request_id="r2", tenant_id="t", score=1.5), CONTEXT)
    assert await answer(parts, request("a question", request_id="r5")) is None


async def test_another_tenants_thumb_moves_nothing(worker: Open) -> None:
    parts = worker(flight_wait_s=0)
    await parts.stage.keep(completion(request("a question")), CONTEXT)
    await parts.stage.hear(Feedback(request_id="r", tenant_id="else", rating=FeedbackRating.DOWN), CONTEXT)
    assert await answer(parts, request("a question")) is not None


async def test_a_correction_replaces_the_answer_also_for_other_words(worker: Open) -> None:
    parts = worker(flight_wait_s=0)
    wrong = completion(request("who runs the plant"), "A fish.")
    await parts.stage.keep(wrong, CONTEXT)
    fixed = Correction(action=CorrectionAction.CORRECT, content="A clerk.", completion=wrong)
    await parts.stage.correct(fixed, CONTEXT)
    equal = await answer(parts, request("who runs the plant", request_id="r2"))
    similar = await answer(parts, request("the plant who runs", request_id="r3"))
    assert equal is not None
    assert similar is not None
    assert (equal.content, equal.source) == ("A clerk.", AnswerSource.CORRECTION)
    assert (similar.content, similar.source) == ("A clerk.", AnswerSource.CACHE_SEMANTIC)


async def test_warm_answers_are_given_and_counted(worker: Open, store: RedisStore) -> None:
    parts = worker(flight_wait_s=0, share_after_users=5)
    asked, text = approved({"question": "opening hours please", "answer": "Nine to five.", "tenant_id": "t"})
    await keep(parts, asked, text)
    found = await answer(parts, dataclasses.replace(asked, request_id="r2", user_id="someone"))
    assert found is not None
    assert found.content == "Nine to five."
    counted = await stats(store, CacheSettings(threshold=0.9))
    assert (counted.entries, counted.entries_by_trust["verified"], counted.partitions) == (1, 1, 1)
