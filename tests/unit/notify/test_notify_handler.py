"""People hear of a condition once, of its end once, again after hours, and not at all while it is silenced."""

from dataclasses import replace

import pytest

from forebay.contract.failures import Permanent, Transient
from forebay.contract.records import Alert, AlertState, Notification, Severity, Silence
from forebay.testing import context
from tests.unit.notify.memory import HOOK, Bench

BAD = Alert(kind="provider_auth", severity=Severity.CRITICAL, subject="gpt")
FINE = replace(BAD, state=AlertState.RESOLVED, ends_at=1_700_000_009_000)
FIRING, RESOLVED = "firing", "resolved"
H4 = 4 * 3_600


def about(subject: str, **fields: object) -> Alert:
    return Alert(**{"kind": "provider_auth", "subject": subject} | fields)  # type: ignore[arg-type]  # any field


async def test_a_thousand_repetitions_in_two_workers_are_one_message() -> None:
    bench = Bench(workers=2)
    for number in range(1_000):
        await bench.hears(replace(BAD, message=f"again {number}", created_at=number), number % 2)
        await bench.passes(0.01)
    assert bench.channel.said == [[("gpt", FIRING)]]


async def test_it_is_told_at_once_and_resolved_when_it_is_over() -> None:
    bench = Bench()
    await bench.hears(BAD)
    await bench.passes()
    assert bench.channel.said == [[("gpt", FIRING)]], "nobody waits for a group that may come"
    await bench.hears(FINE)
    await bench.hears(FINE)
    await bench.passes(29)
    assert len(bench.channel.got) == 1
    await bench.passes(1)
    assert bench.channel.said[1:] == [[("gpt", RESOLVED)]]
    await bench.passes(2 * H4)
    assert len(bench.channel.got) == 2, "what is over is not repeated"
    assert bench.store.open == {}


async def test_what_fires_still_is_repeated_after_four_hours_and_not_for_ever() -> None:
    bench = Bench(forget_s=3 * H4)
    await bench.hears(replace(BAD, starts_at=bench.now_ms))
    for told, hours in ((1, 0.0), (1, 3.99), (2, 0.01), (3, 4), (4, 4), (4, 4), (4, 4)):
        await bench.passes(hours * 3_600)
        assert len(bench.channel.got) == told
    assert bench.store.open == {}


async def test_what_comes_within_half_a_minute_is_one_message() -> None:
    bench = Bench()
    await bench.hears(about("a"))
    await bench.passes()
    for subject in "bcd":
        await bench.hears(about(subject))
        await bench.passes(5)
    await bench.hears(about("u-1", kind="budget_spent", tenant_id="t"))
    await bench.passes()
    await bench.passes(15)
    assert [[subject for subject, _ in one] for one in bench.channel.said] == [["a"], ["u-1"], ["b", "c", "d"]] or [
        sorted(subject for subject, _ in one) for one in bench.channel.said
    ] == [["a"], ["u-1"], ["b", "c", "d"]]


async def test_of_many_at_once_no_message_is_endless_and_none_is_left_out() -> None:
    bench = Bench()
    for number in range(120):
        await bench.hears(about(f"m{number}"))
    await bench.passes()
    assert [len(one) for one in bench.channel.said] == [50, 50, 20]
    assert len({subject for one in bench.channel.said for subject, _ in one}) == 120


async def test_what_ends_by_itself_is_told_once() -> None:
    bench = Bench()
    spent = about("t", kind="budget_spent", ends_at=bench.now_ms + 10 * 3_600_000)
    await bench.hears(spent)
    for _ in range(12):
        await bench.passes(3_600)
    assert bench.channel.said == [[("t", FIRING)]]
    assert bench.store.open == {}
    await bench.hears(spent)
    await bench.passes()
    assert len(bench.channel.got) == 1, "a record that is read again after its end says nothing"


async def test_what_was_over_before_anybody_heard_of_it_is_told_as_over() -> None:
    bench = Bench()
    await bench.hears(about("first"))
    await bench.passes()
    await bench.hears(BAD)
    await bench.hears(FINE)
    await bench.passes(31)
    assert bench.channel.said[1:] == [[("gpt", RESOLVED)]]


async def test_an_end_without_a_beginning_is_no_news() -> None:
    bench = Bench()
    await bench.hears(FINE)
    await bench.passes(60)
    assert bench.channel.got == []


async def test_what_comes_and_goes_within_half_a_minute_is_told_once() -> None:
    bench = Bench()
    await bench.hears(BAD)
    await bench.passes()
    for _ in range(5):
        await bench.hears(FINE)
        await bench.hears(BAD)
        await bench.passes(1)
    await bench.passes(60)
    assert bench.channel.said == [[("gpt", FIRING)]]


async def test_a_silence_holds_until_its_end_and_then_what_fires_is_told() -> None:
    bench = Bench()
    silence = Silence(silence_id="s", matchers={"subject": "g*"}, ends_at=bench.now_ms + 60_000)
    await bench.workers[0].silence(silence, context("alerts.silences"))
    await bench.hears(BAD)
    await bench.hears(about("other"))
    await bench.passes(59)
    assert bench.channel.said == [[("other", FIRING)]]
    await bench.passes(1)
    assert bench.channel.said[1:] == [[("gpt", FIRING)]]


async def test_a_silence_that_is_ended_is_over_at_once() -> None:
    bench = Bench()
    silence = Silence(silence_id="s", matchers={"kind": "provider_auth"}, ends_at=bench.now_ms + 3_600_000)
    await bench.workers[0].silence(silence, context("alerts.silences"))
    await bench.hears(BAD)
    await bench.passes(5)
    await bench.workers[0].silence(replace(silence, ends_at=bench.now_ms), context("alerts.silences"))
    await bench.passes()
    assert bench.channel.said == [[("gpt", FIRING)]]


async def test_what_ends_in_silence_is_never_heard_of() -> None:
    bench = Bench()
    silence = Silence(silence_id="s", matchers={"kind": "*"}, ends_at=bench.now_ms + 3_600_000)
    await bench.workers[0].silence(silence, context("alerts.silences"))
    await bench.hears(BAD)
    await bench.passes(5)
    await bench.hears(FINE)
    await bench.passes(31)
    await bench.passes(7_200)
    assert bench.channel.got == []


async def test_routes_go_by_kind_severity_and_tenant() -> None:
    routes = [
        {"severities": ["critical"], "channels": ["ops"]},
        {"kinds": ["budget_spent"], "tenants": ["acme"], "channels": ["other", "ops"]},
    ]
    bench = Bench(channels={"ops": HOOK, "other": HOOK}, routes=routes)
    await bench.hears(BAD)
    await bench.hears(about("x", kind="budget_spent", tenant_id="acme"))
    await bench.hears(about("y", kind="budget_spent", tenant_id="globex"))
    await bench.passes()
    assert sorted(subject for [(subject, _)] in bench.channel.said) == ["gpt", "x"]
    assert bench.other.said == [[("x", FIRING)]]


async def test_a_channel_that_fails_holds_up_nobody_and_is_tried_as_any_record() -> None:
    bench = Bench()
    bench.channel.fails = Transient("channel_unavailable", "ops: HTTP 500")
    await bench.hears(BAD)
    with pytest.raises(Transient):
        await bench.passes()
    await bench.hears(about("other", kind="quality_drop"))
    bench.channel.fails = None
    await bench.passes()
    assert bench.channel.said == [[("other", FIRING)]]


async def test_a_message_that_is_read_twice_goes_out_once() -> None:
    bench = Bench()
    message = Notification(notification_id="n", channel="ops", alerts=(BAD,))
    for _ in range(3):
        await bench.workers[0].send(message, context("notifications"))
    assert len(bench.channel.got) == 1


@pytest.mark.parametrize("message", [Notification(notification_id="n", channel="gone", alerts=(BAD,)), Notification()])
async def test_a_message_for_nobody_is_a_dead_letter(message: Notification) -> None:
    with pytest.raises(Permanent) as refused:
        await Bench().workers[0].send(message, context("notifications"))
    assert refused.value.code == "channel_refused"


async def test_a_worker_that_ends_after_it_published_makes_the_same_message_again() -> None:
    bench = Bench()
    await bench.hears(BAD)
    taken = dict(bench.store.open)
    await bench.passes()
    bench.store.open, bench.store.due = taken, dict.fromkeys(taken, bench.now_ms)  # nothing of it was noted
    bench.store.groups.clear()
    await bench.passes(60)
    assert bench.channel.said == [[("gpt", FIRING)]], "it has the same id, and was sent"


async def test_what_ends_while_it_is_told_is_told_as_over_next() -> None:
    bench = Bench()
    await bench.hears(BAD)
    publish = bench.publish

    async def meanwhile(outputs: object) -> None:
        await publish(outputs)  # type: ignore[arg-type]  # as it came
        await bench.hears(FINE)

    await bench.workers[0].tell(meanwhile)
    await bench.passes()
    await bench.passes(31)
    assert bench.channel.said == [[("gpt", FIRING)], [("gpt", RESOLVED)]]


async def test_without_redis_what_came_waits_in_its_topic() -> None:
    bench = Bench()
    bench.store.down = True
    with pytest.raises(Transient):
        await bench.hears(BAD)


async def test_without_channels_nothing_is_kept() -> None:
    bench = Bench(channels={})
    await bench.hears(BAD)
    assert bench.store.open == {}
