"""``python -m forebay_agents.redaction.training.ranges``: how large do the numbers get that the encoder multiplies?

Printed for :data:`forebay_agents.redaction.detection.names.encoder.fused.RANGES`. Measured on generated texts: of each
product's inputs, what 99 of 100 texts stay within, and no more than what words need.
"""

import random
import sys

import numpy as np

from forebay_agents.embeddings import unpacked
from forebay_agents.redaction.detection.names.encoder.fused import Ranges, fused
from forebay_agents.redaction.detection.names.encoder.layer import FIRST, HEADS, LAST, LAYERS, session
from forebay_agents.redaction.detection.names.encoder.pieces import tokenizer
from forebay_agents.redaction.detection.names.words import split
from forebay_agents.redaction.training.lexicon import Lexicon
from forebay_agents.redaction.training.rows import prose
from forebay_agents.redaction.training.text import Writer

_TEXTS, _SEED = 2_000, 22
_STAYING = 0.99
MOST = 8.0
"""What only the first and the last piece of a text exceed."""


def main() -> None:
    """Print them."""
    rng = random.Random(_SEED)  # noqa: S311 - reproducible, not secret
    writer = Writer(rng, Lexicon(rng), prose())
    for low, high in measured([writer.write().text for _ in range(_TEXTS)]):
        sys.stdout.write(f"    ({low}, {high}),\n")


def measured(texts: list[str]) -> Ranges:
    """Of ``texts``, each read by itself."""
    model = (unpacked("minilm", "all-minilm-l6-v2-q") / "model.onnx").read_bytes()
    dynamic = session(fused(model, LAYERS, HEADS, None))
    found = []
    for text in texts:
        ids = tokenizer().pieces(text, split(text)).ids[:120]
        row = np.concatenate([[FIRST], ids, [LAST]])[None]
        places = np.arange(row.size)
        feeds = {"ids": row, "positions": places, "lengths": np.array([row.size], np.int32), "wanted": places}
        _, *seen = dynamic.run(None, feeds)
        steps = zip(map(float, seen[::2]), map(int, seen[1::2]), strict=True)
        found.append([(-zero * step, (255 - zero) * step) for step, zero in steps])
    every = np.array(found)
    lows = np.quantile(every[:, :, 0], 1 - _STAYING, axis=0)
    highs = np.quantile(every[:, :, 1], _STAYING, axis=0)
    return [(round(max(low, -MOST), 2), round(min(high, MOST), 2)) for low, high in zip(lows, highs, strict=True)]


if __name__ == "__main__":
    main()
