"""The highest rate is found by few tries, and what is said of a rate follows from what was seen."""

from dataclasses import replace

import pytest

from loadtest.users.finding import highest
from loadtest.users.hits import Hits
from loadtest.users.report import as_json, markdown
from loadtest.users.run import Found, Wanted
from loadtest.users.sending import Sent
from loadtest.users.trial import Trial, quantiles
from loadtest.users.watching import Look, Spent, spent


@pytest.mark.parametrize("limit", [3.0, 17.0, 20.0, 55.0, 131.0])
def test_the_highest_rate_is_found_to_a_tenth(limit: float) -> None:
    tried: list[float] = []

    def holds(rate: float) -> bool:
        tried.append(rate)
        return rate <= limit

    found = highest(holds, 20.0)
    assert found is not None
    assert found <= limit < 1.13 * found
    assert len(tried) <= 8
    assert len(set(tried)) == len(tried)


def test_no_rate_is_named_where_none_held() -> None:
    assert highest(lambda _rate: False, 20.0) is None


def test_what_was_never_answered_counts_as_having_waited_to_the_end() -> None:
    accepted = {str(number): 0 for number in range(100)}
    sent = Sent(
        accepted=accepted, refused=0, latency_ms=dict.fromkeys(list(accepted)[:90], 200), late_ms=0, seconds=10.0
    )
    assert quantiles(sent)["p50"] == 200
    assert quantiles(sent)["p95"] >= 10_000


def test_the_difference_of_two_looks_survives_a_process_that_was_started_again() -> None:
    before = Look(at_s=10.0, cpu_ms={"cache": 900.0, "cost": 50.0}, records={"usage": 3}, commands=10)
    after = Look(at_s=20.0, cpu_ms={"cache": 400.0, "cost": 80.0}, records={"usage": 7, "spend": 2}, commands=25)
    found = spent(before, after)
    assert found.seconds == 10.0
    assert found.cpu_ms == {"cache": 400.0, "cost": 30.0}
    assert found.records == {"usage": 4, "spend": 2}
    assert found.commands == 15


def trial() -> Trial:
    took = Spent(
        seconds=10.0,
        cpu_ms={"cache": 600.0, "kafka-1": 400.0, "generator": 90.0, "provider": 300.0},
        records={"usage": 200, "spend": 0},
        commands=1_200,
    )
    return Trial(
        rate=10.0,
        seconds=10.0,
        requests=100,
        answered=100,
        ok=99,
        latency_ms={"p50": 200, "p95": 900, "p99": 1_200, "longest": 1_300},
        hits={"exact": 0.4, "by_meaning": 0.05},
        spent=took,
        pss_mb={"cache": 200.0},
        late_ms=3,
        yardstick_ms=(20.0, 21.0),
        busy_before=0.4,
        violations=(),
    )


def test_a_rate_holds_only_if_it_is_quick_whole_and_not_refused() -> None:
    good = trial()
    assert good.holds
    assert not replace(good, latency_ms={**good.latency_ms, "p95": 3_001}).holds
    assert not replace(good, violations=("1 accepted requests have no response",)).holds
    assert not replace(good, ok=90).holds


def test_the_report_leaves_the_load_itself_out_of_the_sum_and_shows_it_beside() -> None:
    idle = Spent(seconds=20.0, cpu_ms={"cache": 400.0, "kafka-1": 600.0, "generator": 20.0}, records={}, commands=0)
    found = Found(wanted=Wanted(hits=Hits.MIX), idle=idle, trials=[trial()], highest=None)
    told = as_json(found)
    [row] = told["trials"]
    assert row["ms_a_request"] == {"cache": 6.0, "kafka-1": 4.0, "generator": 0.9, "provider": 3.0, "all": 10.0}
    assert told["idle_ms_a_second"]["all"] == 50.0
    assert row["over_idle_ms_a_request"] == 5.0
    assert row["records_a_request"] == {"usage": 2.0, "all": 2.0}
    assert row["redis_commands_a_request"] == 12.0
    assert "| 10 | yes | 0.20 / 0.90 / 1.20 | 45% | 10.0 (21) | 5.0 |" in markdown(found)
