"""``python -m agents.redaction.training --data FOLDER``: train the head, and score it on rows it has not seen.

Each real row is scored by a head that was trained without its fold; the head that is written was trained on all rows.
With ``--leave-out-sources`` each source is scored by a head that has seen nothing of its kind: how it does elsewhere.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.redaction.names.head import Features
from agents.redaction.names.layer import third_layer
from agents.redaction.names.lexical import Lexical, hashed
from agents.redaction.names.recogniser import named_spans
from agents.redaction.names.words import EVERYDAY, Matrix, split
from agents.redaction.training.fit import Encoded, checksum, encode, fit, lexical_table, predict, projection
from agents.redaction.training.lexicon import Lexicon, census_names, words_of
from agents.redaction.training.rows import FOLDS, Row, prose, read, training

SEED = 20
_KINDS = {"wnut17-dev": "tweets", "btc-a": "tweets", "nlupp-banking": "chats", "nlupp-hotels": "chats"}
_FAMILY_NAMES = 30_000


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with names-dev.jsonl and clean-dev.jsonl")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "names" / "head.npz")
    parser.add_argument("--generated", type=int, default=24_000, help="generated texts")
    parser.add_argument("--no-cv", action="store_true", help="only train and write")
    parser.add_argument("--leave-out-sources", action="store_true", help="score each source without its kind")
    options = parser.parse_args()
    rng = random.Random(SEED)  # noqa: S311 - reproducible, not secret
    lexicon = Lexicon(rng)
    real = [*read(options.data / "names-dev.jsonl"), *read(options.data / "clean-dev.jsonl")]
    table, lists = _lexical(lexicon, real, rng)
    features = Features(third_layer(), Lexical(table, lists))
    rows = list(training(real, lexicon, rng, options.generated))
    data = encode(rows, features)
    _say(f"{len(rows)} texts, {len(data.labels)} words")
    projected = projection(data, SEED).astype(np.float16).astype(np.float32)
    weights = _rounded(fit(data, projected, np.flatnonzero(data.labels >= 0), SEED))
    arrays: dict[str, NDArray[np.generic]] = {
        "table": table.astype(np.float16),
        "projection": projected.astype(np.float16),
    }
    arrays |= {f"list{index}": codes for index, codes in enumerate(lists)}
    arrays |= {"w0": weights[0].astype(np.float16), "w1": weights[1].astype(np.float16)}
    arrays |= {"b0": weights[2].astype(np.float16), "b1": weights[3].astype(np.float16)}
    np.savez_compressed(options.out, allow_pickle=False, **arrays)
    _say(f"wrote {options.out.name}: {options.out.stat().st_size} bytes, checksum {checksum(list(arrays.values()))}")
    if not options.no_cv:
        groups = [f"fold{row.fold}" for row in rows], [f"fold{row.fold}" for row in real]
        _report("rows not seen", data, encode(real, features), real, *groups, [f"fold{fold}" for fold in range(FOLDS)])
    if options.leave_out_sources:
        kinds = (
            [_KINDS.get(row.source, row.source) for row in rows],
            [_KINDS.get(row.source, row.source) for row in real],
        )
        _report("kinds not seen", data, encode(real, features), real, *kinds, sorted(set(kinds[1])))


def _lexical(lexicon: Lexicon, real: Sequence[Row], rng: random.Random) -> tuple[Matrix, list[NDArray[np.uint32]]]:
    first, last = census_names()
    given = words_of(first + lexicon.faker_first)
    family = words_of(last[:_FAMILY_NAMES] + lexicon.faker_last)
    places = words_of(lexicon.cities + lexicon.countries + lexicon.states + lexicon.counties)
    seen = {
        word
        for text in [*prose(), *(row.text.text for row in real if not row.text.spans)]
        for word in split(text).words
    }
    common = sorted({word for word in seen if word.islower() and len(word) > 1} | EVERYDAY)
    groups = [rng.sample(group, min(len(group), 12_000)) for group in (given, family, places)]
    table = lexical_table([*groups, common * 3], rng).astype(np.float16).astype(np.float32)
    return table, [hashed(given), hashed(family), hashed(places)]


def _rounded(weights: Iterable[Matrix]) -> list[Matrix]:
    """As they are shipped."""
    return [weight.astype(np.float16).astype(np.float32) for weight in weights]


def _report(
    title: str,
    data: Encoded,
    held: Encoded,
    real: Sequence[Row],
    trained: Sequence[str],
    tested: Sequence[str],
    names: Sequence[str],
) -> None:
    """Score each group of rows by a head trained without it."""
    probabilities = np.zeros((len(held.labels), 3), np.float32)
    of_word, of_held = np.array(trained)[data.row], np.array(tested)[held.row]
    for number, name in enumerate(names):
        at = np.flatnonzero((of_word != name) & (data.labels >= 0))
        projected = projection(data, SEED)
        weights = _rounded(fit(data, projected, at, SEED + number))
        asked = np.flatnonzero(of_held == name)
        probabilities[asked] = predict(held, projected, weights, asked)
        _say(f"{title}: {name}")
    for threshold in (0.2, 0.25, 0.3, 0.35, 0.4, 0.5):
        json.dump({"title": title, "threshold": threshold} | _scores(held, real, probabilities, threshold), sys.stdout)
        sys.stdout.write("\n")


def _scores(held: Encoded, real: Sequence[Row], probabilities: Matrix, threshold: float) -> dict[str, object]:
    """By source: per cent of labelled letters and digits left, and of clean texts touched."""
    sums: dict[str, list[int]] = {}
    for index, row in enumerate(real):
        text = row.text.text
        rows = probabilities[held.first[index] : held.first[index + 1]]
        covered = {at for start, end, *_ in named_spans(text, split(text), rows, threshold) for at in range(start, end)}
        total = sums.setdefault(row.source, [0, 0, 0, 0])
        for start, end, _ in row.text.spans:
            letters = [at for at in range(start, end) if text[at].isalnum()]
            total[0] += len(letters)
            total[1] += sum(at not in covered for at in letters)
        if not row.text.spans:
            total[2] += 1
            total[3] += bool(covered)
    return {
        source: {"leak": round(100 * leaked / max(letters, 1), 1), "touched": round(100 * touched / max(clean, 1), 1)}
        for source, (letters, leaked, clean, touched) in sums.items()
    }


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
