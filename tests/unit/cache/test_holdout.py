"""The held-out pairs stay held out."""

import json
import re
from pathlib import Path

from agents.cache.training.pairs import everything

HOLDOUT = Path(__file__).parents[2] / "data" / "cache_holdout.jsonl"


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def test_no_held_out_question_is_learnt_from() -> None:
    taught = {_plain(text) for pair in everything() for text in (pair.a, pair.b)}
    held = [json.loads(line) for line in HOLDOUT.read_text("utf-8").splitlines()]
    assert len(held) >= 400
    assert {pair["duplicate"] for pair in held} == {True, False}
    assert not taught & {_plain(pair[side]) for pair in held for side in ("a", "b")}
