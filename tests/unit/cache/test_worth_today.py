"""What a hit has saved: the answer's own tokens at the price that counts when it is given again."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson
import pytest

from forebay.contract.records import Attempt, Completion, Correction, CorrectionAction, RedactedRequest, UsageEvent
from forebay.testing import VirtualClock
from forebay_agents.cache.handler import CacheStage
from forebay_agents.cache.store.entry import CorruptEntryError, Entry, unpack
from forebay_agents.models.prices.settings import Price
from forebay_agents.models.prices.today import Origin, Today
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.providers.provider import Usage
from forebay_agents.models.settings import Deployment, Tier
from tests.unit.cache.conftest import CONTEXT, Bench
from tests.unit.cache.memory import completion, request

DAY_MS = 86_400_000
TIERS = (
    Tier(name="small", deployments=(Deployment(name="here", model="tiny"), Deployment(name="there", model="tiny"))),
    Tier(name="large", deployments=(Deployment(name="big", model="huge"),)),
)
SERVED = Attempt(
    tier="small",
    model="tiny",
    deployment="here",
    outcome="ok",
    cost_nanousd=7_000,
    prompt_tokens=1_000,
    cached_prompt_tokens=400,
    completion_tokens=100,
    reasoning_tokens=40,
)


def today(prices: Mapping[str, Price | Sequence[Price]], tiers: Sequence[Tier] = TIERS) -> Today:
    return Today(PriceList(prices, lambda _model: None, VirtualClock(0)), tiers)


def price(**dollars: float | str) -> Price:
    return Price.model_validate(dollars)


def answered(of: RedactedRequest, *attempts: Attempt, **more: object) -> Completion:
    return completion(of, deployment="here", attempts=attempts or (SERVED,), **more)


async def hit(worker: CacheStage, text: str = "a question") -> tuple[Completion, UsageEvent]:
    done, usage = await worker.answer(request(text, request_id="again"), CONTEXT)
    assert isinstance(done.value, Completion)
    assert isinstance(usage.value, UsageEvent)
    assert done.value.saved_nanousd == usage.value.saved_nanousd
    return done.value, usage.value


async def test_a_price_that_changed_after_an_answer_was_stored_counts(bench: Bench) -> None:
    prices = {"tiny": (price(**{"from": "1970-01-01", "input": 1, "output": 4, "cached_input": 0.5}),)}
    await bench.worker(today=today(prices)).keep(answered(request("a question")), CONTEXT)
    prices = {"tiny": (price(input=2, output=8, cached_input=1, reasoning=10),)}
    _, usage = await hit(bench.worker(today=today(prices)))
    assert usage.saved_nanousd == 600 * 2_000 + 400 * 1_000 + 60 * 8_000 + 40 * 10_000
    assert (usage.price, usage.cost_nanousd) == ("models.prices", 0)


async def test_a_period_that_begins_between_two_hits_counts_for_the_second(bench: Bench) -> None:
    periods = (
        price(**{"from": "1970-01-01", "input": 1, "output": 1}),
        price(**{"from": "1970-01-01T12:00:00", "input": 3, "output": 3}),
    )
    worker = bench.worker(today=today({"tiny": periods}), ttl_s=2 * DAY_MS / 1000)
    await worker.keep(answered(request("a question")), CONTEXT)
    _, before = await hit(worker)
    bench.clock.now_ms += DAY_MS // 2
    _, after = await hit(worker)
    assert (before.saved_nanousd, after.saved_nanousd) == (1_100_000, 3_300_000)
    assert before.price != after.price


async def test_only_the_call_counts_whose_answer_it_was_and_not_what_was_tried_beside_it(bench: Bench) -> None:
    tried = replace(SERVED, outcome="provider_timeout", prompt_tokens=5_000)
    dearer = Attempt(tier="large", model="huge", deployment="big", outcome="ok", prompt_tokens=2_000)
    for number, (served, attempts) in enumerate(
        {
            ("small", "tiny", "here"): (tried, SERVED),
            ("large", "huge", "big"): (replace(SERVED, outcome="escalated"), dearer),
        }.items()
    ):
        asked = request(f"question {number}")
        tier, model, deployment = served
        done = completion(asked, tier=tier, model=model, deployment=deployment, attempts=attempts, cost_nanousd=99)
        worker = bench.worker(today=today({"tiny": price(input=1, output=0), "huge": price(input=10, output=0)}))
        await worker.keep(done, CONTEXT)
    assert (await hit(worker, "question 0"))[1].saved_nanousd == 1_000_000
    assert (await hit(worker, "question 1"))[1].saved_nanousd == 20_000_000


async def test_the_best_answer_of_a_tier_that_was_not_good_enough_counts_as_well(bench: Bench) -> None:
    worker = bench.worker(today=today({"tiny": price(input=1, output=0)}))
    await worker.keep(answered(request("a question"), replace(SERVED, outcome="escalated")), CONTEXT)
    assert (await hit(worker))[1].saved_nanousd == 1_000_000


async def test_without_a_price_of_today_an_answer_is_worth_what_its_call_had_cost(bench: Bench) -> None:
    await bench.worker().keep(answered(request("a question"), cost_nanousd=60_000), CONTEXT)
    for worker in (bench.worker(), bench.worker(today=today({}))):
        _, usage = await hit(worker)
        assert (usage.saved_nanousd, usage.price) == (7_000, "")


async def test_a_price_of_0_that_somebody_wrote_is_one(bench: Bench) -> None:
    worker = bench.worker(today=today({"tiny": price(input=0, output=0)}))
    await worker.keep(answered(request("a question")), CONTEXT)
    assert (await hit(worker))[1].saved_nanousd == 0


async def test_answers_of_which_no_tokens_are_known_are_worth_what_they_had_cost(bench: Bench) -> None:
    worker = bench.worker(today=today({"tiny": price(input=1, output=1)}))
    await worker.keep(completion(request("before"), cost_nanousd=5), CONTEXT)
    await worker.keep(
        answered(request("older"), Attempt(tier="small", deployment="here", outcome="ok", cost_nanousd=9)), CONTEXT
    )
    assert (await hit(worker, "before"))[1].saved_nanousd == 5
    assert (await hit(worker, "older"))[1].saved_nanousd == 9


async def test_an_answer_that_a_person_approved_or_replaced_spares_the_same_call(bench: Bench) -> None:
    worker = bench.worker(today=today({"tiny": price(input=1, output=0)}))
    await worker.keep(answered(request("a question")), CONTEXT)
    given, _ = await hit(worker)
    for action in (CorrectionAction.APPROVE, CorrectionAction.CORRECT):
        await worker.correct(Correction(action=action, content="Better.", completion=given), CONTEXT)
        assert (await hit(worker))[1].saved_nanousd == 1_000_000


def test_entries_of_before_are_read_and_those_to_come_too() -> None:
    entry = Entry(entry_id="e", cost_nanousd=3, usage=Usage(prompt_tokens=5, service_tier="flex"), features=b"f")
    assert unpack(entry.pack()) == entry
    assert unpack(changed(entry, lambda values: values.pop("usage"))) == replace(entry, usage=None)
    assert unpack(changed(entry, lambda values: values["usage"].update(tokens_of_tomorrow=1))) == entry
    with pytest.raises(CorruptEntryError):
        unpack(changed(entry, lambda values: values.update(usage=7)))


def changed(entry: Entry, change: object) -> bytes:
    blob = entry.pack()
    size = int.from_bytes(blob[:4], "big")
    values = orjson.loads(zlib.decompress(blob[4 : 4 + size]))
    assert callable(change)
    change(values)
    head = zlib.compress(orjson.dumps(values))
    return len(head).to_bytes(4, "big") + head + blob[4 + size :]


async def test_the_deployment_that_gave_it_is_priced_else_one_of_its_tier_else_the_model_alone() -> None:
    own = Deployment(name="own", model="tiny", price=price(input=7, output=0))
    tiers = (*TIERS, Tier(name="mine", deployments=(own,)))
    priced, usage = today({"tiny": price(input=1, output=0)}, tiers), Usage(prompt_tokens=1_000)
    places = {("mine", "own"): 7, ("small", "there"): 1, ("mine", "gone"): 7, ("gone", "gone"): 1}
    for (tier, deployment), dollars in places.items():
        origin = Origin(tier=tier, model="tiny", deployment=deployment)
        assert (await priced.cost(origin, usage, 0)).nanousd == dollars * 1_000_000, origin
    # A name that another model has by now says nothing.
    alone = today({"tiny": price(input=1, output=0)}, TIERS[1:])
    assert (await alone.cost(Origin(model="tiny", deployment="big"), usage, 0)).nanousd == 1_000_000
    assert not (await alone.cost(Origin(deployment="big"), usage, 0)).priced


async def test_the_long_list_is_read_once_and_only_for_what_is_in_no_other() -> None:
    looked = list[str]()
    prices = PriceList({"tiny": price(input=1, output=0)}, lambda model: looked.append(model), VirtualClock(0))
    priced = Today(prices, TIERS)
    await priced.warm_up()
    for _ in range(2):
        assert not (await priced.cost(Origin(model="huge"), Usage(), 0)).priced
        assert not (await priced.cost(Origin(model="another"), Usage(), 0)).priced
    assert looked == ["huge", "another"]
