"""What does the completion stage publish for a request? Once paid, always published; what was paid, always told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract import headers as h
from forebay.contract.failures import Expired, Failure, Permanent, Rejected, Transient
from forebay.contract.handlers import Context, Output
from forebay.contract.records import (
    Alert,
    AnswerSource,
    Completion,
    Message,
    Params,
    RedactedRequest,
    ResponseStatus,
    UsageEvent,
    UsageStatus,
    WindowKind,
)
from forebay.runtime.fair_queue import FairQueue
from forebay.state.idempotency import Claims
from forebay.state.keys import Owned, owned
from forebay.testing import MemoryClaims, codecs, context
from forebay_agents.completion.admission import Admission
from forebay_agents.completion.handler import CompletionHandler
from forebay_agents.completion.metrics import CompressionMetrics
from forebay_agents.completion.quotas.budgets import Account, Budgets, NoBudgets, Reservation, Room
from forebay_agents.completion.quotas.settings import LimitsSettings
from forebay_agents.completion.settings import CompletionSettings
from forebay_agents.completion.shortening import Shortener
from forebay_agents.models.providers.provider import Call, ProviderError, Usage
from tests.unit.completion.compression.test_messages import TALK
from tests.unit.completion.fakes import NoLimits, Provider, Written, asked, bad, cascade_of, good, tier

NOW_MS = 7_000
TIERS = (tier("small", accept=0.6), tier("large", accept=0.5))
CODECS = codecs()


class Purse(NoBudgets):
    """Every budget has the same room."""

    def __init__(self) -> None:
        self.room = Room.OK
        self.asked = 0
        self.left = 1 << 62

    async def reserve(
        self, tenant_id: str, user_id: str, reservation_id: str, amount: int, *, key_id: str | None = None
    ) -> Reservation:
        self.asked += 1
        key = owned(Owned.TENANT_BUDGET, tenant_id)
        account = Account(key=key, before=key, kind=WindowKind.DAY, limit=1, ids=(tenant_id,))
        fills = ((account, 800),) if self.room is Room.SOFT else ()
        room = self.room if amount <= self.left else Room.HARD
        return Reservation(id=reservation_id, room=room, fills=fills)


@dataclass
class Bench:
    """A handler whose provider, claims and budgets a test has at hand."""

    provider: Provider
    claims: MemoryClaims = field(default_factory=MemoryClaims)
    purse: Purse = field(default_factory=Purse)
    written: Written = field(default_factory=Written)

    def handler(self, *, claim_required: bool = True, **own: object) -> CompletionHandler:
        budgets: Budgets = self.purse
        settings = CompletionSettings(**own)  # type: ignore[arg-type]  # any key of the section
        return CompletionHandler(
            cascade_of(self.provider, TIERS),
            Admission(LimitsSettings(), NoLimits(), budgets, lambda: NOW_MS),
            FairQueue(4, 4),
            Shortener(settings, CompressionMetrics(CollectorRegistry())),
            Claims(self.claims, CODECS),
            claim_required=claim_required,
            waits_s=(10.0, 60.0),
            now_ms=lambda: NOW_MS,
        )

    def context(self, **headers: bytes) -> Context:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return context("requests.uncached", key=b"r", headers=named, accepted_at=0, write_ahead=self.written)


def bench(**replies: object) -> Bench:
    return Bench(provider=Provider({"small": good(), "large": good()} | replies))  # type: ignore[arg-type]  # replies


def decoded(outputs: Sequence[Output]) -> list[object]:
    """Values as they are published: kept outputs are bytes."""
    return [CODECS[one.topic].decode(one.value) if isinstance(one.value, bytes) else one.value for one in outputs]


def completion_of(outputs: Sequence[Output]) -> Completion:
    (found,) = (value for value in decoded(outputs) if isinstance(value, Completion))
    return found


async def test_the_completion_says_what_it_took() -> None:
    table = bench(small=bad())
    outputs = await table.handler().handle(asked(tenant_id="t", user_id="u"), table.context())
    found = completion_of(outputs)
    entries = [value for value in decoded(outputs) if isinstance(value, UsageEvent)]
    assert (found.status, found.source, found.tier) == (ResponseStatus.OK, AnswerSource.MODEL, "large")
    assert (found.tenant_id, found.user_id, found.completed_at) == ("t", "u", NOW_MS)
    assert found.cost_nanousd == sum(entry.cost_nanousd for entry in entries) == 30_000
    assert (found.prompt_tokens, found.completion_tokens) == (20, 10)
    assert [attempt.outcome for attempt in found.attempts] == ["escalated", "ok"]
    assert [entry.status for entry in entries] == [UsageStatus.SETTLED] * 2
    assert {output.key for output in outputs if output.topic == "usage"} == {"t|u"}
    assert outputs[-1].key == "r"


async def test_what_pays_for_no_call_is_refused_before_anything_is_claimed() -> None:
    table = bench()
    table.purse.left = 1
    with pytest.raises(Rejected) as refused:
        await table.handler().handle(asked(), table.context())
    assert refused.value.code == "budget_exceeded"
    assert (table.purse.asked, table.claims.owners, table.provider.calls) == (1, {}, [])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"request_id": ""}, "request_id must not be empty"),
        ({"tools": "no JSON"}, "tools must be JSON"),
        ({"tools": "[" * 100_000}, "tools must be JSON"),
        ({"tools": "{}"}, "tools must be a JSON array"),
        ({"tools": "[1]"}, "tools must be a JSON array of objects"),
        ({"response_format": "[]"}, "response_format must be a JSON object"),
        ({"messages": (Message(tool_calls="null"),)}, "messages[0].tool_calls must be a JSON array"),
        ({"params": Params(max_tokens=-1)}, "params.max_tokens must be positive, and no more than a model can write"),
        (
            {"params": Params(max_tokens=1 << 62)},
            "params.max_tokens must be positive, and no more than a model can write",
        ),
    ],
)
async def test_what_was_put_behind_the_door_is_refused_as_at_the_door(fields: dict[str, object], told: str) -> None:
    bench = Bench(Provider({}))
    request = replace(asked(), **fields)  # type: ignore[arg-type]  # as the cases say
    with pytest.raises(Rejected) as caught:
        await bench.handler().handle(request, bench.context())
    assert (caught.value.code, caught.value.message) == ("invalid_request", told)
    assert bench.purse.asked == 0


async def test_nothing_is_asked_of_no_model() -> None:
    bench = Bench(Provider({}))
    with pytest.raises(Rejected, match="messages must not be empty"):
        await bench.handler().handle(replace(asked(), messages=()), bench.context())
    assert (bench.provider.calls, bench.claims.owners) == ([], {})


async def test_a_prompt_that_may_be_cut_is_not_refused_for_its_length() -> None:
    table = bench()
    table.purse.left = 1_100_000  # an answer of 1,024 tokens, and 76 of the prompt
    talk = "So we talked of the roof, the garden and the neighbours' dog for a while. " * 60
    messages = (Message(content=talk), Message(content="What colour is the door?"))
    outputs = await table.handler(compress_keep=0.6).handle(replace(asked(), messages=messages), table.context())
    assert completion_of(outputs).status is ResponseStatus.OK, "what was said again and again went, and it fitted"
    assert outputs[-1].headers == {h.COMPRESSION: b"cut"}


async def test_what_is_paid_is_published_again_before_anything_is_asked() -> None:
    table = bench()
    handler = table.handler()
    first = await handler.handle(asked(), table.context())
    table.purse.room, asked_before = Room.HARD, table.purse.asked
    again = await handler.handle(asked(), table.context())
    assert decoded(again) == decoded(first)
    assert len(table.provider.calls) == 1
    assert table.purse.asked == asked_before, "budgets have no say in what is paid already"
    with pytest.raises(Rejected):
        await handler.handle(asked(user_id="u", tenant_id="another"), table.context())


async def test_an_answer_is_of_its_tenant() -> None:
    table = bench()
    handler = table.handler()
    for tenant in ("a", "b"):
        assert completion_of(await handler.handle(asked(tenant_id=tenant), table.context())).tenant_id == tenant
    assert len(table.provider.calls) == 2


async def test_deliveries_at_the_same_time_are_paid_once() -> None:
    table = bench()
    table.provider.pause_s = 0.05
    handler = table.handler()
    found = await asyncio.gather(*(handler.handle(asked(), table.context()) for _ in range(4)))
    assert len(table.provider.calls) == 1
    assert len({completion_of(outputs).attempts[0].attempt_id for outputs in found}) == 1


async def test_without_claims_a_request_waits() -> None:
    table = bench()
    table.claims.down = True
    with pytest.raises(Transient) as failed:
        await table.handler().handle(asked(), table.context())
    assert failed.value.code == "redis_unavailable"
    assert not table.provider.calls


async def test_without_claims_it_is_answered_if_that_is_wanted() -> None:
    table = bench()
    table.claims.down = True
    outputs = await table.handler(claim_required=False).handle(asked(), table.context())
    assert completion_of(outputs).status is ResponseStatus.OK


async def test_claims_that_vanish_during_the_call_lose_nothing() -> None:
    table = bench()

    def reply(_call: Call):  # type: ignore[no-untyped-def]
        table.claims.down = True
        return good()

    table.provider.replies["small"] = reply
    assert completion_of(await table.handler().handle(asked(), table.context())).status is ResponseStatus.OK


async def test_a_failure_carries_what_was_paid_and_leaves_its_entries() -> None:
    billed = ProviderError("provider_timeout", "too slow", may_be_billed=True)
    table = bench(small=billed, large=billed)
    handler = table.handler()
    with pytest.raises(Transient) as failed:
        await handler.handle(asked(), table.context(forebay_spent_nanousd=b"1000"))
    ended = [entry for entry in table.written.entries if entry.status is not UsageStatus.STARTED]
    assert len(ended) == 2
    paid = sum(entry.cost_nanousd for entry in ended)
    assert paid > 0
    assert h.number(failed.value.carry, h.SPENT) == 1_000 + paid
    assert completion_of(handler.on_failure(asked(), table.context(), failed.value)).cost_nanousd == 1_000 + paid
    table.provider.replies["small"] = good()  # the claim was given up: the next try need not wait for a lease
    retried = table.context(forebay_spent_nanousd=failed.value.carry[h.SPENT])
    assert completion_of(await handler.handle(asked(), retried)).cost_nanousd == 1_000 + paid + 15_000


async def test_a_withheld_answer_is_paid_and_says_why_it_is_none() -> None:
    usage = Usage(prompt_tokens=10, completion_tokens=2, estimated=True)
    withheld = ProviderError("content_policy", "withheld", usage=usage, finish="content_filter")
    table = bench(small=withheld, large=withheld)
    handler = table.handler()
    with pytest.raises(Rejected) as failed:
        await handler.handle(asked(), table.context())
    ended = [entry for entry in table.written.entries if entry.status is not UsageStatus.STARTED]
    assert [(entry.status, entry.estimated) for entry in ended] == [(UsageStatus.SETTLED, True)] * 2
    told = completion_of(handler.on_failure(asked(), table.context(), failed.value))
    assert (told.status, told.finish_reason, told.cost_nanousd) == (ResponseStatus.REJECTED, "content_filter", 24_000)


async def test_a_mistake_of_ours_leaves_no_paid_call_open() -> None:
    broken = replace(good(), content=None)  # type: ignore[arg-type]  # as no provider of ours gives it
    table = bench(small=broken)
    with pytest.raises(AttributeError):
        await table.handler().handle(asked(), table.context())
    assert [entry.status for entry in table.written.entries] == [UsageStatus.STARTED, UsageStatus.SETTLED]


async def test_short_money_buys_the_cheapest_tier_and_is_told() -> None:
    table = bench(small=bad())
    table.purse.room = Room.SOFT
    outputs = await table.handler().handle(asked(), table.context())
    assert outputs[0].topic == "alerts"
    assert isinstance(outputs[0].value, Alert)
    assert outputs[0].key == outputs[0].value.fingerprint
    assert [one.value.kind for one in outputs if isinstance(one.value, Alert)] == [
        "budget_half_spent",
        "budget_nearly_spent",
    ]
    found = completion_of(outputs)
    assert (found.tier, found.degraded) == ("small", True)


@pytest.mark.parametrize(
    ("settings", "is_cut"), [({"compress_holdout": 0.0}, True), ({"compress_holdout": 1.0}, False)]
)
async def test_a_long_history_is_cut_for_the_model_and_whole_in_the_completion(
    settings: dict[str, object], is_cut: bool
) -> None:
    table = bench()
    handler = table.handler(compress_least_tokens=20, **settings)
    found = completion_of(await handler.handle(RedactedRequest(request_id="r", messages=TALK), table.context()))
    sent = table.provider.calls[0][1].messages
    assert (sum(map(_size, sent)) < 0.8 * sum(map(_size, TALK))) is is_cut
    assert sent[-1] == TALK[-1]
    assert found.request is not None
    assert found.request.messages == TALK


def _size(message: Message) -> int:
    return len(message.content)


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Rejected("budget_exceeded", "used up"), ResponseStatus.REJECTED),
        (Permanent("no_tier", "none"), ResponseStatus.FAILED),
        (Expired("deadline_exceeded", "late"), ResponseStatus.FAILED),
        (Transient("provider_unavailable", "down"), ResponseStatus.FAILED),
    ],
)
def test_a_requester_hears_of_every_failure(failure: Failure, status: ResponseStatus) -> None:
    table = bench()
    (output,) = table.handler().on_failure(asked(tenant_id="t", user_id="u"), table.context(), failure)
    found = completion_of([output])
    assert found.error is not None
    assert (output.topic, output.key, found.status) == ("completions", "r", status)
    assert (found.error.code, found.error.message) == (failure.code, failure.message)
    assert (found.tenant_id, found.user_id, found.cost_nanousd) == ("t", "u", 0)


def test_also_of_one_that_cannot_be_read() -> None:
    table = bench()
    delivery = table.context(forebay_request_id=b"original", forebay_spent_nanousd=b"12")
    (output,) = table.handler().on_failure(None, delivery, Permanent("undecodable", "no avro"))
    found = completion_of([output])
    assert (found.request_id, found.request, found.cost_nanousd) == ("original", None, 12)


def test_also_of_one_without_an_id() -> None:
    table = bench()
    failure = Rejected("invalid_request", "request_id must not be empty")
    (output,) = table.handler().on_failure(replace(asked(), request_id=""), table.context(), failure)
    assert (output.key, completion_of([output]).request_id) == (table.context().fallback_id,) * 2


@pytest.mark.parametrize(
    ("attempt", "asked_s", "wait_s"),
    [(1, 3.0, 3.0), (1, None, None), (2, 1.0, 10.0), (4, None, 40.0), (12, 3.0, 60.0)],
)
async def test_a_short_outage_is_followed_closely_and_a_long_one_outlived(
    attempt: int, asked_s: float | None, wait_s: float | None
) -> None:
    down = ProviderError("provider_unavailable", "down", retry_after_s=asked_s)
    table = bench(small=down, large=down)
    with pytest.raises(Transient) as failed:
        await table.handler().handle(asked(), replace(table.context(), attempt=attempt))
    assert failed.value.retry_after_s == wait_s


async def test_what_the_provider_asks_for_is_never_cut_short() -> None:
    down = ProviderError("provider_rate_limited", "slow down", retry_after_s=900.0)
    table = bench(small=down, large=down)
    with pytest.raises(Transient) as failed:
        await table.handler().handle(asked(), replace(table.context(), attempt=3))
    assert failed.value.retry_after_s == 900.0
