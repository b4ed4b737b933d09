"""What an operator may do to the router and ask of the tiers, called as a console calls it."""

import json
from pathlib import Path

import pytest

from forebay.operations.audit.recording import unrecorded
from forebay_agents.completion.operations import learn, roll_back, status, versions
from forebay_agents.completion.routing import model as models
from forebay_agents.completion.routing.offline.rows import Row, read
from forebay_agents.models.settings import Deployment, Tier
from tests.unit.completion.routing.recorded import rows
from tests.unit.operations.trail import MemoryTrail


@pytest.fixture(scope="module")
def judged() -> list[Row]:
    return read((json.dumps(row) for row in rows(60)), lambda *_: None)


def current(folder: Path) -> list[tuple[str, bool]]:
    return [(one.version, one.current) for one in versions(folder)]


def test_what_is_learnt_is_used_and_can_be_taken_back(tmp_path: Path, judged: list[Row]) -> None:
    assert versions(tmp_path) == []
    first = learn(tmp_path, judged, unrecorded, router=True)
    second = learn(tmp_path, judged, unrecorded, router=False)
    assert Path(first.file).parent == tmp_path
    assert first.rows == 60
    assert first.router.keys() == second.router.keys() == {"tiny", "middle", "grand"}
    assert second.confidence["*"].rows > 60
    assert current(tmp_path) == [(first.version, False), (second.version, True)]
    assert roll_back(tmp_path, unrecorded) == first.version
    assert current(tmp_path) == [(first.version, True), (second.version, False)]
    assert roll_back(tmp_path, unrecorded, second.version) == second.version
    assert roll_back(tmp_path, unrecorded, "heuristic") == "heuristic"
    assert current(tmp_path) == [(first.version, False), (second.version, False)]


def test_there_is_nothing_before_the_heuristic(tmp_path: Path, judged: list[Row]) -> None:
    with pytest.raises(models.ModelError, match="before the heuristic"):
        roll_back(tmp_path, unrecorded)
    learn(tmp_path, judged, unrecorded, router=True)
    assert roll_back(tmp_path, unrecorded) == "heuristic"
    with pytest.raises(models.ModelError, match="no version nonsense"):
        roll_back(tmp_path, unrecorded, "nonsense")


def test_what_teaches_nothing_is_refused_and_leaves_no_version(tmp_path: Path, judged: list[Row]) -> None:
    with pytest.raises(ValueError, match="no rows"):
        learn(tmp_path, [], unrecorded, router=True)
    with pytest.raises(ValueError, match="no model has 30 rows"):
        learn(tmp_path, judged[:10], unrecorded, router=True)
    assert versions(tmp_path) == []


def test_tiers_are_shown_though_no_worker_answers() -> None:
    tiers = [Tier(name="small", deployments=(Deployment(name="a", model="m"),))]
    found = status(tiers, ["http://127.0.0.1:1/metrics", "no address"])
    assert found.silent == ["http://127.0.0.1:1/metrics", "no address"]
    assert found.report.workers == 0
    [deployment] = found.report.tiers[0].deployments
    assert (deployment.breaker, deployment.calls, deployment.cost_usd) == (None, 0, 0.0)


def test_what_workers_use_changes_only_when_it_is_written_down(tmp_path: Path, judged: list[Row]) -> None:
    trail = MemoryTrail()
    first = learn(tmp_path, judged, trail.record, router=True)
    roll_back(tmp_path, trail.record)
    acts = [(one.action, one.subject) for one in trail.events]
    assert acts == [*[("tiers.train", f"router {first.version}")] * 2, *[("tiers.rollback", "router heuristic")] * 2]
    trail.refuses_from = 0
    before = current(tmp_path)
    with pytest.raises(OSError, match="brokers"):
        learn(tmp_path, judged, trail.record, router=False)
    with pytest.raises(OSError, match="brokers"):
        roll_back(tmp_path, trail.record, first.version)
    assert current(tmp_path) == before
