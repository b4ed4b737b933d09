"""What a transcript looks like, and which of its turns a question is about."""

import numpy as np
import pytest

from forebay_agents.completion.compression.extract import extract
from forebay_agents.completion.compression.text import question, units
from forebay_agents.completion.compression.valuation import matching, turns
from forebay_agents.completion.compression.valuation.worth import is_filler

MEETING = """
Chair: Let us come to the mount now, please.
Design: Straps break. I would rather take two magnets.
Sales: How much are they?
Design: Forty cents for the pair, if we order in May.
Chair: Agreed, so we take them.
Sales: Then the packaging, which shops want in cardboard.
Design: Fine with me, cardboard is cheap.
Chair: The next point is the holidays of the team in August.
"""


@pytest.mark.parametrize(
    "line",
    [
        "PhD A: Well then.",
        "Industrial Designer : um , okay",
        "The Chair (Hon. Ann Rota (Nipissing—Timis, Lib.)): Order.",
        "[00:12:03] Anna: Hello there.",
        "00:01 Anna Lee: Hello there.",
        "Anna [00:12]: Hello there.",
        "- Élise Dupont: Hello there.",
        "**Anna Lee:** Hello there.",
        "SPEAKER_00: Hello there.",
    ],
)
def test_who_speaks_is_seen_in_many_forms(line: str) -> None:
    text = "\n".join([line] * 3)
    assert len(units.speakers_of(text, units.words_of(text))) == 3


@pytest.mark.parametrize("line", ["there are three: one, two and four.", "At 12:30 we left."])
def test_not_every_colon_makes_a_speaker(line: str) -> None:
    text = "\n".join([line] * 3)
    assert units.speakers_of(text, units.words_of(text)) == []


def factors(asked: str) -> dict[str, float]:
    """By the first words of each sentence."""
    words = units.words_of(MEETING)
    sentences = units.sentences_of(words)
    runs = units.speakers_of(MEETING, words)
    mute = {index for run in runs for index in range(*run)}
    read = question.read(asked)
    found = turns.factors(words, sentences, runs, read, matching.match(words, sentences, read, mute))
    assert np.isfinite(found).all()
    assert found.max() == pytest.approx(1.0)
    texts = ("".join(word.text for word in words[s.first : s.last]).strip() for s in sentences)
    return {text[:18]: float(factor) for text, factor in zip(texts, found, strict=True)}


def test_a_subject_counts_on_and_fades() -> None:
    found = factors("What of the mount?")
    assert found["Design: Forty cent"] > found["Sales: Then the pa"] > found["Chair: The next po"]


def test_whoever_is_named_is_heard_first() -> None:
    def lead(asked: str) -> float:
        found = factors(asked)
        return found["Design: Straps bre"] / found["Sales: How much ar"]

    assert lead("What did Design say of the mount?") > 2 * lead("What was said of the mount?")


def test_a_decision_is_found_at_the_end_of_its_subject() -> None:
    asked = "What was decided about the mount?"
    found = factors(asked)
    assert max(found, key=lambda text: found[text]) in ("Chair: Let us come", "Chair: Agreed, so")
    assert "so we take them" in extract(MEETING, asked, 0.4).text


def test_noises_are_fillers() -> None:
    words = units.words_of("{vocalsound} [applause] <laugh> [12] house")
    assert [is_filler(word) for word in words] == [True, True, True, False, False]


def test_text_without_capitals_has_sentences() -> None:
    words = units.words_of("the lamp is old. nobody knows why. we buy another one.")
    assert len(units.sentences_of(words)) == 3
