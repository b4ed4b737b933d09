"""How are the tiers now? What the completion workers' ``/metrics`` say, put together over all of them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from forebay_agents.models.settings import Deployment, Tier

_PREFIX = "forebay_"
_STATES = {0.0: "closed", 0.5: "half_open", 1.0: "open"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RouterReport:
    """Versions in use, and how often each tier was asked first."""

    versions: Sequence[str]
    first_tier: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentReport:
    """A deployment over all workers; ``None`` is what no worker said."""

    name: str
    model: str
    region: str | None
    breaker: str | None
    limit: int | None
    max_in_flight: int
    in_flight: int | None
    recent_error_share: float | None
    p95_s: float | None
    calls: int
    failed_calls: int
    cost_usd: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TierReport:
    """A tier; from which confidence on its answers are accepted."""

    name: str
    accept: float
    deployments: Sequence[DeploymentReport]


@dataclass(frozen=True, kw_only=True, slots=True)
class TiersReport:
    """The tiers in their order."""

    workers: int
    router: RouterReport
    tiers: Sequence[TierReport]


@dataclass(slots=True)
class Scraped:
    """Samples of all workers by metric (without prefix); of each its labels and value."""

    workers: int = 0
    samples: defaultdict[str, list[tuple[Mapping[str, str], float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, text: str) -> None:
        """Take in what one worker says, if it calls models."""
        from prometheus_client.parser import text_string_to_metric_families

        found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        if not any(sample.name == f"{_PREFIX}router_info" for sample in found):
            return
        self.workers += 1
        for sample in found:
            self.samples[sample.name.removeprefix(_PREFIX)].append((sample.labels, sample.value))

    def of(self, name: str, **labels: str) -> list[float]:
        """Values of a metric, of which ``labels`` are so; what is not a number is left out."""
        return [
            value
            for given, value in self.samples[name]
            if not math.isnan(value) and all(given.get(label) == wanted for label, wanted in labels.items())
        ]

    def values_of_label(self, name: str, label: str) -> list[str]:
        """Every value of ``label``, in order."""
        return sorted({given[label] for given, _ in self.samples[name] if label in given})


def fetch(urls: Iterable[str], timeout_s: float = 2.0) -> tuple[Scraped, list[str]]:
    """Ask every worker; also the addresses that did not answer."""
    from urllib.request import urlopen

    scraped, silent = Scraped(), []
    for url in urls:
        try:
            with urlopen(url, timeout=timeout_s) as reply:  # noqa: S310 - the operator's own address
                scraped.add(reply.read().decode("utf-8", "replace"))
        except (OSError, ValueError):
            silent.append(url)
    return scraped, silent


def report(tiers: Sequence[Tier], scraped: Scraped) -> TiersReport:
    """Tiers in their order; what no worker said is ``None``. Limits and counts are sums over the workers."""
    first = {tier.name: int(sum(scraped.of("router_first_tier_total", tier=tier.name))) for tier in tiers}
    return TiersReport(
        workers=scraped.workers,
        router=RouterReport(versions=scraped.values_of_label("router_info", "version"), first_tier=first),
        tiers=[
            TierReport(
                name=tier.name,
                accept=tier.accept,
                deployments=[_deployment(one, scraped) for one in tier.deployments],
            )
            for tier in tiers
        ],
    )


def _deployment(one: Deployment, scraped: Scraped) -> DeploymentReport:
    def seen(metric: str) -> list[float]:
        return scraped.of(metric, deployment=one.name)

    breakers, errors, p95 = (
        seen("breaker_open"),
        seen("deployment_recent_errors"),
        seen("deployment_slow_seconds"),
    )
    calls = sum(scraped.of("model_calls_total", deployment=one.name, purpose="completion"))
    settled = sum(scraped.of("model_calls_total", deployment=one.name, purpose="completion", status="settled"))
    cost = sum(scraped.of("model_cost_usd_total", deployment=one.name, purpose="completion"))
    return DeploymentReport(
        name=one.name,
        model=one.model,
        region=one.region,
        breaker=_STATES.get(max(breakers), "open") if breakers else None,
        limit=int(sum(seen("deployment_limit"))) if breakers else None,
        max_in_flight=one.max_in_flight * scraped.workers,
        in_flight=int(sum(seen("deployment_in_flight"))) if breakers else None,
        recent_error_share=max(errors) if errors else None,
        p95_s=max(p95) if p95 else None,
        calls=int(calls),
        failed_calls=int(calls - settled),
        cost_usd=round(cost, 9),
    )
