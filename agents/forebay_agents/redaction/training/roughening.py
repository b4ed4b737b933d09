"""How do people leave what they write? In any casing, with typos, with or without blanks around punctuation."""

import random
import re

from forebay_agents.redaction.training.labelled import PERSON, Chunk, Labelled, apart, joined


def roughened(rng: random.Random, row: Labelled) -> Labelled:
    """``row`` with casing, typos and spacing as people leave them; shares as in the recipe that was tried."""
    chunks = apart(row)
    draw = rng.random()
    if draw < 0.22:
        chunks = [(text.lower(), label) for text, label in chunks]
    elif draw < 0.28:
        chunks = [(text.upper(), label) for text, label in chunks]
    elif draw < 0.36:
        chunks = [(text.lower() if label else text, label) for text, label in chunks]
    elif draw < 0.39:
        chunks = [(text.title(), label) for text, label in chunks]
    elif draw < 0.42:
        chunks = [(text.upper() if label == PERSON else text, label) for text, label in chunks]
    if rng.random() < 0.18:
        chunks = [(_typo(rng, text), label) for text, label in chunks]
    if rng.random() < 0.15:
        chunks = [(_tokenised(text), label) for text, label in chunks]
    if rng.random() < 0.25 and chunks:
        last, label = chunks[-1]
        chunks[-1] = (last.rstrip(" .!?,"), label)
    return joined(chunks)


def _typo(rng: random.Random, text: str) -> str:
    if len(text) < 4 or rng.random() < 0.5:
        return text
    at = rng.randrange(1, len(text) - 2)
    if not (text[at].isalpha() and text[at + 1].isalpha()):
        return text
    match rng.randrange(3):
        case 0:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        case 1:
            return text[:at] + text[at + 1 :]
    return text[:at] + text[at] + text[at:]


_PUNCTUATION = re.compile(r"(?<=\w)([.,!?;:)])(?=\s|$)|(?<=\w)('s)\b|([(])(?=\w)")


def _tokenised(text: str) -> str:
    """Blanks around punctuation, as in corpora of tweets and of Wikipedia; some part apostrophes too: "Ann ' s"."""
    spaced = _PUNCTUATION.sub(lambda m: f" {m[0]}" if not m[3] else "( ", text)
    return _APOSTROPHE.sub(" ' ", spaced) if len(text) % 3 == 0 else spaced


_APOSTROPHE = re.compile(r" ?['’](?=(?:s|t|m|re|ve|ll|d)\b)")
_BEFORE = re.compile(r" (?=[.,!?;:)\]]|'s\b|n't\b|'(?:m|re|ve|ll|d)\b)")
_AFTER = re.compile(r"(?<=[(\[#@]) ")


def detokenised(row: Labelled) -> Labelled:
    """The inverse of tokenising, where it is certain."""
    chunks = [(_AFTER.sub("", _BEFORE.sub("", text)), label) for text, label in apart(row)]
    cleaned: list[Chunk] = []
    for text, label in chunks:
        if label is None and text[:1] == " " and text[1:2] in {".", ",", "!", "?", ")", ":"}:
            text = text[1:]
        cleaned.append((text, label))
    return joined(cleaned)
