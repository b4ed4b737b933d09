"""What the workers' metrics say of the tiers is put together; what nobody says is not made up."""

import asyncio
import json

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from typer.testing import CliRunner

from forebay.contract.records import CallPurpose, UsageEvent, UsageStatus
from forebay_agents.completion.metrics import RouterMetrics
from forebay_agents.completion.routing.cli import app
from forebay_agents.completion.routing.status import DeploymentReport, Scraped, report
from forebay_agents.models.metrics import ModelMetrics, PoolMetrics
from forebay_agents.models.pool import DeploymentPool
from forebay_agents.models.providers.provider import ProviderError
from forebay_agents.models.settings import Deployment, Tier

TIERS = (
    Tier(name="small", deployments=(Deployment(name="a", model="m"), Deployment(name="b", model="m", max_in_flight=4))),
)
[A, B] = TIERS[0].deployments


class Worker:
    """A worker's metrics, and the pool that they are of."""

    def __init__(self, version: str = "heuristic") -> None:
        self.registry, self.now = CollectorRegistry(), 0.0
        self.pool = DeploymentPool(TIERS, 10.0, PoolMetrics(self.registry), lambda: self.now)
        self.calls = ModelMetrics(self.registry)
        self.router = RouterMetrics(self.registry)
        self.router.using(version)

    def text(self) -> str:
        return generate_latest(self.registry).decode()

    def called(self, status: UsageStatus, cost: int) -> None:
        entry = UsageEvent(
            attempt_id="1",
            purpose=CallPurpose.COMPLETION,
            tier="small",
            model="m",
            deployment="a",
            status=status,
            cost_nanousd=cost,
        )
        self.calls.called(entry, 0.5)


def shown(*workers: Worker) -> list[DeploymentReport]:
    scraped = Scraped()
    for worker in workers:
        scraped.add(worker.text())
    return list(report(TIERS, scraped).tiers[0].deployments)


async def test_the_worst_breaker_and_the_sum_of_limits_are_shown() -> None:
    one, other = Worker(), Worker()
    for _ in range(4):
        other.pool.failed(A, ProviderError("provider_unavailable", ""))
    other.pool.failed(B, ProviderError("provider_rate_limited", ""))
    async with one.pool.calling(B):
        a, b = shown(one, other)
    assert (a.breaker, a.recent_error_share, a.limit) == ("open", 1.0, 64)
    assert (b.breaker, b.recent_error_share, b.in_flight, b.limit) == ("closed", 1.0, 1, 5)
    other.now = 11.0
    assert shown(one, other)[0].breaker == "half_open"


async def test_percentiles_wait_until_there_is_something_to_say() -> None:
    worker = Worker()
    for number in range(19):
        worker.pool.worked(A, number / 10)
    assert shown(worker)[0].p95_s is None
    worker.pool.worked(A, 5.0)
    assert shown(worker)[0].p95_s == 1.8


def test_calls_and_money_are_added_up() -> None:
    one, other = Worker(), Worker()
    one.called(UsageStatus.SETTLED, 1_000)
    one.called(UsageStatus.UNSETTLED, 5_000)
    other.called(UsageStatus.SETTLED, 2_000)
    a, b = shown(one, other)
    assert (a.calls, a.failed_calls, a.cost_usd) == (3, 1, 8e-6)
    assert (b.calls, b.cost_usd) == (0, 0.0)


def test_workers_without_models_do_not_count() -> None:
    scraped = Scraped()
    scraped.add("# TYPE forebay_records_in counter\nforebay_records_in_total 3\n")
    scraped.add(Worker("20260101T000000Z").text())
    found = report(TIERS, scraped)
    assert (found.workers, found.router.versions) == (1, ["20260101T000000Z"])


@pytest.fixture
def silent(tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("silent")
def test_without_a_worker_it_says_so() -> None:
    run = CliRunner().invoke(app, ["status", "--json"])
    assert run.exit_code == 1
    assert "no stack runs here" in run.stderr
    assert json.loads(run.stdout)["workers"] == 0


async def test_over_http() -> None:
    from aiohttp import web

    worker = Worker("v7")

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(text=worker.text())

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
        run = await asyncio.to_thread(CliRunner().invoke, app, ["status", "--json", "--metrics", url])
        table = await asyncio.to_thread(CliRunner().invoke, app, ["status", "--metrics", url])
    finally:
        await runner.cleanup()
    assert run.exit_code == 0, run.output
    assert json.loads(run.stdout)["router"]["versions"] == ["v7"]
    assert "small/small-1" in table.stdout
