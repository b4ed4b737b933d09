"""The oracle sees every way in which a promise can be broken, and sees nothing where none is."""

from dataclasses import replace

import pytest

from forebay.contract.records import CallPurpose, Error, Response, ResponseStatus, UsageEvent, UsageStatus
from forebay_agents.cost.reconciliation import InvoiceLine
from loadtest.oracle import Answered, Evidence, Letter, judge, latencies_ms, quantile


def _response(request_id: str, content: str = "42", at_ms: int = 1_100, **fields: object) -> Answered:
    response = Response(request_id=request_id, status=ResponseStatus.OK, content=content)
    return Answered(response=replace(response, **fields), at_ms=at_ms)  # type: ignore[arg-type]  # names vary


def _entry(attempt: str, request: str = "a", status: UsageStatus = UsageStatus.SETTLED, cost: int = 70) -> UsageEvent:
    return UsageEvent(
        attempt_id=attempt,
        request_id=request,
        deployment="small-1",
        model="openai/small",
        status=status,
        cost_nanousd=cost,
    )


def _line(attempt: str, cost: int = 70) -> InvoiceLine:
    return InvoiceLine(attempt_id=attempt, cost_nanousd=cost)


GOOD = Evidence(
    accepted={"a": 1_000, "b": 1_001},
    responses=[_response("a"), _response("b")],
    ledger=[_entry("1", "a", UsageStatus.STARTED, 900), _entry("1", "a"), _entry("2", "b")],
    invoice=[_line("1"), _line("2")],
    lag={"redaction": {"requests": 0}},
)


def test_a_run_without_a_flaw_breaks_nothing() -> None:
    verdict = judge(GOOD)
    assert verdict.violations == []
    assert (verdict.accepted, verdict.paid, verdict.duplicates, verdict.repaid) == (2, 2, 0, 0)
    assert verdict.statuses == {"ok": 2}
    assert verdict.money.agreed == 2
    assert verdict.money.ledger_nanousd == verdict.money.invoice_nanousd == 140


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        (replace(GOOD, responses=[_response("a")]), "1 accepted requests have no response (b)"),
        (
            replace(GOOD, responses=[*GOOD.responses, _response("a", "43")]),
            "1 requests got responses that do not say the same (a)",
        ),
        (
            replace(GOOD, responses=[*GOOD.responses, _response("a", "", status=ResponseStatus.FAILED)]),
            "1 requests got responses that do not say the same (a)",
        ),
        (
            replace(GOOD, responses=[*GOOD.responses, _response("z")]),
            "1 responses are to requests that nobody sent (z)",
        ),
        (
            replace(GOOD, letters=[Letter(letter_id="0-1", stage="cache", code="?", message="x", request_id="a")]),
            "1 dead letters have no reason (0-1)",
        ),
        (
            replace(
                GOOD,
                responses=[_response("a")],
                letters=[Letter(letter_id="0-1", stage="cache", code="bug", message="x", request_id="b")],
            ),
            "1 dead-lettered requests have no response (b)",
        ),
        (replace(GOOD, poisoned=frozenset({"p"})), "1 unreadable records became no dead letter (p)"),
        (
            replace(GOOD, ledger=[*GOOD.ledger, _entry("3", "a")], invoice=[*GOOD.invoice, _line("3")]),
            "1 requests were paid twice with the answer at hand (a)",
        ),
        (
            replace(GOOD, invoice=[*GOOD.invoice, _line("9")]),
            "1 differences between ledger and invoice, 70 nano-dollars (unknown:9)",
        ),
        (
            replace(GOOD, invoice=GOOD.invoice[:1]),
            "1 differences between ledger and invoice, 70 nano-dollars (not_billed:2)",
        ),
        (
            replace(GOOD, invoice=[_line("1", 75), _line("2", 65)]),
            "2 differences between ledger and invoice, 10 nano-dollars (cost:1, cost:2)",
        ),
        (
            replace(GOOD, invoice=[*GOOD.invoice, _line("1")]),
            "1 requests were paid twice with the answer at hand (a)",
        ),
        (
            replace(GOOD, ledger=[_entry("1", "a", UsageStatus.FAILED, 0), _entry("2", "b")]),
            "1 differences between ledger and invoice, 70 nano-dollars (billed_failure:1)",
        ),
        (replace(GOOD, lag={"cost": {"usage": 3}}), "3 records are unfinished"),
    ],
)  # fmt: skip
def test_each_flaw_is_seen(flaw: Evidence, said: str) -> None:
    assert said in judge(flaw).violations


def test_a_call_of_a_worker_that_stood_still_meanwhile_may_be_made_again_by_its_successor() -> None:
    first = replace(_entry("1", "a"), started_at=1_500)
    again = replace(_entry("3", "a"), started_at=8_000)
    evidence = replace(
        GOOD,
        ledger=[first, _entry("2", "b"), again],
        invoice=[*GOOD.invoice, _line("3")],
        entered={"1": 9_100, "3": 8_400},
    )
    for stood_still, violations, repaid in (((), 1, 0), (((2_000, 9_000),), 0, 1), (((1_000, 9_000),), 1, 0)):
        verdict = judge(replace(evidence, stood_still=stood_still))
        assert (len(verdict.violations), verdict.repaid) == (violations, repaid)


def test_repetitions_that_say_the_same_are_counted_and_no_violation() -> None:
    again = _response("a", at_ms=1_200, timings={"cache": 5}, cost_nanousd=0)
    verdict = judge(replace(GOOD, responses=[*GOOD.responses, again]))
    assert verdict.violations == []
    assert verdict.duplicates == 1


def test_an_answer_that_makes_a_failure_good_is_no_repetition_of_it() -> None:
    failed = _response("a", "", status=ResponseStatus.FAILED, error=Error(code="bug"))
    good = _response("a", at_ms=9_000, supersedes="bug")
    verdict = judge(replace(GOOD, responses=[failed, good, _response("b")]))
    assert verdict.violations == []
    assert verdict.duplicates == 0
    assert verdict.statuses == {"ok": 2}


def test_an_attempt_that_nobody_saw_end_is_open_and_no_difference() -> None:
    lost = _entry("0", "a", UsageStatus.UNSETTLED, 900)
    verdict = judge(replace(GOOD, ledger=[lost, *GOOD.ledger], invoice=[_line("0", 60), *GOOD.invoice]))
    assert verdict.violations == []
    assert verdict.repaid == 1
    assert [(item.attempt_id, item.worst_case_nanousd, item.billed_nanousd) for item in verdict.open] == [
        ("0", 900, 60)
    ]


def test_two_tiers_of_one_request_are_one_plan() -> None:
    large = replace(_entry("3", "a"), deployment="large-1")
    verdict = judge(replace(GOOD, ledger=[*GOOD.ledger, large], invoice=[*GOOD.invoice, _line("3")]))
    assert verdict.violations == []


def test_a_judge_of_an_answer_is_not_paid_for_the_answer() -> None:
    judged = replace(_entry("3", "a"), purpose=CallPurpose.JUDGE)
    verdict = judge(replace(GOOD, ledger=[*GOOD.ledger, judged], invoice=[*GOOD.invoice, _line("3")]))
    assert verdict.violations == []


def test_a_redelivered_opening_entry_reopens_nothing() -> None:
    verdict = judge(replace(GOOD, ledger=[*GOOD.ledger, GOOD.ledger[0]]))
    assert verdict.violations == []
    assert verdict.open == []


def test_latencies_are_to_the_first_response_of_requests_in_the_interval() -> None:
    evidence = replace(GOOD, responses=[_response("a", at_ms=1_500), _response("a", at_ms=1_100), _response("b")])
    assert latencies_ms(evidence) == [99, 100]
    assert latencies_ms(evidence, since_ms=1_001) == [99]


def test_quantiles() -> None:
    assert quantile([], 0.99) == 0
    assert quantile([1, 2, 3, 4], 0.5) == 3
    assert quantile([1, 2, 3, 4], 0.99) == 4
