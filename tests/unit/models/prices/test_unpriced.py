"""A call without a price: entered as such, told of, and never a 0 without a word."""

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from forebay.contract.handlers import Output
from forebay.contract.records import CallPurpose, Message, UsageEvent, UsageStatus
from forebay.privacy.egress import EgressGuard
from forebay_agents.models.caller import Caller
from forebay_agents.models.ledger import Ledger, Payer
from forebay_agents.models.metrics import ModelMetrics
from forebay_agents.models.prices.settings import Price
from forebay_agents.models.pricing import PriceList
from forebay_agents.models.providers.provider import Answer, Call, Usage
from forebay_agents.models.settings import Deployment

MORNING = 1_793_527_200_000  # 2026-11-01T10:00:00Z
USAGE = Usage(
    prompt_tokens=100,
    completion_tokens=50,
    cache_write_tokens=20,
    cache_write_1h_tokens=10,
    reasoning_tokens=30,
    service_tier="flex",
)


class Answering:
    async def ready(self) -> None: ...

    async def complete(self, _deployment: Deployment, _call: Call) -> Answer:
        return Answer(content="19", finish_reason="stop", usage=USAGE)

    def count_tokens(self, _deployment: Deployment, _messages: tuple[Message, ...]) -> int:
        return 200


async def entries_of(price: tuple[Price, ...], registry: CollectorRegistry) -> tuple[UsageEvent, UsageEvent]:
    """What a call enters ahead and in the end; in between the clock goes on by a day."""
    times = iter([MORNING, MORNING + 86_400_000])
    ledger = Ledger(CallPurpose.COMPLETION, lambda: next(times))
    prices = PriceList({}, lambda _: None, lambda: MORNING)
    caller = Caller(Answering(), prices, ledger, ModelMetrics(registry), EgressGuard())
    ahead: list[UsageEvent] = []

    async def write_ahead(outputs: list[Output]) -> None:
        ahead.extend(output.value for output in outputs)

    def make_call(attempt_id: str) -> Call:
        return Call(attempt_id=attempt_id, request_id="r", messages=(Message(content="?"),), max_tokens=60)

    place = Deployment(name="d", model="acme/m", price=price)
    payer = Payer(request_id="r", tenant_id="t", user_id="u")
    outcome = await caller.call(payer, "small", place, make_call, write_ahead)
    [first] = ahead
    return first, outcome.entry


def unpriced(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("forebay_unpriced_calls_total", {"model": "acme/m"})


async def test_a_call_without_a_price_says_so_in_the_ledger_the_metrics_and_the_log() -> None:
    registry = CollectorRegistry()
    with capture_logs() as lines:
        first, last = await entries_of((), registry)
    assert (first.priced, first.cost_nanousd, first.price) == (False, 0, "")
    assert (last.status, last.priced, last.cost_nanousd) == (UsageStatus.SETTLED, False, 0)
    assert unpriced(registry) == 1
    assert [line["event"] for line in lines] == ["unpriced_call"]


async def test_a_call_is_priced_by_the_moment_in_which_it_began_and_the_entry_says_by_what() -> None:
    registry = CollectorRegistry()
    periods = (Price(since="2026-11-02", input=9, output=9), Price(since="2026-10-01", input=2, output=5))
    with capture_logs() as lines:
        first, last = await entries_of(periods, registry)
    assert first.reserved_nanousd == 200 * 2000 + 60 * 5000
    assert last.priced
    assert last.price == "deployment d 2026-10-01T00:00:00Z"
    assert last.cost_nanousd == 70 * 2000 + 20 * 2500 + 10 * 4000 + 50 * 5000
    kinds = (last.cache_write_tokens, last.cache_write_1h_tokens, last.reasoning_tokens, last.service_tier)
    assert kinds == (20, 10, 30, "flex")
    assert unpriced(registry) is None
    assert not lines
