"""``python -m forebay_agents.redaction.training --data FOLDER``: train the head, and the heads that it is measured by.

The head that is shipped was trained on all rows. With ``--folds FOLDER`` five more are written, each trained without
one fifth of the rows, and two that have seen no tweet and no page of an encyclopedia; ``measure.py`` scores each real
row by a head that has not seen it.
"""

import argparse
import os
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forebay_agents.redaction.detection.names.encoder.layer import third_layer
from forebay_agents.redaction.detection.names.encoder.pieces import tokenizer
from forebay_agents.redaction.detection.names.head import Reader
from forebay_agents.redaction.detection.names.lexical import Lexical, hashed
from forebay_agents.redaction.detection.names.words import EVERYDAY, split
from forebay_agents.redaction.training.fit import Encoded, checksum, encode, fit, lexical_table, projection
from forebay_agents.redaction.training.lexicon import Lexicon
from forebay_agents.redaction.training.rows import FOLDS, KINDS, borrowing, prose, read, training

SEED = 20
_COMMON_TOKENS = 16_000
"""Tokens of the encoder's vocabulary that count as common words unless a list has them; the first are the most used."""
_FIXED = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Without these, Faker's sets come in another order each time, and sums are added up in another order."""

Arrays = dict[str, NDArray[Any]]


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with names-dev.jsonl and clean-dev.jsonl")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "detection" / "names" / "head.npz")
    parser.add_argument("--folds", type=Path, help="folder for heads that have not seen some of the rows")
    parser.add_argument("--generated", type=int, default=36_000, help="generated texts")
    parser.add_argument("--every", type=int, default=1, help="only each nth labelled row: to try the command out")
    options = parser.parse_args()
    if not _FIXED.items() <= os.environ.items():
        command = [sys.executable, "-m", "forebay_agents.redaction.training", *sys.argv[1:]]
        os.execve(command[0], command, os.environ | _FIXED)  # noqa: S606 - ourselves
    rng = random.Random(SEED)  # noqa: S311 - reproducible, not secret
    lexicon = Lexicon(rng)
    real = [*read(options.data / "names-dev.jsonl"), *read(options.data / "clean-dev.jsonl")][:: options.every]
    arrays = _lexical(lexicon, rng)
    table = arrays["table"].astype(np.float32)
    reader = Reader(third_layer(), Lexical(table, [arrays[f"list{index}"] for index in range(3)]))
    rows = list(training(real, lexicon, rng, options.generated))
    data = encode(rows, reader)
    _say(f"{len(rows)} texts, {len(data.labels)} words")
    learnt = data.labels >= 0
    _write(options.out, arrays | _fitted(data, np.flatnonzero(learnt), SEED))
    if options.folds:
        options.folds.mkdir(parents=True, exist_ok=True)
        sources = np.array([row.source for row in rows])[data.row]
        for kind, members in KINDS.items():
            at = np.flatnonzero(learnt & ~np.isin(sources, [*members, borrowing(kind)]))
            _write(options.folds / f"without-{kind}.npz", arrays | _fitted(data, at, SEED))
        for fold in range(FOLDS):
            _write(
                options.folds / f"fold{fold}.npz",
                arrays | _fitted(data, np.flatnonzero(learnt & (data.fold != fold)), SEED + 1 + fold),
            )


def _lexical(lexicon: Lexicon, rng: random.Random) -> Arrays:
    """The table and the lists: from public lists and the encoder's vocabulary, never from labelled rows."""
    given, family, places = lexicon.groups()
    listed = {*given, *family, *places}
    known = {word for word in tokenizer().vocabulary(_COMMON_TOKENS) if len(word) > 2 and word not in listed}
    seen = {word for text in prose() for word in split(text).words if word.islower() and len(word) > 1}
    common = sorted(known | seen | EVERYDAY)
    groups = [rng.sample(group, min(len(group), 12_000)) for group in (given, family, places)]
    arrays: Arrays = {"table": lexical_table([*groups, common * 2], rng).astype(np.float16)}
    return arrays | {f"list{index}": hashed(group) for index, group in enumerate((given, family, places))}


def _fitted(data: Encoded, at: NDArray[np.int64], seed: int) -> Arrays:
    """At half precision, as it is shipped."""
    projected = projection(data, at, seed).astype(np.float16).astype(np.float32)
    named = zip(("projection", "w0", "w1", "b0", "b1"), (projected, *fit(data, projected, at, seed)), strict=True)
    return {name: weight.astype(np.float16) for name, weight in named}


def _write(path: Path, arrays: Arrays) -> None:
    np.savez_compressed(path, allow_pickle=False, **arrays)
    _say(f"wrote {path.name}: {path.stat().st_size} bytes, checksum {checksum(list(arrays.values()))}")


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
