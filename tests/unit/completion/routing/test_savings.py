"""What is said to be saved: against the dearest tier allowed, against the whole prompt; never clipped or guessed."""

from forebay.contract.records import UsageEvent, UsageStatus
from forebay_agents.completion.routing.savings import Savings, Served
from forebay_agents.completion.trace import Trace
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.settings import Deployment, Price, Tier
from tests.unit.completion.fakes import Provider, Written, asked, bad, cascade_of, good, tier


def priced(name: str, **price: float) -> Tier:
    own = Price(**price) if price else ()  # type: ignore[arg-type]  # by name
    return Tier(name=name, deployments=(Deployment(name=name, model=name, price=own),))


SMALL, LARGE, UNKNOWN = priced("small", input=1, output=2), priced("large", input=5, output=30), priced("unknown")
SAVINGS = Savings(PriceList({}, lambda _: None), (SMALL, LARGE, UNKNOWN))


def paid(attempt: str, cost: int, place: str = "small", **fields: object) -> UsageEvent:
    known = {"prompt_tokens": 100, "completion_tokens": 10, "deployment": place, "status": UsageStatus.SETTLED}
    return UsageEvent(attempt_id=attempt, cost_nanousd=cost, **(known | fields))  # type: ignore[arg-type]  # by name


def saved(entries: list[UsageEvent], by: str, *, dearest: Tier = LARGE, cut: int = 0) -> list[tuple[int, int]]:
    spent = sum(entry.cost_nanousd for entry in entries)
    found = SAVINGS.entered(entries, Served(attempt_id=by, dearest=dearest, spent=spent, cut=cut))
    return [(entry.saved_tier_nanousd, entry.saved_compression_nanousd) for entry in found]


def test_a_cheap_answer_saved_what_the_dearest_tier_would_have_taken_for_its_tokens() -> None:
    assert saved([paid("a", 120_000)], "a") == [(100 * 5_000 + 10 * 30_000 - 120_000, 0)]
    assert saved([paid("a", 120_000)], "a", dearest=SMALL) == [(0, 0)], "nothing dearer was allowed"


def test_an_escalation_saved_less_than_nothing() -> None:
    assert saved([paid("a", 120_000), paid("b", 800_000, "large")], "b") == [(0, 0), (-120_000, 0)]


def test_what_was_cut_is_saved_in_each_call_at_its_own_price() -> None:
    found = saved([paid("a", 1), paid("b", 1, "large"), paid("c", 0, status=UsageStatus.FAILED)], "", cut=50)
    assert found == [(0, 50_000), (0, 250_000), (0, 0)]


def test_without_a_price_on_both_sides_nothing_is_said() -> None:
    assert saved([paid("a", 120_000)], "a", dearest=UNKNOWN) == [(0, 0)]
    assert saved([paid("a", 0, "unknown", priced=False)], "a", cut=9) == [(0, 0)]


async def test_the_cascade_says_whose_answer_it_was_and_what_was_allowed() -> None:
    tiers = (tier("small", accept=0.6), tier("large", accept=0.5))
    cascade = cascade_of(Provider({"small": bad(), "large": good()}), tiers)
    trace = Trace()
    served = await cascade.run(asked(), trace, Written(), cheapest=False)
    assert served.attempt_id == trace.entries[-1].attempt_id
    assert trace.dearest is tiers[1]
