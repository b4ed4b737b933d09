"""The shipped weights are what the shipped texts give; anybody can make them again."""

import pytest

from agents.cache.training.__main__ import main

pytestmark = pytest.mark.embedded


@pytest.mark.timeout(1_200)
def test_the_texts_give_the_shipped_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(check=True) == 0, capsys.readouterr().out
    assert "largest difference" in capsys.readouterr().out
