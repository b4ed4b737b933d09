"""Which answers are heard while they are written? Those that nothing can take back, by whoever asked to hear them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract import headers as h
from forebay.contract.failures import Transient
from forebay.contract.handlers import Output
from forebay.contract.records import Completion, Delta, RedactedRequest, UsageEvent, UsageStatus
from forebay.runtime.fair_queue import FairQueue
from forebay.state.idempotency import Claims
from forebay.testing import MemoryClaims, codecs, context
from forebay_agents.completion.admission import Admission
from forebay_agents.completion.handler import CompletionHandler
from forebay_agents.completion.metrics import CompressionMetrics
from forebay_agents.completion.quotas.budgets import NoBudgets
from forebay_agents.completion.quotas.settings import LimitsSettings
from forebay_agents.completion.routing.live import FromTheCheapest, Router
from forebay_agents.completion.settings import CompletionSettings
from forebay_agents.completion.shortening import Shortener
from forebay_agents.models.providers.provider import Answer, Call, ProviderError
from forebay_agents.models.settings import Deployment, Tier
from tests.unit.completion.fakes import NoLimits, Provider, Written, asked, bad, cascade_of, good, tier

CODECS = codecs()
JSON = '{"type": "json_object"}'


class Speaking(Provider):
    """Says its answers word by word; of one that breaks, the first half."""

    async def complete(self, deployment: Deployment, call: Call) -> Answer:
        reply = self.replies[deployment.name]
        assert not callable(reply)
        words = "Paris is not the whole answer" if isinstance(reply, ProviderError) else reply.content
        for word in words.split():
            if call.said is not None:
                call.said(f"{word} ")
        return await super().complete(deployment, call)


class Bench:
    def __init__(
        self,
        tiers: Sequence[Tier],
        hedge_share: float = 0.0,
        router: Router | None = None,
        **replies: Answer | ProviderError,
    ) -> None:
        self.provider = Speaking(dict(replies))
        self.written = Written()
        self.hints: list[Output] = []
        self._handler = CompletionHandler(
            cascade_of(self.provider, tiers, hedge_share=hedge_share, router=router),
            Admission(LimitsSettings(), NoLimits(), NoBudgets(), lambda: 1),
            FairQueue(4, 4),
            Shortener(CompletionSettings(), CompressionMetrics(CollectorRegistry())),
            Claims(MemoryClaims(), CODECS),
            claim_required=True,
            waits_s=(10.0, 60.0),
            now_ms=lambda: 1,
            flush_s=0.0,
        )

    async def answer(
        self, request: RedactedRequest, reply_to: bytes | None = b"3", stream: bytes | None = None
    ) -> Sequence[Output]:
        given = ((h.REPLY_TO, reply_to), (h.STREAM, stream))
        headers = {name: value for name, value in given if value is not None}
        delivery = context(
            "requests.uncached", headers=headers, write_ahead=self.written, hint=lambda hints: self.hints.extend(hints)
        )
        return await self._handler.handle(request, delivery)

    @property
    def heard(self) -> list[Delta]:
        return [hint.value for hint in self.hints if isinstance(hint.value, Delta)]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.heard)


SMALL, LARGE = tier("small", accept=0.6), tier("large", accept=0.5)


async def test_the_only_tier_is_heard_in_the_partition_that_the_door_named() -> None:
    bench = Bench([SMALL, LARGE], small=good())
    outputs = await bench.answer(asked(tier="small", user_id="u_1", vault_ref="v-1"))
    assert bench.text.strip() == good().content
    assert {(hint.topic, hint.key, hint.partition) for hint in bench.hints} == {("deltas", "r", 3)}
    assert {(piece.user_id, piece.vault_ref, piece.tier, piece.model) for piece in bench.heard} == {
        ("u_1", "v-1", "small", "small")
    }
    assert {piece.attempt_id for piece in bench.heard} == {bench.written.entries[0].attempt_id}
    assert outputs[-1].topic == "completions"


@pytest.mark.parametrize("reply_to", [None, b"16", b"", b"three"])
async def test_nobody_hears_what_no_door_asked_for(reply_to: bytes | None) -> None:
    bench = Bench([SMALL], small=good())
    await bench.answer(asked(), reply_to)
    assert bench.hints == []


async def test_a_tier_whose_answer_may_be_escalated_is_not_heard() -> None:
    bench = Bench([SMALL, LARGE], small=good(), large=good())
    await bench.answer(asked())
    assert bench.hints == []
    assert [name for name, _ in bench.provider.calls] == ["small"]


async def test_a_dearer_tier_is_not_heard_either_where_the_cheaper_answer_may_be_given_in_its_place() -> None:
    bench = Bench([SMALL, LARGE], small=bad(), large=bad())
    await bench.answer(asked())
    assert bench.hints == []
    assert [name for name, _ in bench.provider.calls] == ["small", "large"]


async def test_the_dearest_is_heard_where_no_cheaper_one_answered() -> None:
    bench = Bench([SMALL, LARGE], small=ProviderError("provider_unavailable", "gone"), large=good())
    await bench.answer(asked())
    assert {piece.tier for piece in bench.heard} == {"large"}
    assert bench.text.strip() == good().content


async def test_json_is_not_heard_since_it_is_checked_and_repaired_as_a_whole() -> None:
    bench = Bench([SMALL], small=good('{"city": "Paris"}'))
    await bench.answer(asked(response_format=JSON))
    assert bench.hints == []
    plain = Bench([SMALL], small=good())
    await plain.answer(asked(response_format='{"type": "text"}'))
    assert plain.text.strip() == good().content


async def test_a_call_that_is_heard_is_not_hedged() -> None:
    both = tier("only", "one", "two", accept=0.5)
    bench = Bench([both], hedge_share=1.0, one=good(), two=good())
    for number in range(40):  # more than it takes to know what late is
        await bench.answer(replace(asked(f"What is {number} + 1?"), request_id=f"r-{number}"))
    assert len({piece.attempt_id for piece in bench.heard}) == len(bench.provider.calls) == 40


async def test_what_breaks_off_is_another_call_than_what_answers_and_both_are_in_the_ledger() -> None:
    broken = ProviderError("provider_cut_off", "broke off", may_be_billed=True)
    bench = Bench([tier("only", "one", "two", accept=0.5)], one=broken, two=broken)
    with pytest.raises(Transient) as failed:
        await bench.answer(asked())
    assert failed.value.code == "provider_cut_off"
    first, second = dict.fromkeys(piece.attempt_id for piece in bench.heard)
    opened = [entry for entry in bench.written.entries if entry.status is UsageStatus.STARTED]
    assert [entry.attempt_id for entry in opened] == [first, second]
    closed = [entry for entry in bench.written.entries if entry.status is UsageStatus.UNSETTLED]
    assert [entry.error_code for entry in closed] == ["provider_cut_off"] * 2
    assert next(piece.at for piece in bench.heard if piece.attempt_id == second) == 0


async def test_what_was_paid_is_published_again_without_being_heard() -> None:
    bench = Bench([SMALL], small=good())
    first = await bench.answer(asked())
    heard = len(bench.heard)
    second = await bench.answer(asked())
    assert (len(bench.heard), len(bench.provider.calls)) == (heard, 1)
    assert [type(output.value) for output in second] == [bytes] * len(first)
    assert isinstance(CODECS["completions"].decode(second[-1].value), Completion)  # type: ignore[arg-type]  # bytes
    assert isinstance(CODECS["usage"].decode(second[0].value), UsageEvent)  # type: ignore[arg-type]  # bytes


class Guessing(FromTheCheapest):
    """Guesses how probably each tier suffices."""

    def __init__(self, **chances: float) -> None:
        self.chances = chances

    def early(self, _question: str, prices: Mapping[str, float], least: float) -> str:
        return next((name for name in prices if self.chances[name] >= least), list(prices)[-1])


def done(outputs: Sequence[Output]) -> Completion:
    [found] = [one.value for one in outputs if isinstance(one.value, Completion)]
    return found


@pytest.mark.parametrize(("chance", "chosen"), [(0.95, "small"), (0.89, "large")])
async def test_who_wants_to_hear_early_hears_the_cheapest_that_probably_suffices(chance: float, chosen: str) -> None:
    bench = Bench([SMALL, LARGE], router=Guessing(small=chance, large=0.99), small=good(), large=good())
    found = done(await bench.answer(asked(), stream=h.EARLY))
    assert bench.text.strip() == good().content
    assert {piece.tier for piece in bench.heard} == {chosen}
    assert (found.tier, found.degraded) == (chosen, False)


async def test_an_answer_that_was_heard_is_not_escalated_and_the_record_says_what_it_is_worth() -> None:
    bench = Bench([SMALL, LARGE], router=Guessing(small=0.95, large=0.99), small=bad(), large=good())
    found = done(await bench.answer(asked(), stream=h.EARLY))
    assert [name for name, _ in bench.provider.calls] == ["small"]
    assert (found.tier, found.content, found.degraded) == ("small", bad().content, True)
    assert (found.confidence or 0) < SMALL.accept


async def test_a_tier_that_is_out_is_passed_by_early_too() -> None:
    gone = ProviderError("provider_unavailable", "gone")
    bench = Bench([SMALL, LARGE], router=Guessing(small=0.95, large=0.99), small=gone, large=good())
    found = done(await bench.answer(asked(), stream=h.EARLY))
    assert (found.tier, bench.heard[-1].tier) == ("large", "large")


@pytest.mark.parametrize("how", [b"", b"late", b"EARLY"])
async def test_otherwise_nothing_is_heard_that_may_be_taken_back(how: bytes) -> None:
    bench = Bench([SMALL, LARGE], router=Guessing(small=0.95, large=0.99), small=good(), large=good())
    await bench.answer(asked(), stream=how)
    assert bench.hints == []
