"""Training gives the same bytes each time, and the head that is shipped is the one that the model card speaks of."""

from pathlib import Path

import numpy as np

from forebay_agents.redaction.detection.names.encoder.layer import DIMENSIONS
from forebay_agents.redaction.detection.names.head import PROJECTED
from forebay_agents.redaction.detection.names.lexical import SHIPPED
from forebay_agents.redaction.detection.names.outside import OUTSIDE
from forebay_agents.redaction.training.fit import Encoded, checksum, fit, projection
from forebay_agents.redaction.training.text import frames

CARD = Path(__file__).parents[3] / "docs" / "explanation" / "names-model.md"
WORDS = 600


def some_words() -> Encoded:
    rng = np.random.default_rng(5)
    return Encoded(
        vectors=rng.normal(size=(WORDS, DIMENSIONS)).astype(np.float16),
        outside=rng.random((WORDS, OUTSIDE)).astype(np.float16),
        labels=rng.integers(0, 3, WORDS),
        row=np.arange(WORDS) // 6,
        fold=np.arange(WORDS) % 5,
        first=np.arange(0, WORDS + 1, 6),
    )


def test_fitting_twice_gives_the_same_weights() -> None:
    def fitted(seed: int) -> str:
        data, at = some_words(), np.arange(WORDS)
        near = projection(data, at, seed)
        assert near.shape == (DIMENSIONS, PROJECTED)
        return checksum([near, *fit(data, near, at, seed)])

    assert fitted(20) == fitted(20) != fitted(21)


def test_the_card_is_of_the_shipped_head() -> None:
    with np.load(SHIPPED, allow_pickle=False) as weights:
        found = checksum([weights[name] for name in weights.files])
    assert f"checksum {found}" in CARD.read_text("utf-8")
    assert SHIPPED.stat().st_size < 600_000


def test_every_slot_of_a_sentence_is_known() -> None:
    from forebay_agents.redaction.training.text import _SLOT

    folder = Path(__file__).parents[3] / "agents" / "forebay_agents" / "redaction" / "training"
    others = (folder / "named-otherwise.txt").read_text("utf-8").splitlines()
    lines = [line for genre in frames().values() for line in genre]
    lines += [line for line in others if not line.startswith("#: ")]
    left = {_SLOT.sub("", line) for line in lines}
    unknown = {line for line in left if any(f"{{{slot}" in line for slot in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
    assert unknown == set()
