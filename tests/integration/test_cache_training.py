"""The shipped weights are what the shipped texts give; anybody can make them again."""

import pytest

from forebay_agents.cache.matching.model import shipped
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.training.__main__ import main
from forebay_agents.cache.wiring import calibrated
from tests.data.cache_pairs import pairs

pytestmark = pytest.mark.embedded


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_the_texts_give_the_shipped_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(check=True) == 0, capsys.readouterr().out
    assert "largest difference" in capsys.readouterr().out


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
