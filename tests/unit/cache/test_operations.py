"""What an operator may do to the cache, called as a console calls it."""

import json

import pytest

from forebay.contract.records import RedactedRequest
from forebay.operations.audit.recording import unrecorded
from forebay.operations.choices import InvalidChoiceError
from forebay.testing import KEYRING
from forebay_agents.cache.error_bound.evidence import SAMPLED
from forebay_agents.cache.operations import (
    BadLine,
    Purge,
    purge,
    start_epoch,
    stats,
    warm,
)
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.store import StoreUnavailableError
from tests.unit.cache.conftest import CONTEXT, Bench
from tests.unit.cache.memory import completion, request
from tests.unit.operations.trail import MemoryTrail


async def stored(bench: Bench, *questions: RedactedRequest) -> None:
    stage = bench.worker(flight_wait_s=0)
    for question in questions:
        await stage.keep(completion(question), CONTEXT)


async def found(bench: Bench, question: RedactedRequest) -> bool:
    outputs = await bench.worker(flight_wait_s=0).answer(question, CONTEXT)
    return any(output.topic == "completions" for output in outputs)


async def test_what_is_stored_is_counted(bench: Bench) -> None:
    await stored(bench, request("one", tenant="a"), request("two", tenant="b"))
    await warm(bench.parts(), ['{"question": "three", "answer": "3", "tenant_id": "a"}'], unrecorded)
    await bench.store.bump_epoch("faq")
    await bench.store.count(SAMPLED, {"right": 3, "wrong": 1})
    seen = await stats(bench.store, CacheSettings(threshold=0.9, delta=0.02))
    assert (seen.entries, seen.tenants, seen.quarantined, seen.remembered_errors) == (3, 2, 0, 0)
    assert (seen.entries_by_trust["model"], seen.entries_by_trust["verified"]) == (2, 1)
    assert (seen.epochs, seen.delta, seen.static_threshold) == ({"task:faq": 1}, 0.02, 0.9)
    assert (seen.sampled_hits, seen.wrong_hits, seen.wrong_hit_rate) == (4, 1, 0.25)
    low, high = seen.wrong_hit_interval
    assert 0 < low < 0.25 < high < 1


async def test_before_anything_was_checked_no_share_is_made_up(bench: Bench) -> None:
    seen = await stats(bench.store, CacheSettings(threshold=0.9))
    assert (seen.entries, seen.sampled_hits, seen.wrong_hit_rate) == (0, 0, None)


@pytest.mark.parametrize(
    ("what", "left"),
    [
        (Purge(tenant="a"), ["three", "about tulips"]),
        (Purge(tenant="a", user="v"), ["one", "three", "about tulips"]),
        (Purge(match="TULIPS"), ["one", "two", "three"]),
        (Purge(tenant="b", match="tulips"), ["one", "two", "three"]),
        (Purge(tenant="a", match="tulips"), ["one", "two", "three", "about tulips"]),
    ],
)
async def test_what_was_meant_goes_and_nothing_else(bench: Bench, what: Purge, left: list[str]) -> None:
    questions = [
        request("one", tenant="a"),
        request("two", tenant="a", user="v"),
        request("three", tenant="b"),
        request("about tulips", tenant="b"),
    ]
    await stored(bench, *questions)
    assert await purge(bench.store, what, unrecorded, lambda: KEYRING) == len(questions) - len(left)
    assert [one.messages[-1].content for one in questions if await found(bench, one)] == left


@pytest.mark.parametrize(
    "conditions",
    [{}, {"user": "u"}, {"match": "x", "user": "u"}, {"tenant": ""}, {"match": ""}, {"tenant": "a", "user": ""}],
)
def test_a_purge_that_means_everything_or_nobody_is_none(conditions: dict[str, str]) -> None:
    with pytest.raises(InvalidChoiceError):
        Purge(**conditions)


async def test_an_epoch_ends_the_answers_of_a_task(bench: Bench) -> None:
    await stored(bench, request("a question", task="faq"), request("a question", task="other"))
    assert await start_epoch(bench.store, "faq", unrecorded) == "0.1"
    assert not await found(bench, request("a question", task="faq"))
    assert await found(bench, request("a question", task="other"))
    assert await start_epoch(bench.store, None, unrecorded) == "1.0"
    assert not await found(bench, request("a question", task="other"))
    with pytest.raises(InvalidChoiceError):
        await start_epoch(bench.store, "\ud800", unrecorded)


async def test_lines_that_are_no_answers_are_named_and_the_others_kept(bench: Bench) -> None:
    lines = [json.dumps({"question": "when", "answer": "At nine."}), "", "no json", '{"question": "who"}']
    done = await warm(bench.parts(), lines, unrecorded)
    assert done.kept == 1
    assert [bad.number for bad in done.bad] == [3, 4]
    assert done.bad[1] == BadLine(number=4, message="answer must be a text, and not empty")
    assert await found(bench, request("when", tenant="default"))


async def test_a_store_that_is_away_is_said(bench: Bench) -> None:
    bench.store.down = True
    with pytest.raises(StoreUnavailableError):
        await stats(bench.store, CacheSettings(threshold=0.9))


async def test_acts_are_written_down_without_naming_anybody(bench: Bench) -> None:
    trail = MemoryTrail()
    lines = ['{"question": "one", "answer": "1", "tenant_id": "a"}', "no json"]
    await warm(bench.parts(), lines, trail.record)
    what = Purge(tenant="a", user="ann.lee@mail.example", match="Ann Lee")
    await purge(bench.store, what, trail.record, lambda: KEYRING)
    await start_epoch(bench.store, "faq", trail.record)
    ended = [(one.action, one.count) for one in trail.events if "outcome" in one.details]
    assert ended == [("cache.warm", 1), ("cache.purge", 0), ("cache.epoch", 0)]
    assert trail.events[2].subject.startswith("tenant a, person ")
    assert "ann" not in repr(trail.events).casefold()


async def test_what_cannot_be_written_down_does_not_happen(bench: Bench) -> None:
    await stored(bench, request("one", task="faq"))
    record = MemoryTrail(refuses_from=0).record
    with pytest.raises(OSError, match="brokers"):
        await purge(bench.store, Purge(match="one"), record, lambda: KEYRING)
    with pytest.raises(OSError, match="brokers"):
        await start_epoch(bench.store, "faq", record)
    with pytest.raises(OSError, match="brokers"):
        await warm(bench.parts(), ['{"question": "three", "answer": "3"}'], record)
    assert await found(bench, request("one", task="faq"))
    assert (await stats(bench.store, CacheSettings(threshold=0.9))).entries == 1
