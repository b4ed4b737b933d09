"""A request that was asked again and answered is not paid again by a replay of the letter of its first try."""

import pytest

from forebay.contract.records import Outcome, ResponseStatus
from forebay.operations.dead_letters.letters import LetterState
from forebay.operations.dead_letters.plan import Plan
from forebay.operations.dead_letters.preview import Fate
from forebay.operations.dead_letters.selection import Filter
from tests.unit.operations.dead_letters.bench import NOW_MS, Bench, buried

PLAN = Plan(by="ann", settle_s=0)
FAILED_MS = NOW_MS - 60_000


def outcome(request_id: str = "request-0", **fields: object) -> Outcome:
    known: dict[str, object] = {"tenant_id": "globex", "status": ResponseStatus.OK, "responded_at": FAILED_MS + 9_000}
    return Outcome(request_id=request_id, **(known | fields))  # type: ignore[arg-type]  # by their names


def test_a_new_try_that_was_answered_leaves_the_letter_of_the_old_one_nothing_to_make_good() -> None:
    bench = Bench(3)
    bench.ended.outcomes += [outcome(status=ResponseStatus.FAILED), outcome()]
    operator = bench.operator()
    progress = operator.replay(operator.find(Filter()), "all", PLAN)
    assert (progress.chosen, progress.replayed, progress.unmended) == (3, 2, 1)
    assert progress.problems == {"0-0": "0-0: its request was answered since, at 2026-11-18T11:05:49+00:00: drop it"}
    assert [record.value for record in bench.journal.sent] == [buried(number).value for number in (1, 2)]
    assert [letter.letter_id for letter in operator.find(Filter())] == ["0-0"], "it stays open"
    assert bench.ended.asked == [FAILED_MS - 60_000], "clocks of stages differ"


def test_the_answer_of_a_replay_is_not_paid_again_either() -> None:
    bench = Bench(1)
    operator = bench.operator()
    operator.replay(operator.find(Filter()), "all", PLAN)
    bench.ended.outcomes.append(outcome(supersedes="retries_exhausted"))
    again = Plan(by="ann", settle_s=0, again=True)
    replayed = Filter(states=frozenset({LetterState.REPLAYED}))
    assert operator.replay(operator.find(replayed), "all", again).unmended == 1
    assert len(bench.journal.sent) == 1


@pytest.mark.parametrize(
    "ended",
    [
        outcome(status=ResponseStatus.FAILED),
        outcome(status=ResponseStatus.REJECTED),
        outcome(tenant_id="acme"),
        outcome("request-1"),
        outcome(responded_at=FAILED_MS - 1),
    ],
    ids=["failed again", "refused", "another tenant's", "another one", "answered before it failed"],
)
def test_what_was_not_answered_since_is_replayed(ended: Outcome) -> None:
    bench = Bench(1)
    bench.ended.outcomes.append(ended)
    operator = bench.operator()
    assert operator.replay(operator.find(Filter()), "all", PLAN).replayed == 1


def test_an_answer_between_two_tries_of_a_record_counts() -> None:
    bench = Bench()
    bench.add(buried(0, first_failed_at=str(FAILED_MS - 600_000)))
    bench.ended.outcomes.append(outcome(responded_at=FAILED_MS - 1))
    operator = bench.operator()
    assert operator.replay(operator.find(Filter()), "all", PLAN).unmended == 1


def test_letters_that_lead_to_no_call_are_not_asked_about() -> None:
    bench = Bench()
    bench.add(buried(0, origin_topic="usage", dlq_stage="cost"))
    bench.ended.outcomes.append(outcome())
    operator = bench.operator()
    assert operator.replay(operator.find(Filter()), "all", PLAN).replayed == 1
    assert bench.ended.asked == []


def test_a_preview_says_so_too() -> None:
    bench = Bench(2)
    bench.ended.outcomes.append(outcome())
    operator = bench.operator()
    left, sent = operator.preview(operator.find(Filter()), "all", 3)
    assert (left.fate, sent.fate) == (Fate.LEAVE, Fate.REPLAY)
    assert "was answered since" in left.problem
