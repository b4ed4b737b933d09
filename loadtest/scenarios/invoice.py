"""Does spend equal the provider's invoice to the nano-dollar, whatever happens between a call and its row?

The parts that count are Forebay's own: the caller writes the ledger (with the price list), entries go through Avro, the
cost stage's projection makes rows, and ``forebay spend`` sums them up. Around them everything is simulated in one
process, so that a run of a seed is the same each time and every fault happens often: a provider that bills by its own
arithmetic; workers of which one's clock is three hours ahead; entries that are produced twice, and replayed at the end;
a cost worker that is killed again and again, of whose two changelogs any beginning survives beyond what was committed.
What it does not show is Kafka: killed processes on real brokers are ``make chaos``.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from forebay.avro.codec import Codec
from forebay.avro.registry import LocalRegistry
from forebay.contract.handlers import Output
from forebay.contract.records import CallPurpose, Message, Params, Spend, UsageEvent, WindowKind
from forebay.contract.windows import HOUR_MS, window_start
from forebay_agents.cost.operations import spend_of_entries
from forebay_agents.cost.projection import Projection
from forebay_agents.cost.spending.facts import Entered, of_rows
from forebay_agents.cost.spending.grouping import SpendQuery, grouped
from forebay_agents.models.ledger import Payer
from forebay_agents.models.providers.provider import Answer, Call, ProviderError, Usage
from forebay_agents.models.settings import Deployment
from loadtest.scenarios.changelog import Changelog

USERS, _TENANTS, _PARTITIONS = 500, 20, 12
_BEGIN_MS = 1_793_750_400_000 + 21 * HOUR_MS  # nine in the evening: three hours ahead is tomorrow
_DOUBLED, _REPLAYED, _FAILS, _JUDGED = 0.08, 0.05, 0.03, 0.1
_KILLED_EVERY = 400
"""Records of a partition between two deaths of its worker, on average."""
_RATES = {
    "small": ("0.15", "0.075", "0.6"),
    "large": ("3", "0.3", "15"),
    "odd": ("0.0375", "0.0033333", "0.1234567"),
}
"""Tier to US dollars per million tokens: input, of it what the provider had cached, output."""
_DEPLOYMENTS = {
    tier: Deployment.model_validate(
        {
            "name": tier,
            "model": f"sim/{tier}",
            "price": dict(zip(("input", "cached_input", "output"), rates, strict=True)),
        }
    )
    for tier, rates in _RATES.items()
}
KEYS = (("tenant", "user"), ("model",), ("tier",), ("purpose",), ("day",))


@dataclass(frozen=True, kw_only=True, slots=True)
class Billed:
    """A line of the invoice."""

    tenant: str
    user: str
    model: str
    tier: str
    purpose: str
    nanousd: int

    def key(self, by: Sequence[str]) -> tuple[Any, ...]:
        """What it is grouped by; all calls are of one day."""
        day = window_start(WindowKind.DAY, _BEGIN_MS)
        return tuple(day if name == "day" else getattr(self, name) for name in by)


class Provider:
    """Answers, counts tokens, and bills."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.usage: Usage | None = None

    async def ready(self) -> None:
        """It always is."""

    def count_tokens(self, _deployment: Deployment, messages: Sequence[Message]) -> int:
        """About a token for each four characters."""
        return sum(len(message.content) for message in messages) // 4

    def list_price(self, _model: str) -> None:
        """It has no list."""

    async def complete(self, _deployment: Deployment, _call: Call) -> Answer:
        """An answer that is billed, or a failure that is not."""
        self.usage = None
        if self._random.random() < _FAILS:
            raise ProviderError("provider_unavailable", "HTTP 503")
        prompt = self._random.randint(1, 3_000)
        self.usage = Usage(
            prompt_tokens=prompt,
            completion_tokens=self._random.randint(1, 800),
            cached_prompt_tokens=self._random.choice((0, prompt // 2, prompt)),
        )
        return Answer(content="It is 19.", finish_reason="stop", usage=self.usage)


def billed_nanousd(tier: str, usage: Usage) -> int:
    """What the provider charges: by fractions, rounded once, half to even."""
    rates = [Fraction(rate) * 1_000 for rate in _RATES[tier]]
    cached = usage.cached_prompt_tokens
    return round(rates[0] * (usage.prompt_tokens - cached) + rates[1] * cached + rates[2] * usage.completion_tokens)


@dataclass(frozen=True, kw_only=True, slots=True)
class Logged:
    """A record of ``usage``: its bytes, and when the brokers took it."""

    value: bytes
    taken_ms: int


class Run:
    """Calls by many users, and the log of their ledger.

    Args:
        requests: each is a call, a tenth of them are judged by a second one.
    """

    def __init__(self, requests: int, seed: int) -> None:
        self._requests = requests
        self._random = random.Random(seed)
        self._now_ms = _BEGIN_MS
        self._codec: Codec[UsageEvent] = Codec(UsageEvent, "usage-value", LocalRegistry())
        self._provider = Provider(seed)
        self.invoice: list[Billed] = []
        self.log: dict[int, list[Logged]] = defaultdict(list)
        self.doubled = self.replayed = self.entries = 0

    async def make(self) -> None:
        """All calls, then the replays."""
        callers = [
            {purpose: self._caller(purpose, ahead_ms) for purpose in (CallPurpose.COMPLETION, CallPurpose.JUDGE)}
            for ahead_ms in (0, 0, 3 * HOUR_MS)
        ]
        for number in range(self._requests):
            self._now_ms += self._random.randint(1, 200)
            user = self._random.randrange(USERS)
            payer = Payer(request_id=f"r-{number}", tenant_id=f"t-{user % _TENANTS}", user_id=f"u-{user}")
            worker = self._random.choice(callers)
            await self._call(worker[CallPurpose.COMPLETION], payer, CallPurpose.COMPLETION)
            if self._random.random() < _JUDGED:
                await self._call(worker[CallPurpose.JUDGE], payer, CallPurpose.JUDGE)
        for partition, records in self.log.items():
            again = [one for one in records if self._random.random() < _REPLAYED]
            self._random.shuffle(again)
            self.replayed += len(again)
            self.log[partition] = records + [Logged(value=one.value, taken_ms=self._now_ms) for one in again]

    def _caller(self, purpose: CallPurpose, ahead_ms: int) -> Any:
        from prometheus_client import CollectorRegistry

        from forebay.privacy.egress import EgressGuard
        from forebay_agents.models.caller import Caller
        from forebay_agents.models.ledger import Ledger
        from forebay_agents.models.metrics import ModelMetrics
        from forebay_agents.models.pricing import PriceList

        prices = PriceList({}, self._provider.list_price, lambda: self._now_ms)
        ledger = Ledger(purpose, lambda: self._now_ms + ahead_ms)
        return Caller(self._provider, prices, ledger, ModelMetrics(CollectorRegistry()), EgressGuard())

    async def _call(self, caller: Any, payer: Payer, purpose: CallPurpose) -> None:
        tier = self._random.choice([*_DEPLOYMENTS])
        deployment = _DEPLOYMENTS[tier]

        def build(attempt_id: str) -> Call:
            return Call(
                attempt_id=attempt_id, request_id=payer.request_id, messages=(Message(content="What is 12 + 7?"),),
                params=Params(), max_tokens=800, timeout_s=10.0,
            )  # fmt: skip

        outcome = await caller.call(payer, tier, deployment, build, self._written)
        self._enter(outcome.entry)
        if (usage := self._provider.usage) is not None:
            self.invoice.append(
                Billed(
                    tenant=payer.tenant_id,
                    user=payer.user_id,
                    model=deployment.model,
                    tier=tier,
                    purpose=purpose.value,
                    nanousd=billed_nanousd(tier, usage),
                )
            )

    async def _written(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            assert isinstance(output.value, UsageEvent)
            self._enter(output.value)

    def _enter(self, entry: UsageEvent) -> None:
        records = self.log[int(entry.user_id[2:]) % _PARTITIONS]
        times = 2 if self._random.random() < _DOUBLED else 1
        self.entries += 1
        self.doubled += times - 1
        records.extend([Logged(value=self._codec.encode(entry), taken_ms=self._now_ms)] * times)

    def read(self, record: Logged) -> UsageEvent:
        """The entry of a record."""
        return self._codec.decode(record.value)


def booked(run: Run, chance: random.Random) -> tuple[list[Spend], int]:
    """The newest rows of ``spend``, made by cost workers that are killed; and how often they were."""
    published: dict[str, Spend] = {}
    deaths = 0
    for partition, records in run.log.items():
        attempts, spend = Changelog(), Changelog()
        committed = 0
        while committed < len(records):
            life = min(len(records), committed + round(chance.expovariate(1 / _KILLED_EVERY)) + 1)
            projection = Projection(attempts, spend)
            for offset in range(committed, life):
                attempts.offset = spend.offset = offset
                record = records[offset]
                for key, row in projection.apply(
                    run.read(record), partition=partition, offset=offset, taken_ms=record.taken_ms, now_ms=0
                ):
                    known = published.get(key)
                    if known is None or row.revision >= known.revision:
                        published[key] = row
            if life == len(records):
                break
            deaths += 1
            committed = chance.randint(max(committed, life - 40), life)
            for table in (attempts, spend):
                table.die(committed, chance.randint(0, 60))
    return list(published.values()), deaths


def differences(found: Iterable[Any], run: Run) -> tuple[int, list[str]]:
    """How many groups were compared by all :data:`KEYS`, and those that differ from the invoice, in words."""
    compared, wrong = 0, []
    facts = list(found)
    for by in KEYS:
        ours = {group.keys: group.amounts.cost_nanousd for group in grouped(facts, SpendQuery(by=by)).groups}
        theirs: defaultdict[tuple[Any, ...], int] = defaultdict(int)
        for line in run.invoice:
            theirs[line.key(by)] += line.nanousd
        for key in ours.keys() | theirs.keys():
            compared += 1
            if ours.get(key, 0) != theirs.get(key, 0):
                wrong.append(f"{by} {key}: {ours.get(key, 0)} in spend, {theirs.get(key, 0)} on the invoice")
    return compared, wrong


def report(requests: int, seed: int = 1) -> dict[str, Any]:
    """One run; ``differences`` is empty when the spend of each user, model, tier, purpose and day is the invoice's.

    ``rows`` are what the cost stage made; the total is also taken from the ledger, as ``forebay spend --from`` does.
    """
    begun = time.process_time()
    run = Run(requests, seed)
    asyncio.run(run.make())
    rows, deaths = booked(run, random.Random(seed + 1))
    entries = [
        Entered(entry=run.read(record), taken_ms=record.taken_ms, place=(partition, offset))
        for partition, records in run.log.items()
        for offset, record in enumerate(records)
    ]
    compared, wrong = differences(of_rows(row for row in rows if row.window is WindowKind.DAY), run)
    total = spend_of_entries(entries, SpendQuery(by=("model",))).total.cost_nanousd
    invoiced = sum(line.nanousd for line in run.invoice)
    if total != invoiced:
        wrong.append(f"{total} in the ledger, {invoiced} on the invoice")
    return {
        "requests": requests,
        "users": len({(line.tenant, line.user) for line in run.invoice}),
        "calls_billed": len(run.invoice),
        "entries": run.entries,
        "doubled": run.doubled,
        "replayed": run.replayed,
        "cost_worker_killed": deaths,
        "groups_compared": compared,
        "invoice_nanousd": invoiced,
        "spend_nanousd": total,
        "differences": wrong,
        "cpu_s": round(time.process_time() - begun, 1),
    }
