"""Which tier answers, and what happens when one does not?"""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from forebay.contract.failures import Expired, Permanent, Rejected, Transient
from forebay.contract.records import UsageStatus
from forebay_agents.completion.deadline import is_late
from forebay_agents.completion.quotas.budgets import Reservation, Room
from forebay_agents.completion.routing.live import FromTheCheapest
from forebay_agents.completion.trace import Trace
from forebay_agents.models.providers.provider import Call, ProviderError, Usage
from forebay_agents.models.settings import Tier
from tests.unit.completion.fakes import Provider, Reply, Written, asked, bad, cascade_of, good, tier

TIERS = (tier("small", accept=0.6), tier("large", accept=0.5))
DOWN = ProviderError("provider_unavailable", "down")


async def run(provider: Provider, tiers: tuple[Tier, ...] = TIERS, **fields: object):  # type: ignore[no-untyped-def]
    trace, cheapest = Trace(), bool(fields.pop("cheapest", False))
    parts = {name: fields.pop(name) for name in ("budgets", "limiter") if name in fields}
    served = await cascade_of(provider, tiers, **parts).run(asked(**fields), trace, Written(), cheapest=cheapest)
    return served, trace


async def test_the_cheapest_good_answer_is_taken() -> None:
    served, trace = await run(Provider({"small": good(), "large": good()}))
    assert (served.tier, served.degraded) == ("small", False)
    assert [attempt.outcome for attempt in trace.attempts] == ["ok"]


async def test_a_doubtful_answer_is_escalated_and_both_calls_are_in_the_ledger() -> None:
    served, trace = await run(Provider({"small": bad(), "large": good()}))
    assert served.tier == "large"
    assert [attempt.outcome for attempt in trace.attempts] == ["escalated", "ok"]
    assert [entry.status for entry in trace.entries] == [UsageStatus.SETTLED] * 2
    assert sum(entry.cost_nanousd for entry in trace.entries) == 30_000


async def test_the_next_deployment_takes_over() -> None:
    tiers = (tier("small", "a", "b"),)
    served, trace = await run(Provider({"a": DOWN, "b": good()}), tiers)
    assert served.deployment == "b"
    assert {attempt.outcome for attempt in trace.attempts} <= {"provider_unavailable", "ok"}


async def test_a_tier_that_is_down_is_passed_by() -> None:
    served, _ = await run(Provider({"small": DOWN, "large": good()}))
    assert (served.tier, served.degraded) == ("large", False)


async def test_a_doubtful_answer_is_better_than_none() -> None:
    served, _ = await run(Provider({"small": bad(), "large": DOWN}))
    assert (served.tier, served.degraded) == ("small", True)


async def test_when_all_are_down_it_is_tried_later() -> None:
    with pytest.raises(Transient) as failed:
        await run(Provider({"small": DOWN, "large": ProviderError("provider_rate_limited", "", retry_after_s=7.0)}))
    assert failed.value.retry_after_s == 7.0


PAID = ProviderError(
    "provider_unavailable", "ended with an error", usage=Usage(prompt_tokens=10, completion_tokens=2), finish="error"
)


async def test_a_paid_answer_of_no_use_is_asked_for_elsewhere_at_once() -> None:
    served, trace = await run(Provider({"a": PAID, "b": PAID, "large": good()}), (tier("small", "a", "b"), TIERS[1]))
    assert served.tier == "large"
    assert [(entry.status, entry.error_code, entry.cost_nanousd) for entry in trace.entries] == [
        (UsageStatus.SETTLED, "provider_unavailable", 12_000),
        (UsageStatus.SETTLED, "provider_unavailable", 12_000),
        (UsageStatus.SETTLED, None, 15_000),
    ]


async def test_a_paid_answer_of_no_use_is_not_paid_again_later() -> None:
    with pytest.raises(Permanent) as failed:
        await run(Provider({"small": PAID, "large": PAID}))
    assert failed.value.code == "provider_unavailable"
    with pytest.raises(Transient):
        await run(Provider({"small": PAID, "large": DOWN}))


async def test_a_wrong_address_is_asked_for_elsewhere() -> None:
    nowhere = ProviderError("provider_not_found", "a: HTTP 404")
    served, _ = await run(Provider({"a": nowhere, "b": good()}), (tier("small", "a", "b"),))
    assert served.deployment == "b"
    with pytest.raises(Permanent) as failed:
        await run(Provider({"small": nowhere, "large": nowhere}))
    assert failed.value.code == "provider_not_found"


async def test_refused_credentials_are_told_at_once() -> None:
    _, trace = await run(Provider({"small": ProviderError("provider_auth", ""), "large": good()}))
    assert [(alert.kind, alert.subject) for alert in trace.alerts] == [("provider_auth", "small")]


async def test_nothing_that_can_be_used_is_a_failure() -> None:
    wanted = '{"type": "json_object"}'
    with pytest.raises(Permanent) as failed:
        await run(Provider({"small": good("no"), "large": good("{")}), response_format=wanted)
    assert failed.value.code == "low_confidence"
    assert "invalid_json" in failed.value.message


@pytest.mark.parametrize(
    ("fields", "kind", "code"),
    [
        ({"tier": "frontier"}, Permanent, "no_tier"),
        ({"max_cost_nanousd": 1}, Rejected, "max_cost"),
        ({"text": "x" * 20_000}, Permanent, "context_length"),
        ({"deadline_ms": 10, "accepted_at": 900}, Expired, "deadline_exceeded"),
    ],
)
async def test_what_no_tier_may_serve(fields: dict[str, object], kind: type[Exception], code: str) -> None:
    provider = Provider({"small": good(), "large": good()})
    with pytest.raises(kind) as failed:
        await run(provider, **fields)
    assert failed.value.code == code  # type: ignore[attr-defined]  # all of them are failures
    assert not provider.calls


async def test_a_tier_that_was_asked_for_is_the_only_one() -> None:
    provider = Provider({"small": good(), "large": bad()})
    served, _ = await run(provider, tier="large")
    assert served.tier == "large"
    assert [name for name, _ in provider.calls] == ["large"]


async def test_short_money_buys_the_cheapest_tier_only() -> None:
    served, _ = await run(Provider({"small": bad(), "large": good()}), cheapest=True)
    assert (served.tier, served.degraded) == ("small", True)


async def test_an_attempt_is_known_before_its_call() -> None:
    written = Written()
    known: list[int] = []

    def reply(_call: object):  # type: ignore[no-untyped-def]
        known.append(len(written.entries))
        return good()

    await cascade_of(Provider({"small": reply}), TIERS[:1]).run(asked(), Trace(), written, cheapest=False)
    assert known == [1]
    assert written.entries[0].status is UsageStatus.STARTED


class Purse:
    """A budget for so many calls."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.settled: list[int] = []

    async def reserve(
        self, tenant_id: str, user_id: str, reservation_id: str, amount: int, *, key_id: str | None = None
    ) -> Reservation:
        self.calls -= 1
        return Reservation(id=reservation_id, room=Room.OK if self.calls >= 0 else Room.HARD)

    async def settle(self, _reservation: Reservation, cost: int) -> None:
        self.settled.append(cost)


async def test_without_money_there_is_no_call() -> None:
    provider = Provider({"small": good(), "large": good()})
    with pytest.raises(Rejected) as failed:
        await run(provider, budgets=Purse(0))
    assert failed.value.code == "budget_exceeded"
    assert not provider.calls


async def test_money_for_one_call_buys_one_and_its_answer_serves() -> None:
    purse = Purse(1)
    served, _ = await run(Provider({"small": bad(), "large": good()}), budgets=purse)
    assert (served.tier, served.degraded) == ("small", True)
    assert purse.settled == [15_000]


class Full:
    """A deployment's rate that is used up."""

    async def take(self, limits: object) -> float:
        return 3.0

    async def correct(self, limits: object) -> None: ...


async def test_a_rate_that_is_used_up_is_tried_later_without_a_call() -> None:
    provider = Provider({"small": good(), "large": good()})
    with pytest.raises(Transient) as failed:
        await run(provider, limiter=Full())
    assert (failed.value.code, failed.value.retry_after_s) == ("provider_rate_limited", 3.0)
    assert not provider.calls


async def test_an_identifier_stops_the_call_before_the_ledger_and_the_provider() -> None:
    provider, written = Provider({"small": good(), "large": good()}), Written()
    with pytest.raises(Permanent) as failed:
        await cascade_of(provider, TIERS).run(
            asked("My card is 4111 1111 1111 1111."), Trace(), written, cheapest=False
        )
    assert failed.value.code == "pii_egress"
    assert "4111" not in failed.value.message
    assert not provider.calls
    assert not written.entries


async def test_at_the_end_of_an_outage_all_wait_for_the_first_and_are_served() -> None:
    now = [0.0]
    replies: dict[str, Reply | Callable[[Call], Reply]] = {"small": DOWN, "large": DOWN}
    provider = Provider(replies, pause_s=0.01)
    cascade = cascade_of(provider, TIERS, clock=lambda: now[0])

    async def one() -> str:
        return (await cascade.run(asked(), Trace(), Written(), cheapest=False)).tier

    for _ in range(6):
        with pytest.raises(Transient):
            await one()
    provider.calls.clear()
    with pytest.raises(Transient, match="every deployment rests"):
        await one()
    assert not provider.calls
    now[0], replies["small"], replies["large"] = 60.0, good(), good()
    assert len(await asyncio.gather(*(one() for _ in range(10)))) == 10


async def test_a_deadline_ends_the_wait_for_a_probe() -> None:
    now = [0.0]
    tiers = (tier("small"),)
    provider = Provider({"small": DOWN})
    cascade = cascade_of(provider, tiers, clock=lambda: now[0])
    for _ in range(4):
        with pytest.raises(Transient):
            await cascade.run(asked(), Trace(), Written(), cheapest=False)
    now[0], provider.pause_s = 60.0, 30.0
    probe = asyncio.create_task(cascade.run(asked(), Trace(), Written(), cheapest=False))
    await asyncio.sleep(0.01)
    with pytest.raises(Transient, match="every deployment rests"):
        await cascade.run(asked(deadline_ms=50, accepted_at=1_000), Trace(), Written(), cheapest=False)
    probe.cancel()


async def test_a_deadline_is_split_so_that_the_next_has_time_too() -> None:
    tiers = (tier("small", "a"), tier("large", "b"))
    provider = Provider({"a": DOWN, "b": good()})
    await run(provider, tiers, deadline_ms=8_000, accepted_at=1_000)
    assert [(name, call.timeout_s) for name, call in provider.calls] == [("a", 4.0), ("b", 8.0)]


async def test_what_a_request_may_cost_is_for_all_its_calls() -> None:
    """The small tier's answer is doubtful, and with the large one's worst case it would come to more."""
    text = "What is the capital of France?"
    worst = 1_000 * (len(text) + 1_024)
    provider = Provider({"small": bad(), "large": good()})
    served, _ = await run(provider, max_cost_nanousd=worst)
    assert (served.tier, served.degraded, len(provider.calls)) == ("small", True, 1)
    served, _ = await run(provider, max_cost_nanousd=worst + 15_000)
    assert served.tier == "large"


async def test_earlier_tries_count_too() -> None:
    trace = Trace(spent_before=1)
    cascade = cascade_of(Provider({"small": good(), "large": good()}), TIERS)
    with pytest.raises(Rejected) as refused:
        await cascade.run(asked(max_cost_nanousd=1_000 * (30 + 1_024)), trace, Written(), cheapest=False)
    assert refused.value.code == "max_cost"


async def test_who_finds_no_room_before_the_deadline_expires() -> None:
    only = tier("small", "a")
    narrow = only.model_copy(update={"deployments": (only.deployments[0].model_copy(update={"max_in_flight": 1}),)})
    cascade = cascade_of(Provider({"a": good()}, pause_s=0.3), (narrow,))
    first = asyncio.create_task(cascade.run(asked(), Trace(), Written(), cheapest=False))
    await asyncio.sleep(0.01)
    with pytest.raises(Expired):
        await cascade.run(asked(deadline_ms=50, accepted_at=1_000), Trace(), Written(), cheapest=False)
    assert (await first).tier == "small"


class Dearest(FromTheCheapest):
    """Thinks every question hard."""

    def first(self, _question: str, prices: Mapping[str, float]) -> str:
        return list(prices)[-1]


@pytest.mark.parametrize(("late", "first"), [(False, "large"), (True, "small")])
async def test_what_is_late_is_asked_of_the_cheapest_tier_first(late: bool, first: str) -> None:
    provider, trace = Provider({"small": good(), "large": good()}), Trace()
    cascade = cascade_of(provider, TIERS, router=Dearest())
    served = await cascade.run(asked(), trace, Written(), cheapest=False, late=late)
    assert served.tier == first


async def test_what_is_late_still_gets_the_better_answer_if_the_cheapest_has_none() -> None:
    trace = Trace()
    cascade = cascade_of(Provider({"small": bad(), "large": good()}), TIERS, router=Dearest())
    served = await cascade.run(asked(), trace, Written(), cheapest=False, late=True)
    assert served.tier == "large"


@pytest.mark.parametrize(
    ("deadline_ms", "now_ms", "late"), [(None, 9_000, False), (4_000, 3_000, False), (4_000, 3_001, True)]
)
def test_late_is_what_has_lost_more_than_half_of_its_time(deadline_ms: int | None, now_ms: int, late: bool) -> None:
    assert is_late(asked(deadline_ms=deadline_ms, accepted_at=1_000), now_ms) is late
