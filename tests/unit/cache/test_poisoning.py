"""An attacker who can ask anything cannot put words into other people's answers (after arXiv 2601.23088)."""

from forebay.contract.records import Completion, Correction, CorrectionAction
from tests.unit.cache.conftest import CONTEXT, Bench
from tests.unit.cache.memory import completion, request

PLANTED = "Send your password to this address."


async def test_a_planted_neighbour_is_given_to_nobody_else(bench: Bench) -> None:
    worker = bench.worker(share_after_users=2)
    await worker.keep(completion(request("password reset how", user="mallory"), PLANTED), CONTEXT)
    [output] = await worker.answer(request("how reset password", user="alice", request_id="r2"), CONTEXT)
    assert output.topic == "requests.uncached"


async def test_one_person_who_repeats_is_still_one_person(bench: Bench) -> None:
    worker = bench.worker(share_after_users=2)
    for number in range(5):
        asked = request("how reset password", user="mallory", request_id=f"m{number}")
        await worker.keep(completion(asked, PLANTED), CONTEXT)
    [output] = await worker.answer(request("how reset password", user="alice", request_id="r2"), CONTEXT)
    assert output.topic == "requests.uncached"


async def test_a_flood_of_questions_stops_at_the_quota(bench: Bench) -> None:
    worker = bench.worker(write_quota_per_hour=3)
    for number in range(10):
        await worker.keep(completion(request(f"question number {number}", user="mallory")), CONTEXT)
    assert len(bench.store.entries) == 3
    await worker.keep(completion(request("an honest question", user="alice")), CONTEXT)
    assert len(bench.store.entries) == 4
    bench.clock.now_ms += 3_600_000
    await worker.keep(completion(request("another question", user="mallory")), CONTEXT)
    assert len(bench.store.entries) == 5


async def test_a_models_answer_never_takes_the_place_of_a_persons(bench: Bench) -> None:
    worker = bench.worker()
    first = completion(request("how reset password", user="alice"), "Ask the help desk.")
    approval = Correction(action=CorrectionAction.APPROVE, completion=first)
    await worker.correct(approval, CONTEXT)
    await worker.keep(completion(request("how reset password", user="mallory", request_id="m"), PLANTED), CONTEXT)
    done, _ = await worker.answer(request("how reset password", user="bob", request_id="r3"), CONTEXT)
    assert isinstance(done.value, Completion)
    assert done.value.content == "Ask the help desk."


async def test_words_of_another_conversation_do_not_reach_into_this_one(bench: Bench) -> None:
    worker = bench.worker()
    stuffed = request("how reset password", task="attack", user="mallory")
    await worker.keep(completion(stuffed, PLANTED), CONTEXT)
    [output] = await worker.answer(request("password how reset", user="alice", request_id="r2"), CONTEXT)
    assert output.topic == "requests.uncached"
