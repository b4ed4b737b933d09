"""What was learnt decides who is asked first, how sure an answer is, and whether asking on pays."""

import math
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from forebay_agents.completion.metrics import RouterMetrics
from forebay_agents.completion.routing import model as models
from forebay_agents.completion.routing import prompts
from forebay_agents.completion.routing.live import HEURISTIC, LiveRouter
from forebay_agents.completion.trace import Trace
from forebay_agents.models.providers.provider import ProviderError
from forebay_agents.models.settings import Deployment, Price, Tier
from tests.unit.completion.fakes import Provider, Written, asked, bad, cascade_of, good

NAMES = ("small", "middle", "large")
WIDTH = len(prompts.plain_features(["x"])[0])
DOWN = ProviderError("provider_unavailable", "down")
PRICES = {"small": 1.0, "middle": 3.0, "large": 10.0}


def tier(name: str) -> Tier:
    price = Price(input=PRICES[name], output=PRICES[name])
    return Tier(name=name, deployments=(Deployment(name=name, model=name, price=price),), accept=0.6)


TIERS = tuple(tier(name) for name in NAMES)


def model(version: str, chances: Mapping[str, float], curve: models.Curve | None = None) -> models.RouterModel:
    """A version that gives each tier the same chance whatever the prompt."""
    flat = {
        name: models.Linear(
            weights=(0.0,) * WIDTH,
            bias=math.log(chance / (1 - chance)),
            curve=models.Curve(scores=(), probabilities=()),
        )
        for name, chance in chances.items()
    }
    return models.RouterModel(
        version=version,
        mean=(0.0,) * WIDTH,
        scale=(1.0,) * WIDTH,
        tiers=flat,
        confidences={"*": curve} if curve else {},
    )


class Kept:
    """A folder with versions, a clock, and the router of a worker that looks into it."""

    def __init__(self, folder: Path, value_nanousd: float | None = None) -> None:
        self.folder, self.now, self.registry = folder, 0.0, CollectorRegistry()
        self.router = LiveRouter(folder, RouterMetrics(self.registry), value_nanousd, lambda: self.now)

    def train(self, found: models.RouterModel) -> None:
        models.write(self.folder, found)
        self.now += 60

    def shown(self, version: str) -> float | None:
        return self.registry.get_sample_value("forebay_router_info", {"version": version})


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


async def run(provider: Provider, router: LiveRouter, **fields: object):  # type: ignore[no-untyped-def]
    trace = Trace()
    served = await cascade_of(provider, TIERS, router=router).run(asked(**fields), trace, Written(), cheapest=False)
    return served, [attempt.tier for attempt in trace.attempts]


def replies(**of: object) -> Provider:
    return Provider({name: of.get(name, good()) for name in NAMES})  # type: ignore[misc]  # replies by name


async def test_without_a_version_the_heuristic_begins_with_the_cheapest(kept: Kept) -> None:
    served, tiers = await run(replies(), kept.router)
    assert (served.tier, tiers) == ("small", ["small"])
    assert (kept.router.version, kept.shown(HEURISTIC)) == (HEURISTIC, 1.0)


async def test_a_version_begins_where_the_answer_will_be_good(kept: Kept) -> None:
    kept.train(model("v1", {"small": 0.01, "middle": 0.9, "large": 0.95}))
    served, tiers = await run(replies(small=bad()), kept.router)
    assert (served.tier, tiers, served.degraded) == ("middle", ["middle"], False)
    assert (kept.shown("v1"), kept.shown(HEURISTIC)) == (1.0, None)
    assert kept.registry.get_sample_value("forebay_router_first_tier_total", {"tier": "middle"}) == 1.0


async def test_a_doubtful_answer_is_still_escalated_upwards(kept: Kept) -> None:
    kept.train(model("v1", {"small": 0.01, "middle": 0.9, "large": 0.95}))
    served, tiers = await run(replies(middle=bad()), kept.router)
    assert (served.tier, tiers) == ("large", ["middle", "large"])


async def test_when_all_that_were_chosen_are_out_a_cheaper_one_serves_degraded(kept: Kept) -> None:
    kept.train(model("v1", {"small": 0.01, "middle": 0.01, "large": 0.95}))
    served, tiers = await run(replies(large=DOWN), kept.router)
    assert (served.tier, served.degraded, tiers) == ("middle", True, ["large", "middle"])


async def test_a_tier_that_was_asked_for_is_never_left(kept: Kept) -> None:
    kept.train(model("v1", {"small": 0.01, "middle": 0.9, "large": 0.95}))
    served, tiers = await run(replies(), kept.router, tier="small")
    assert (served.tier, tiers) == ("small", ["small"])


async def test_a_new_version_and_a_rollback_are_seen_without_a_restart(kept: Kept) -> None:
    kept.train(model("v1", {"small": 0.01, "middle": 0.9, "large": 0.95}))
    assert (await run(replies(), kept.router))[1] == ["middle"]
    kept.train(model("v2", {"small": 0.99, "middle": 0.99, "large": 0.99}))
    assert (await run(replies(), kept.router))[1] == ["small"]
    models.point(kept.folder, "v1")
    kept.now += 60
    assert (await run(replies(), kept.router))[1] == ["middle"]


@pytest.mark.parametrize("damage", ["{", '{"format": 1}', "short weights"])
async def test_a_damaged_version_leaves_the_one_before_in_use(kept: Kept, damage: str) -> None:
    kept.train(model("v1", {"small": 0.01, "middle": 0.9, "large": 0.95}))
    await run(replies(), kept.router)
    kept.train(model("v2", {"small": 0.99, "middle": 0.99, "large": 0.99}))
    path = kept.folder / "v2.json"
    path.write_text(path.read_text().replace("   0.0,\n", "", 1) if damage == "short weights" else damage)
    assert (await run(replies(), kept.router))[1] == ["middle"]
    assert kept.router.version == "v1"


async def test_confidence_is_what_the_curve_makes_of_the_score(kept: Kept) -> None:
    never = models.Curve(scores=(0.0, 1.0), probabilities=(0.1, 0.2))
    kept.train(model("v1", {"small": 0.9, "middle": 0.9, "large": 0.95}, never))
    served, tiers = await run(replies(), kept.router)
    assert tiers == list(NAMES)
    assert served.assessment.probability == pytest.approx(0.1 + 0.1 * 0.85, abs=0.02)


async def test_no_curve_saves_what_nobody_can_use(kept: Kept) -> None:
    always = models.Curve(scores=(0.0, 1.0), probabilities=(0.9, 0.99))
    kept.train(model("v1", {"small": 0.9, "middle": 0.9, "large": 0.95}, always))
    served, tiers = await run(
        replies(small=good("{"), middle=good('{"a": 1}')), kept.router, response_format='{"type": "json_object"}'
    )
    assert (served.tier, tiers) == ("middle", ["small", "middle"])


@pytest.mark.parametrize(("value", "tiers"), [(1.0, ["small"]), (1e12, ["small", "middle"])])
async def test_what_an_answer_is_worth_decides_whether_asking_on_pays(
    tmp_path: Path, value: float, tiers: list[str]
) -> None:
    kept = Kept(tmp_path, value_nanousd=value)
    kept.train(model("v1", {"small": 0.999, "middle": 0.999, "large": 0.999}))
    served, asked_of = await run(replies(small=bad()), kept.router)
    assert (asked_of, served.degraded) == (tiers, False)
