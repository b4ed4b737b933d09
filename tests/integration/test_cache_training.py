"""The shipped weights are what the shipped texts give; anybody can make them again."""

from pathlib import Path

import numpy as np
import pytest

from forebay_agents.cache.error_bound import curve
from forebay_agents.cache.matching.model import load, shipped
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.training.__main__ import chosen, main, taught
from forebay_agents.cache.training.pairs import digest
from forebay_agents.cache.wiring import calibrated
from tests.data.cache_pairs import pairs

pytestmark = pytest.mark.embedded


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_the_texts_give_the_shipped_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(check=True) == 0, capsys.readouterr().out
    assert "largest difference" in capsys.readouterr().out


def test_the_shipped_weights_were_learned_from_these_texts() -> None:
    assert digest(chosen()) == shipped().texts, "learn again: python -m forebay_agents.cache.training"


def test_a_part_of_the_texts_teaches_what_it_was_not_told(tmp_path: Path) -> None:
    everything = chosen()
    groups = {group: number for number, group in enumerate(sorted({pair.group for pair in everything}))}
    made = taught([pair for pair in everything if groups[pair.group] % 24 == 0])
    checks = np.array([pair.checks for pair in made.pairs])
    labels = np.array([pair.duplicate for pair in made.pairs])[checks]
    assert min(labels.sum(), (~labels).sum()) > 30
    learned, cosine = (curve.area(told[checks], labels) for told in (made.unseen, made.rows_near[:, 0]))
    assert 1 - learned < 0.5 * (1 - cosine), (learned, cosine)
    made.model.save(tmp_path / "weights.npz")
    again = load(tmp_path / "weights.npz")
    assert again.near.probabilities(made.rows_near) == pytest.approx(made.model.near.probabilities(made.rows_near))
    assert again.texts == made.model.texts != shipped().texts


@pytest.mark.timeout(300)
def test_cheap_looks_change_no_decision() -> None:
    matcher = calibrated(CacheSettings())
    hits = 0
    for pair in list(pairs())[::6]:
        new, stored = matcher.read(pair["a"]), matcher.read(pair["b"])
        [whole] = matcher.compare(new, [stored])
        for delta in (0.01, 0.05, 0.1):
            least = shipped().threshold(delta)
            [cheap] = matcher.compare(new, [stored], [least], least)
            assert cheap.hit == (whole.score >= least and not whole.forbidden)
            hits += cheap.hit
    assert hits > 100
