"""Does any text break redaction? Seeds are spliced and mutated; each text must keep the promises of the command.

``TEST_FUZZ_RUNS`` sets the number of texts (default 150) and ``TEST_FUZZ_SEED`` the draw. A text that fails is
printed by pytest; put it into ``corpus/`` as a file, where every run reads it first.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

from tests.data.kinds import texts
from tests.fuzz.promises import Promises

CORPUS = Path(__file__).parent / "corpus"
FORMS = Path(__file__).parents[1] / "data" / "forms.txt"
RUNS = int(os.environ.get("TEST_FUZZ_RUNS", "150"))
PIECES = (
    "\u200b", "\u202e", "\u0301", "\ud800", "\x00", "\r\n", "&#", "%41", "\\u0031", "<PERSON_1>", "<CREDIT_CARD_", "@",
    "://", "-----BEGIN", "1" * 40, " " * 30, "a" * 60, "0x", "==", "\uff11", "İ", "ß", "é", "名", "\U0001f600",
)  # fmt: skip


def mutated(rng: random.Random, seeds: list[str]) -> str:
    text = rng.choice(seeds)
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(text))
        match rng.randrange(5):
            case 0:
                text = text[:at] + rng.choice(PIECES) + text[at:]
            case 1:
                text = text[:at] + text[at + rng.randint(1, 5) :]
            case 2:
                other = rng.choice(seeds)
                text = text[:at] + other[rng.randint(0, len(other)) :]
            case 3:
                text = text[:at] + text[at:].swapcase()
            case _:
                text = text[:at] + text[max(0, at - rng.randint(1, 30)) :]
    return text[:600]


def cases() -> Iterator[str]:
    kept = [file.read_bytes().decode("utf-8", "surrogateescape") for file in sorted(CORPUS.iterdir())]
    yield from kept
    seeds = [row.text for row in (*texts(), *texts(FORMS))] + kept
    rng = random.Random(int(os.environ.get("TEST_FUZZ_SEED", "7")))
    for _ in range(RUNS):
        yield mutated(rng, seeds)


def test_no_text_breaks_a_promise() -> None:
    promises = Promises()
    tried = 0
    for text in cases():
        promises.hold(text)
        tried += 1
    assert tried >= RUNS
