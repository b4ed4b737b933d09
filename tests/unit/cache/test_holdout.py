"""The pairs that were set aside stay so."""

import json
import re
from pathlib import Path

import pytest

from forebay_agents.cache.training.pairs import everything

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def taught() -> set[str]:
    return {_plain(text) for pair in everything() for text in (pair.a, pair.b)}


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


@pytest.mark.parametrize(("name", "least"), [("holdout", 400), ("blind", 100), ("strangers", 400)])
def test_no_question_that_was_set_aside_is_learnt_from(name: str, least: int, taught: set[str]) -> None:
    held = [json.loads(line) for line in (DATA / f"cache_{name}.jsonl").read_text("utf-8").splitlines()]
    assert len(held) >= least
    assert {pair["duplicate"] for pair in held} == {True, False}
    assert not taught & {_plain(pair[side]) for pair in held for side in ("a", "b")}
