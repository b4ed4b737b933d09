"""Thresholds move only on evidence, and never below what keeps the bound."""

from hypothesis import given
from hypothesis import strategies as st

from forebay_agents.cache.error_bound.bound import (
    BUCKETS,
    Evidence,
    bucket,
    chance,
    counter,
    edge,
    evidence_of,
    reach,
    scrutiny,
    threshold,
)

_scores = st.floats(0, 1)


@given(_scores)
def test_a_score_lies_in_its_bucket(score: float) -> None:
    step = bucket(score)
    assert 0 <= step < BUCKETS
    assert edge(step) <= score + 1e-12
    if step + 1 < BUCKETS:
        assert score <= edge(step + 1) + 1e-12


@given(_scores, _scores)
def test_higher_scores_never_lie_in_lower_buckets(one: float, other: float) -> None:
    assert (bucket(one) <= bucket(other)) or one > other


@given(st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(0, 500)), st.floats(0.001, 0.2), st.floats(0.5, 0.99))
def test_right_pairs_alone_only_lower_the_threshold(right: dict[int, int], delta: float, static: float) -> None:
    assert threshold(static, delta, Evidence(right=right)) <= static


@given(
    st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(0, 200)),
    st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(0, 20)),
    st.floats(0.005, 0.1),
)
def test_a_lowered_threshold_keeps_the_bound_on_its_evidence(
    right: dict[int, int], wrong: dict[int, int], delta: float
) -> None:
    evidence, static = Evidence(right=right, wrong=wrong), 0.95
    least = threshold(static, delta, evidence)
    if least < static:
        good, bad = evidence.above(bucket(least))
        assert bad <= delta * (good + bad)
        assert good + bad >= 20


def test_proof_of_too_many_wrong_hits_raises_the_threshold() -> None:
    low, high = bucket(0.96), bucket(0.999)
    evidence = Evidence(right={low: 20, high: 400}, wrong={low: 20})
    assert 0.96 < threshold(0.95, 0.01, evidence) <= 0.999


def test_without_evidence_nothing_below_the_threshold_is_given() -> None:
    assert threshold(0.9, 0.01, Evidence()) == 0.9
    assert chance(0.89, 0.9, 0.01, Evidence()) == 0.0
    assert chance(0.91, 0.9, 0.01, Evidence()) == 1.0


def test_evidence_lets_some_through_below_the_threshold() -> None:
    step = bucket(0.8)
    assert 0.3 < chance(0.8, 0.9, 0.01, Evidence(right={step: 98}, wrong={step: 0})) < 1
    assert chance(0.8, 0.9, 0.01, Evidence(right={step: 60}, wrong={step: 2})) == 0.0  # 8 % of those may be wrong


def test_sure_hits_do_not_pay_for_doubtful_ones() -> None:
    sure, doubtful = bucket(0.99), bucket(0.8)
    assert threshold(0.95, 0.01, Evidence(right={sure: 5_000, doubtful: 40}, wrong={doubtful: 4})) == 0.95


def test_new_and_suspect_tasks_are_watched_closely_and_proven_ones_hardly() -> None:
    step = bucket(0.99)
    proven = scrutiny(0.95, 0.01, Evidence(right={step: 1_000}))
    usual = scrutiny(0.95, 0.01, Evidence(right={step: 100}))
    new, suspect = (scrutiny(0.95, 0.01, Evidence(right={step: n}, wrong={step: w})) for n, w in ((5, 0), (90, 3)))
    assert proven < usual < new == suspect


def test_counters_are_read_back() -> None:
    names = {counter(0.8, right=True): 3, counter(0.99, right=False): 1, "else": 9, "right:x": 2}
    assert evidence_of(names) == Evidence(right={bucket(0.8): 3}, wrong={bucket(0.99): 1})


def test_the_least_score_of_a_step_lies_in_it() -> None:
    assert [bucket(edge(step)) for step in range(BUCKETS)] == list(range(BUCKETS))


def test_reach_is_the_least_score_at_which_the_coin_lets_an_answer_be_given() -> None:
    evidence = Evidence(right={bucket(0.8): 200, bucket(0.6): 200}, wrong={bucket(0.6): 10})
    sure, doubtful = edge(bucket(0.8)), edge(bucket(0.6))
    share = chance(doubtful, 0.95, 0.05, evidence)
    assert 0 < share < 1
    assert reach(0.95, 0.05, evidence, share * 0.99) == doubtful
    assert reach(0.95, 0.05, evidence, share * 1.01) == sure
    assert reach(0.95, 0.05, Evidence(), 0.0) == 0.95


def test_a_task_whose_hits_are_wrong_at_every_score_gives_no_answer_by_meaning() -> None:
    sure = bucket(0.999)
    assert threshold(0.95, 0.01, Evidence(right={sure: 20}, wrong={sure: 10})) == 1.0
