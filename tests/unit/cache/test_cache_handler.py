"""What the cache does with each record, on a store in memory."""

from dataclasses import replace

import pytest

from forebay.contract.failures import Permanent, Rejected, Transient
from forebay.contract.records import (
    AnswerSource,
    CacheMode,
    CachePolicy,
    Completion,
    Correction,
    CorrectionAction,
    Message,
    MessageRole,
    Params,
    ResponseStatus,
    UsageEvent,
    UsageStatus,
)
from tests.unit.cache.conftest import CONTEXT, Bench
from tests.unit.cache.memory import completion, request


async def test_a_miss_goes_on_unchanged(bench: Bench) -> None:
    asked = request("What is a forebay?")
    [output] = await bench.worker().answer(asked, CONTEXT)
    assert (output.topic, output.key, output.value) == ("requests.uncached", asked.prompt_hash, asked)


async def test_an_equal_prompt_is_answered_with_its_own_pseudonyms_and_noted_in_the_ledger(bench: Bench) -> None:
    worker = bench.worker()
    await worker.keep(completion(request("Where does <PERSON_2> live?"), "Ask <PERSON_2>."), CONTEXT)
    again = request("Where does <PERSON_5>  live?", request_id="r2", user="v")
    done, usage = await worker.answer(again, CONTEXT)
    assert (done.topic, done.key, usage.topic, usage.key) == ("completions", "r2", "usage", "t|v")
    assert isinstance(done.value, Completion)
    assert isinstance(usage.value, UsageEvent)
    assert (done.value.status, done.value.source) == (ResponseStatus.OK, AnswerSource.CACHE_EXACT)
    assert done.value.content == "Ask <PERSON_5>."
    assert done.value.request is again
    assert done.value.saved_nanousd == usage.value.saved_nanousd == 1_000
    assert done.value.cost_nanousd == usage.value.cost_nanousd == 0
    assert (usage.value.status, usage.value.attempt_id) == (UsageStatus.AVOIDED, "avoided-r2")
    assert set(done.value.timings) == {"cache"}


async def test_a_question_in_other_words_is_answered_by_meaning(bench: Bench) -> None:
    worker = bench.worker()
    await worker.keep(completion(request("reset my password how")), CONTEXT)
    done, _ = await worker.answer(request("how reset my password", request_id="r2"), CONTEXT)
    assert isinstance(done.value, Completion)
    assert done.value.source is AnswerSource.CACHE_SEMANTIC
    assert done.value.similarity == pytest.approx(1.0)


async def test_another_prefix_of_the_conversation_is_another_question(bench: Bench) -> None:
    worker = bench.worker()
    french = (Message(role=MessageRole.SYSTEM, content="Answer in French."), Message(content="what is rain"))
    german = (Message(role=MessageRole.SYSTEM, content="Answer in German."), Message(content="is rain what"))
    await worker.keep(completion(request("", messages=french)), CONTEXT)
    [output] = await worker.answer(request("", messages=german), CONTEXT)
    assert output.topic == "requests.uncached"


@pytest.mark.parametrize(
    ("mode", "reads", "writes"),
    [(CacheMode.DEFAULT, True, True), (CacheMode.REFRESH, False, True), (CacheMode.BYPASS, False, False)],
)
async def test_modes(bench: Bench, mode: CacheMode, reads: bool, writes: bool) -> None:
    worker = bench.worker()
    await worker.keep(completion(request("a question", cache=CachePolicy(mode=mode))), CONTEXT)
    assert bool(bench.store.entries) is writes
    await worker.keep(completion(request("a question")), CONTEXT)
    outputs = await worker.answer(request("a question", cache=CachePolicy(mode=mode)), CONTEXT)
    assert (outputs[0].topic == "completions") is reads


async def test_high_temperature_neither_reads_nor_writes(bench: Bench) -> None:
    worker = bench.worker()
    await worker.keep(completion(request("a poem", params=Params(temperature=1.2))), CONTEXT)
    assert not bench.store.entries
    trips = bench.store.round_trips
    await worker.answer(request("a poem", params=Params(temperature=1.2)), CONTEXT)
    assert bench.store.round_trips == trips


async def test_an_exact_hit_costs_one_round_trip(bench: Bench) -> None:
    worker = bench.worker()
    await worker.keep(completion(request("a question")), CONTEXT)
    before = bench.store.round_trips
    await worker.answer(request("a question"), CONTEXT)
    assert bench.store.round_trips == before + 1


async def test_without_its_store_everything_misses_and_nothing_fails(bench: Bench) -> None:
    worker = bench.worker()
    bench.store.down = True
    [output] = await worker.answer(request("a question"), CONTEXT)
    assert output.topic == "requests.uncached"
    assert await worker.keep(completion(request("a question")), CONTEXT) == ()
    with pytest.raises(Transient, match="correction"):
        await worker.correct(Correction(completion=completion(request("a question"))), CONTEXT)


async def test_answers_grow_stale(bench: Bench) -> None:
    worker = bench.worker(ttl_s=60)
    await worker.keep(completion(request("a question")), CONTEXT)
    bench.clock.now_ms += 60_001
    [output] = await worker.answer(request("a question"), CONTEXT)
    assert output.topic == "requests.uncached"


async def test_an_epoch_ends_all_answers_of_a_task(bench: Bench) -> None:
    worker = bench.worker()
    for task in ("faq", "other"):
        await worker.keep(completion(request("a question", task=task)), CONTEXT)
    await bench.store.bump_epoch("faq")
    [missed] = await worker.answer(request("a question", task="faq"), CONTEXT)
    assert missed.topic == "requests.uncached"
    assert (await worker.answer(request("a question", task="other"), CONTEXT))[0].topic == "completions"


async def test_a_correction_replaces_the_answer_and_no_model_takes_it_back(bench: Bench) -> None:
    worker = bench.worker()
    wrong = completion(request("Who is <PERSON_3>?"), "<PERSON_3> is a fish.")
    await worker.keep(wrong, CONTEXT)
    corrected = Correction(action=CorrectionAction.CORRECT, content="<PERSON_3> is a clerk.", completion=wrong)
    await worker.correct(corrected, CONTEXT)
    await worker.keep(wrong, CONTEXT)
    done, _ = await worker.answer(request("Who is <PERSON_1>?"), CONTEXT)
    assert isinstance(done.value, Completion)
    assert (done.value.content, done.value.source) == ("<PERSON_1> is a clerk.", AnswerSource.CORRECTION)


async def test_a_rejection_evicts_the_answer_and_the_source_of_a_hit_by_meaning(bench: Bench) -> None:
    worker = bench.worker()
    await worker.keep(completion(request("one two")), CONTEXT)
    done, _ = await worker.answer(request("two one", request_id="r2"), CONTEXT)
    assert isinstance(done.value, Completion)
    await worker.correct(Correction(action=CorrectionAction.REJECT, completion=done.value), CONTEXT)
    assert not bench.store.entries
    assert not any(bench.store.vectors.values())


async def test_an_approved_answer_is_shared_at_once(bench: Bench) -> None:
    worker = bench.worker(share_after_users=3)
    first = completion(request("a question", user="a"))
    await worker.keep(first, CONTEXT)
    assert (await worker.answer(request("a question", user="b"), CONTEXT))[0].topic == "requests.uncached"
    await worker.correct(Correction(action=CorrectionAction.APPROVE, completion=first), CONTEXT)
    assert (await worker.answer(request("a question", user="b"), CONTEXT))[0].topic == "completions"


async def test_an_answer_crosses_people_after_enough_of_them(bench: Bench) -> None:
    worker = bench.worker(share_after_users=2)
    await worker.keep(completion(request("a question", user="a")), CONTEXT)
    assert (await worker.answer(request("a question", user="a"), CONTEXT))[0].topic == "completions"
    assert (await worker.answer(request("a question", user="c"), CONTEXT))[0].topic == "requests.uncached"
    await worker.keep(completion(request("a question", user="b")), CONTEXT)
    assert (await worker.answer(request("a question", user="c"), CONTEXT))[0].topic == "completions"


async def test_a_request_that_ends_here_gets_its_outcome(bench: Bench) -> None:
    worker = bench.worker()
    asked = request("a question")
    [output] = worker.failed(asked, CONTEXT, Permanent("bug", "TypeError"))
    assert isinstance(output.value, Completion)
    assert (output.topic, output.key, output.value.status) == ("completions", "r", ResponseStatus.FAILED)
    assert output.value.error is not None
    assert (output.value.error.code, output.value.request) == ("bug", asked)
    [rejected] = worker.failed(asked, CONTEXT, Rejected("invalid_request", "no"))
    assert isinstance(rejected.value, Completion)
    assert rejected.value.status is ResponseStatus.REJECTED
    [unreadable] = worker.failed(None, CONTEXT, Permanent("not_avro", "no"))
    assert unreadable.key == CONTEXT.fallback_id


async def test_one_without_an_id_ends_here_under_its_place(bench: Bench) -> None:
    worker, nameless = bench.worker(), replace(request("a question"), request_id="")
    with pytest.raises(Rejected) as refused:
        await worker.answer(nameless, CONTEXT)
    [output] = worker.failed(nameless, CONTEXT, refused.value)
    assert isinstance(output.value, Completion)
    assert (output.key, output.value.request_id) == (CONTEXT.fallback_id, CONTEXT.fallback_id)
    assert output.value.status is ResponseStatus.REJECTED
