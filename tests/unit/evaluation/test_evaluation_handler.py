"""What follows from a verdict, and what does a judgement cost?"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from forebay.contract import headers as h
from forebay.contract.failures import Permanent, Transient
from forebay.contract.handlers import Output
from forebay.contract.names import review_id
from forebay.contract.records import (
    AnswerSource,
    CallPurpose,
    Completion,
    Message,
    RedactedRequest,
    ResponseStatus,
    ReviewReason,
    UsageStatus,
)
from forebay.privacy.egress import EgressGuard
from forebay.state.idempotency import Claims
from forebay.testing import MemoryClaims, codecs, context
from forebay_agents.evaluation.handler import JUDGE, EvaluationHandler
from forebay_agents.evaluation.metrics import EvaluationMetrics
from forebay_agents.evaluation.rolling import LocalScores
from forebay_agents.evaluation.sampling import outside, sampled
from forebay_agents.evaluation.settings import EvaluationSettings
from forebay_agents.models.caller import Caller
from forebay_agents.models.ledger import Ledger
from forebay_agents.models.metrics import ModelMetrics
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.providers.provider import ProviderError, Usage
from tests.unit.completion.fakes import Provider, Written, good, tier


def done(request_id: str = "r-1", **fields: Any) -> Completion:
    request = RedactedRequest(request_id=request_id, messages=(Message(content="What is 12 + 7?"),), task="sums")
    known: dict[str, Any] = {"tenant_id": "acme", "user_id": "u-1", "model": "small-model", "content": "19"}
    return Completion(
        request_id=request_id, request=request, status=ResponseStatus.OK, source=AnswerSource.MODEL, **(known | fields)
    )


class Judge:
    """The handler, a judge that says what it is told to, and what was written ahead."""

    def __init__(self, **settings: Any) -> None:
        self.provider = Provider({"judge": good("5")})
        self.written = Written()
        own = EvaluationSettings(**({"sample_rate": 1.0, "min_samples": 2, "window": 4} | settings))
        ledger, metrics = Ledger(CallPurpose.JUDGE), ModelMetrics(CollectorRegistry())
        caller = Caller(self.provider, PriceList({}, lambda _: None), ledger, metrics, EgressGuard())
        claims = Claims(MemoryClaims(), codecs())
        self.registry = CollectorRegistry()
        self.handler = EvaluationHandler(
            own, tier("judge"), caller, claims, LocalScores(), lambda: 1_000, EvaluationMetrics(self.registry)
        )

    async def sees(
        self, completion: Completion, says: str | ProviderError = "5", **headers: bytes
    ) -> dict[str, list[Any]]:
        """Outputs by topic."""
        self.provider.replies["judge"] = says if isinstance(says, ProviderError) else good(says)
        delivery = context("completions", headers=headers, write_ahead=self.written)
        found: dict[str, list[Any]] = {}
        outputs: list[Output] = list(await self.handler.handle(completion, delivery))
        for output in outputs:
            found.setdefault(output.topic, []).append(output.value)
        return found


async def test_a_good_answer_gets_its_score_and_the_call_is_paid_by_nobody_elses_budget() -> None:
    judge = Judge()
    found = await judge.sees(done(), '{"score": 5, "reason": "right"}')
    [evaluation], [usage] = found["evaluations"], found["usage"]
    assert (evaluation.score, evaluation.reason, evaluation.model, evaluation.task) == (
        5,
        "right",
        "small-model",
        "sums",
    )
    assert (usage.user_id, usage.tenant_id, usage.purpose) == (JUDGE, "acme", CallPurpose.JUDGE)
    assert usage.status is UsageStatus.SETTLED
    assert evaluation.cost_nanousd == usage.cost_nanousd == 15_000
    assert [entry.status for entry in judge.written.entries] == [UsageStatus.STARTED]
    assert "reviews" not in found


async def test_the_judge_is_asked_for_json_unless_its_provider_knows_none() -> None:
    for structured in (True, False):
        judge = Judge(structured=structured)
        await judge.sees(done())
        [(_, call)] = judge.provider.calls
        assert (call.response_format is not None) is structured
        assert "What is 12 + 7?" in call.messages[0].content
        assert "19" in call.messages[0].content


async def test_a_low_score_is_a_task_for_a_person() -> None:
    [task] = (await Judge().sees(done(), "1 wrong"))["reviews"]
    assert (task.reason, task.score, task.review_id) == (ReviewReason.LOW_SCORE, 1.0, review_id("acme", "r-1"))
    assert task.completion.content == "19"


async def test_a_task_holds_no_reference_into_the_vault() -> None:
    answer = done()
    assert answer.request is not None
    sealed = replace(answer, request=replace(answer.request, vault_ref="REF"))
    outputs = await Judge().sees(sealed, "1 wrong")
    assert outputs.keys() >= {"reviews", "evaluations"}
    assert "REF" not in repr(outputs)


async def test_a_falling_mean_alerts_once_and_again_after_it_rose() -> None:
    judge = Judge(alert_below=3.0)
    scores = ["5", "1", "1", "1", "1", "5", "5", "5", "5", "1", "1", "1"]
    alerts = [
        [alert.state.value for alert in (await judge.sees(done(f"r-{number}"), score)).get("alerts", ())]
        for number, score in enumerate(scores)
    ]
    # Means of the last four: 7/3, up to 3, then 2.
    assert alerts == [[], [], ["firing"], [], [], [], ["resolved"], [], [], [], [], ["firing"]]


async def test_what_cannot_be_read_moves_no_mean_and_asks_nobody() -> None:
    judge = Judge()
    found = await judge.sees(done(), "no idea")
    assert found["evaluations"][0].score == 0
    assert found.keys() == {"evaluations", "usage"}
    assert (await judge.sees(done("r-2"), "1 bad")).get("alerts") is None  # one readable score only


@pytest.mark.parametrize("fields", [{"status": ResponseStatus.FAILED}, {"request": None}])
async def test_what_is_no_answer_is_not_judged(fields: dict[str, Any]) -> None:
    judge = Judge()
    completion = Completion(**{**{name: getattr(done(), name) for name in Completion.__dataclass_fields__}, **fields})
    assert await judge.sees(completion) == {}
    assert not judge.provider.calls


async def test_outside_the_sample_nothing_is_paid() -> None:
    judge = Judge(sample_rate=0.0)
    assert await judge.sees(done()) == {}
    assert not judge.provider.calls


async def test_a_redelivered_answer_is_not_judged_again() -> None:
    judge = Judge()
    first = await judge.sees(done(), "2 meagre")
    again = await judge.sees(done(), "5")
    assert first.keys() == again.keys()
    assert len(judge.provider.calls) == 1


async def test_a_judge_that_is_down_is_asked_later_and_one_that_refuses_is_buried() -> None:
    judge = Judge()
    with pytest.raises(Transient):
        await judge.sees(done(), ProviderError("provider_rate_limited", "", retry_after_s=3.0))
    with pytest.raises(Permanent):
        await judge.sees(done("r-2"), ProviderError("provider_auth", ""))
    assert [entry.status for entry in judge.written.entries].count(UsageStatus.FAILED) == 2
    with pytest.raises(Permanent):
        await judge.sees(done("r-3"), ProviderError("provider_unavailable", "", usage=Usage(prompt_tokens=5)))
    assert judge.written.entries[-1].status is UsageStatus.SETTLED


async def test_scores_of_shortened_prompts_are_told_apart_from_those_held_out() -> None:
    judge = Judge()
    for number, (arm, says) in enumerate([(b"cut", "3"), (b"cut", "4"), (b"holdout", "5"), (b"code", "2"), (b"", "1")]):
        await judge.sees(done(f"r-{number}"), says, **{h.COMPRESSION: arm})
    found = {
        arm: [
            judge.registry.get_sample_value(f"forebay_judge_score_{what}", {"compression": arm})
            for what in ("sum", "count")
        ]
        for arm in ("cut", "holdout", "whole")
    }
    assert found == {"cut": [7.0, 2.0], "holdout": [5.0, 1.0], "whole": [3.0, 2.0]}


@given(st.text(), st.floats(0, 1))
def test_the_key_says_what_the_request_says(request_id: str, rate: float) -> None:
    key = request_id.encode("utf-8", "surrogatepass")
    if any("\ud800" <= char <= "\udfff" for char in request_id):
        assert not outside(key, rate), "no stage makes such a key"
    else:
        assert outside(key, rate) is not sampled(request_id, rate)
