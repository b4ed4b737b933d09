"""What is learnt from judged rows, and how it is kept."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from forebay_agents.completion.routing import model as models
from forebay_agents.completion.routing.cli import app
from forebay_agents.completion.routing.offline import training
from forebay_agents.completion.routing.offline.rows import Row, read
from tests.unit.completion.routing.recorded import rows

TIERS = ["tiny", "middle", "grand"]
EASY, HARD = "Which city is the capital of Peru?", "Explain step by step why Peru would trade coins with Ann, given 4."


def judged(count: int) -> list[Row]:
    return read((json.dumps(row) for row in rows(count)), lambda *_: None)


@pytest.fixture(scope="module")
def learned() -> models.RouterModel:
    return training.trained(judged(400))


def test_the_heuristic_trusts_dearer_tiers_more_and_hard_prompts_less() -> None:
    easy, hard = models.suffices(EASY, TIERS), models.suffices(HARD + " Prove the theorem in Python code: 2 + 2", TIERS)
    assert list(easy.values()) == sorted(easy.values())
    assert all(hard[tier] < easy[tier] for tier in TIERS)
    assert all(0 < chance < 1 for chance in [*easy.values(), *hard.values()])


def test_training_tells_easy_kinds_from_hard_ones(learned: models.RouterModel) -> None:
    easy, hard = models.suffices(EASY, TIERS, learned), models.suffices(HARD, TIERS, learned)
    assert easy["tiny"] > hard["tiny"] + 0.3
    assert hard["grand"] > hard["tiny"] + 0.3


def test_an_unknown_tier_has_the_heuristics_chance(learned: models.RouterModel) -> None:
    assert models.suffices(EASY, ["other"], learned) == models.suffices(EASY, ["other"])


def test_calibration_lowers_the_error() -> None:
    draw = np.random.default_rng(5)
    scores = draw.random(2000)
    correct = (draw.random(2000) < scores**3).astype(float)
    curve = training.isotonic(scores, correct)
    assert curve.ece < 0.05 < curve.ece_before
    assert list(curve.probabilities) == sorted(curve.probabilities)
    assert curve(0.9) == pytest.approx(0.9**3, abs=0.12)
    assert 0 < curve(-1) <= curve(2) < 1


def test_versions_are_kept_and_reversible(tmp_path: Path, learned: models.RouterModel) -> None:
    assert models.load(tmp_path) is None
    models.write(tmp_path, learned)
    assert models.load(tmp_path) == learned
    newer = training.calibrated(learned, judged(60), now=datetime(2999, 1, 1, tzinfo=UTC))
    models.write(tmp_path, newer)
    loaded = models.load(tmp_path)
    assert loaded is not None
    assert (loaded.version, loaded.tiers) == (newer.version, learned.tiers)
    models.point(tmp_path, learned.version)
    assert models.load(tmp_path) == learned
    with pytest.raises(models.ModelError):
        models.write(tmp_path, learned)
    with pytest.raises(models.ModelError):
        models.point(tmp_path, "nonsense")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 99}', "null"])
def test_a_damaged_file_is_named_not_used(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(models.ModelError):
        models.read(path)


def test_the_first_tier_weighs_price_against_loss() -> None:
    prices = {"tiny": 1.0, "middle": 5.0, "grand": 40.0}
    likely, unlikely = {"tiny": 0.9, "middle": 0.9, "grand": 0.95}, {"tiny": 0.02, "middle": 0.05, "grand": 0.95}
    assert models.first_tier(likely, prices, 100, TIERS) == "tiny"
    assert models.first_tier(unlikely, prices, 100, TIERS) == "grand"


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="no model has 30 rows"):
        training.trained(judged(10))


def test_the_commands_write_versions_and_go_back(tmp_path: Path) -> None:
    path, folder = tmp_path / "rows.jsonl", tmp_path / "models"
    path.write_text("\n".join(json.dumps(row) for row in rows(60)))
    run = CliRunner()
    first = json.loads(run.invoke(app, ["train", str(path), "--folder", str(folder), "--json"]).stdout)
    second = json.loads(run.invoke(app, ["calibrate", str(path), "--folder", str(folder), "--json"]).stdout)
    assert set(first["router"]) == set(second["router"]) == set(TIERS)
    assert "*" in second["confidence"]
    assert run.invoke(app, ["rollback", "--folder", str(folder)]).exit_code == 0
    listed = [
        json.loads(line)
        for line in run.invoke(app, ["versions", "--folder", str(folder), "--json"]).stdout.splitlines()
    ]
    assert [(line["version"], line["current"]) for line in listed] == [
        (first["version"], True),
        (second["version"], False),
    ]
    back = run.invoke(app, ["rollback", "--folder", str(folder)])
    assert (back.exit_code, back.stdout) == (0, "current: heuristic\n")
    assert models.load(folder) is None
    assert run.invoke(app, ["rollback", "--folder", str(folder)]).exit_code == 2


@pytest.mark.parametrize(("correct", "count", "why"), [(73, 40, "between 0 and 1"), (1, 0, "no rows")])
def test_what_cannot_be_learnt_from_is_refused(correct: int, count: int, why: str) -> None:
    line = json.dumps({"prompt": "p", "models": {"a": {"correct": correct, "cost": 1, "confidence": 0.5}}})
    found = read([line] * count, lambda *_: None)
    for learn in (training.trained, lambda rows: training.calibrated(None, rows)):
        with pytest.raises(ValueError, match=why):
            learn(found)
