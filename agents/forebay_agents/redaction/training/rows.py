"""Which texts is the head trained on? Generated ones, and real ones with people and places labelled.

Every text belongs to a fold, and so does every sentence that a generated text borrows: when a fold is scored, nothing
of it was seen. Real texts appear as they are, detokenised, and with their people and places exchanged for others.
"""

import inspect
import json
import pydoc_data.topics
import random
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from forebay_agents.redaction.training.labelled import IGNORED, PERSON, Labelled, joined
from forebay_agents.redaction.training.lexicon import Lexicon
from forebay_agents.redaction.training.roughening import detokenised, roughened
from forebay_agents.redaction.training.text import Writer

FOLDS = 5
KINDS = {
    "tweets": ("wnut17-dev", "btc-a"),
    "pages": ("wikigold",),
    "dialogues": ("nlupp-banking", "nlupp-hotels", "banking77-train"),
}
"""Kinds of text that a head is trained without, to see how it does on kinds it has not seen. Generated texts borrow
sentences of dialogues; those are left out with them."""
_SWAPS = 4
_MORE, _MORE_SEED = 3_000, 21
_OTHERWISE = 6_000
_COMMENT = "#: "
"""A line without a sentence; a hashtag may begin one."""
_KNOWN = ("PERSON", "LOCATION")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A text, its fold, and the corpus that it is from."""

    text: Labelled
    fold: int
    source: str


def read(path: Path) -> list[Row]:
    """Labelled rows of a file of JSON lines."""
    rows = []
    for line in path.read_text("utf-8").splitlines():
        entry = json.loads(line)
        spans = sorted((s["start"], s["end"], s["type"] if s["type"] in _KNOWN else IGNORED) for s in entry["spans"])
        text = Labelled(text=entry["text"], spans=tuple(spans))
        rows.append(Row(text=text, fold=zlib.crc32(entry["id"].encode()) % FOLDS, source=entry["source"]))
    return rows


def prose() -> list[str]:
    """Sentences of Python's own documentation: capitals, jargon and code, and nearly no people."""
    found = []
    for topic in sorted(pydoc_data.topics.topics):
        for sentence in re.split(r"(?<=[.!?])\s+", inspect.cleandoc(pydoc_data.topics.topics[topic])):
            flat = re.sub(r"\s+", " ", sentence).strip()
            if 20 < len(flat) < 200 and flat.isascii():
                found.append(flat)
    return found


def training(real: Sequence[Row], lexicon: Lexicon, rng: random.Random, generated: int) -> Iterator[Row]:
    """All training rows.

    Args:
        real: rows of the labelled corpora, clean ones among them.
        generated: number of generated texts.
    """
    sentences = prose()
    rng.shuffle(sentences)
    writers, dialogues = [], set()
    for fold in range(FOLDS):
        questions = [r.text.text for r in real if r.fold == fold and not r.text.spans and _plain(r)]
        writers.append(Writer(rng, lexicon, questions + sentences[fold::FOLDS][:200]))
        dialogues.update(questions)
    for index in range(generated):
        writer = writers[index % FOLDS]
        text = writer.write()
        source = borrowing("dialogues") if writer.borrowed & dialogues else "generated"
        yield Row(text=text, fold=index % FOLDS, source=source)
    for row in real:
        yield row
        yield Row(text=roughened(rng, detokenised(row.text)), fold=row.fold, source=row.source)
        if row.text.spans:
            for _ in range(_SWAPS):
                base = row.text if rng.random() < 0.6 else detokenised(row.text)
                swapped = roughened(rng, writers[row.fold].swapped(base))
                yield Row(text=swapped, fold=row.fold, source=row.source)
    for index, sentence in enumerate(sentences[:2500]):
        yield Row(text=roughened(rng, Labelled(text=sentence, spans=())), fold=index % FOLDS, source="prose")
    yield from _more(lexicon)
    yield from _otherwise(writers)


def _more(lexicon: Lexicon) -> Iterator[Row]:
    """Rows from ``more.txt``, drawn by a generator of their own: a line more there changes no other row."""
    rng = random.Random(_MORE_SEED)  # noqa: S311 - reproducible, not secret
    values = {"{F}": lexicon.faked.foreign, "{G}": lexicon.faked.first, "{S}": lexicon.faked.last}
    lines = _lines("more.txt")
    for index in range(_MORE):
        pieces = re.split(r"(\{[FGS]\})", lines[index % len(lines)])
        chunks = [(rng.choice(values[piece]), PERSON) if piece in values else (piece, None) for piece in pieces]
        yield Row(text=roughened(rng, joined(chunks)), fold=index % FOLDS, source="generated")


def _otherwise(writers: Sequence[Writer]) -> Iterator[Row]:
    """Rows from ``named-otherwise.txt``; drawn last, so that a line more there changes no other row either."""
    lines = _lines("named-otherwise.txt")
    for index in range(_OTHERWISE):
        text = writers[index % FOLDS].filled(lines[index % len(lines)])
        yield Row(text=text, fold=index % FOLDS, source="generated")


def _lines(file: str) -> list[str]:
    """Sentences of a file beside this one."""
    lines = (Path(__file__).parent / file).read_text("utf-8").splitlines()
    return [line.replace("\\n", "\n") for line in lines if not line.startswith(_COMMENT)]


def borrowing(kind: str) -> str:
    """Source of generated texts with a sentence of ``kind`` in them."""
    return f"generated from {kind}"


def _plain(row: Row) -> bool:
    """Whether a clean row is a whole sentence that may stand beside others: not a tweet, not a heading."""
    return row.source.startswith(("nlupp", "banking"))
