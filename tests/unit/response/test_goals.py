"""Promises to requesters: what counts as kept, as missed, and as nobody's fault but the requester's."""

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract.error_codes import CODES, FailureClass
from forebay.contract.records import Error, Response, ResponseStatus
from forebay_agents.response.goals import Goal, kept
from forebay_agents.response.metrics import ResponseMetrics

AT = 1_780_000_000_000


def response(status: ResponseStatus = ResponseStatus.OK, code: str = "", took_ms: int = 500, **more: str) -> Response:
    error = Error(code=code) if code else None
    return Response(status=status, error=error, accepted_at=AT, responded_at=AT + took_ms, **more)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(("took_ms", "fast"), [(0, True), (3_000, True), (3_001, False)])
def test_an_answer_is_fast_up_to_the_limit(took_ms: int, fast: bool) -> None:
    assert kept(response(took_ms=took_ms), 3.0) == {Goal.FAST: fast, Goal.OK: True}


@pytest.mark.parametrize("code", ["provider_unavailable", "bug", "vault_expired", "deadline_exceeded"])
def test_a_failure_of_ours_is_a_miss_of_both_however_quick_it_was(code: str) -> None:
    assert kept(response(ResponseStatus.FAILED, code, 10), 3.0) == {Goal.FAST: False, Goal.OK: False}


def test_what_is_turned_away_since_too_much_is_asked_is_our_miss() -> None:
    assert kept(response(ResponseStatus.REJECTED, "overloaded"), 3.0) == {Goal.FAST: False, Goal.OK: False}


@pytest.mark.parametrize("code", ["budget_exceeded", "rate_limited", "pii_blocked"])
def test_a_limit_that_somebody_set_counts_for_neither(code: str) -> None:
    assert kept(response(ResponseStatus.REJECTED, code), 3.0) == {}


@pytest.mark.parametrize("code", [one.code for one in CODES.values() if one.failure_class is FailureClass.CONTRACT])
def test_what_was_asked_wrongly_counts_for_neither(code: str) -> None:
    assert kept(response(ResponseStatus.FAILED, code), 3.0) == {}


def test_a_second_response_counts_for_neither() -> None:
    assert kept(response(supersedes="evaluation"), 3.0) == {}


def test_both_counts_are_there_before_the_first_response() -> None:
    registry = CollectorRegistry()
    metrics = ResponseMetrics(registry)
    metrics.objectives({Goal.FAST: 0.95, Goal.OK: 0.99})

    def count(goal: str, kept: str) -> float | None:
        return registry.get_sample_value("forebay_goal_requests_total", {"goal": goal, "kept": kept})

    assert [count(goal, done) for goal in ("fast", "ok") for done in ("yes", "no")] == [0.0, 0.0, 0.0, 0.0]
    metrics.responded(kept(response(took_ms=9_000), 3.0))
    assert (count("fast", "no"), count("ok", "yes"), count("ok", "no")) == (1.0, 1.0, 0.0)
    assert registry.get_sample_value("forebay_goal_objective", {"goal": "ok"}) == 0.99
