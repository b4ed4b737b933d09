"""Does any text break redaction? Seeds are spliced and mutated; each text must keep the promises of the command.

``FOREBAY_FUZZ_RUNS`` sets the number of texts (default 150) and ``FOREBAY_FUZZ_SEED`` the draw. A text that fails is
printed by pytest; put it into ``corpus/`` as a file, where every run reads it first.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from agents.redaction.detection import Detector
from agents.redaction.lines import Redactor
from agents.redaction.policy import Policies
from agents.redaction.settings import RedactionSettings
from streams.egress import EgressGuard
from streams.metrics import Metrics
from tests.data.kinds import texts

CORPUS = Path(__file__).parent / "corpus"
FORMS = Path(__file__).parents[1] / "data" / "forms.txt"
RUNS = int(os.environ.get("FOREBAY_FUZZ_RUNS", "150"))
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
    kept = [file.read_text("utf-8", "surrogatepass") for file in sorted(CORPUS.glob("*.txt"))]
    yield from kept
    seeds = [row.text for row in (*texts(), *texts(FORMS))] + kept
    rng = random.Random(int(os.environ.get("FOREBAY_FUZZ_SEED", "7")))
    for _ in range(RUNS):
        yield mutated(rng, seeds)


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    settings = RedactionSettings()
    return Redactor(Detector(settings), Policies(settings), settings.max_chars)


def test_no_text_breaks_a_promise(redactor: Redactor) -> None:
    guard = EgressGuard(metrics=Metrics(CollectorRegistry()))
    tried = 0
    for text in cases():
        redacted = redactor.redact(text)
        end = 0
        for span in redacted.spans:
            assert end <= span.start < span.end <= len(text), ascii(text)
            end = span.end
        assert guard.check([redacted.text]) == [], ascii(text)
        pieces = [text[a.end : b.start] for a, b in zip(redacted.spans, redacted.spans[1:], strict=False)]
        assert all(piece in redacted.text for piece in pieces), ascii(text)
        tried += 1
    assert tried >= RUNS
