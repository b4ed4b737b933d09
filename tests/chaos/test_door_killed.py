"""Something is killed while fifty answers and twenty streams are open: none is lost, paid twice, or ends falsely."""

import json
from collections.abc import Iterator

import pytest

from loadtest.chaos.stack import CONFIGURATION, Stack, running_stack
from loadtest.door.killing import Outcome, kill

pytestmark = [pytest.mark.chaos, pytest.mark.embedded, pytest.mark.timeout(900)]

_PROVIDER = {
    "models": {
        "small": {
            "latency": {"kind": "fixed", "first_token_ms": 300, "tokens_per_s": 20},
            "answer_tokens": 50,
            "repeats": True,
        }
    }
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    patient = json.loads(json.dumps(CONFIGURATION["models"]).replace('"timeout_s": 6', '"timeout_s": 60'))
    configuration = {"models": patient, "cache": {"semantic": False}, "evaluation": {"sample_rate": 0}}
    with running_stack(tmp_path_factory.mktemp("door"), configuration=configuration, door=True) as found:
        found.provider(_PROVIDER)
        yield found


@pytest.fixture(scope="module")
def second(stack: Stack) -> str:
    return stack.add_door()[0]


@pytest.mark.parametrize("victim", ["edge", "completion", "kafka"])
def test_whoever_is_killed_nothing_is_lost_paid_twice_or_ends_falsely(stack: Stack, second: str, victim: str) -> None:
    stack.wait_ready()
    [name] = [name for name in stack.rows() if name.startswith(victim)]
    outcome = kill(stack, second, victim, lambda: stack.strike(name))
    print(f"{victim}: {told(outcome)}; {outcome.broken}", flush=True)
    assert outcome.broken == []
    if victim == "edge":
        assert outcome.cut > 0, "somebody was cut off"


def test_an_answer_that_is_made_again_and_is_another_one_is_never_a_mixture(stack: Stack, second: str) -> None:
    stack.wait_ready()
    [name] = [name for name in stack.rows() if name.startswith("completion")]

    def strike() -> None:
        stack.provider({"models": {"small": {"repeats": False}}})
        stack.strike(name)

    outcome = kill(stack, second, "restarted", strike)
    stack.provider(_PROVIDER)
    print(f"restarted: {told(outcome)}; {outcome.broken}", flush=True)
    assert outcome.broken == []
    restarted = [one for one in outcome.seen if "stream_restarted" in one.cut]
    assert restarted, "some were under way"
    assert all(one.replayed for one in restarted if one.wholes), "under its key each has the answer that counts"


def told(outcome: Outcome) -> str:
    cut = [why for one in outcome.seen for why in one.cut]
    counts = {why: cut.count(why) for why in sorted(set(cut))}
    failed = [one.failed for one in outcome.seen if one.failed]
    lasted = f"longest {outcome.longest_s:.1f} s, paid again {outcome.verdict.repaid}"
    return f"{outcome.cut} cut off ({counts}), failed {failed}, {lasted}"
