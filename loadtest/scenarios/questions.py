"""What do people ask in the simulation, and which answer is right? Questions that the decision was never trained on.

The world is made of the parts of the training texts that only check: grids of travel and cooking questions, the written
triples that are held out, and pairs that differ in one slot. Each right answer has several wordings; each wording is
also typed by somebody else (other frame, filler, case, typo, synonym).
"""

import itertools
import random
from dataclasses import dataclass

from forebay_agents.cache.training.pairs import edit, grids, lines, swaps, triples

_EDITS = 4
"""Variants of a wording by other hands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """One right answer and the ways to ask for it, the plainest first."""

    answer: str
    wordings: tuple[str, ...]


def world(seed: int = 11, literal: float = 0.0) -> list[Topic]:
    """All topics, in an order that depends on the seed only.

    Args:
        literal: share of topics in which the wording is the question, as in "Is this sentence correct: …": the same in
            other words has another answer, which no reading of the question can tell.
    """
    rng = random.Random(seed)
    plain: list[list[str]] = []
    for grid in grids():
        if grid.checks:
            plain.extend(
                [wording.replace("{x}", subject[0]) for wording in intent]
                for subject in grid.subjects
                for intent in grid.intents
            )
    for name in ("medical", "community", "unseen"):
        held_out = {pair.group for pair in triples(name, checks=True if name == "unseen" else None) if pair.checks}
        for number, line in enumerate(lines(name)):
            if f"{name}-{number}" in held_out:
                question, same, other = (part.strip() for part in line.split("|"))
                plain.extend([[question, same], [other]])
    for pair in swaps():
        if pair.checks:
            plain.extend([[pair.a, pair.b]] if pair.duplicate else [[pair.a], [pair.b]])
    rng.shuffle(plain)
    typed = [_typed(wordings, rng) for wordings in plain]
    parted = [
        part
        for number, wordings in enumerate(typed)
        for part in ((wordings[::2], wordings[1::2]) if number < literal * len(typed) else (wordings,))
        if part
    ]
    return [Topic(answer=f"Answer number {number}.", wordings=wordings) for number, wordings in enumerate(parted)]


def _typed(wordings: list[str], rng: random.Random) -> tuple[str, ...]:
    made = dict.fromkeys(wordings)
    for wording in wordings:
        for _ in range(_EDITS):
            made.setdefault(edit(wording, rng))
    return tuple(made)


def zipf(topics: int, exponent: float) -> list[float]:
    """Weights of topics by rank."""
    return [1.0 / (rank + 1) ** exponent for rank in range(topics)]


_VERBS = [
    "clean",
    "repair",
    "paint",
    "sell",
    "insure",
    "store",
    "move",
    "measure",
    "replace",
    "heat",
    "cool",
    "lift",
    "fold",
    "polish",
    "label",
    "pack",
]
_THINGS = [
    "a bicycle",
    "a guitar",
    "a roof",
    "a carpet",
    "an oven",
    "a sofa",
    "a boat",
    "a lamp",
    "a window",
    "a bridge",
    "a violin",
    "a tent",
    "a kayak",
    "a mirror",
    "a fence",
    "a statue",
    "a freezer",
    "a drone",
    "a telescope",
    "a bookshelf",
    "a piano",
    "a fireplace",
    "a greenhouse",
    "a motorbike",
    "a harp",
]
_PLACES = [
    "in winter",
    "in a small flat",
    "without tools",
    "for a wedding",
    "at school",
    "on a budget",
    "in the rain",
    "for my parents",
    "abroad",
    "at night",
    "with children around",
    "after a flood",
    "in the desert",
    "before a holiday",
    "for the first time",
    "by myself",
]
_FRAMES = (
    "How do I {} {} {}?",
    "What does it cost to {} {} {}?",
    "Who can {} {} {}?",
    "How long does it take to {} {} {}?",
)


def questions(count: int, seed: int = 4) -> list[str]:
    """Distinct questions."""
    made = [
        frame.format(verb, thing, place)
        for frame, verb, thing, place in itertools.product(_FRAMES, _VERBS, _THINGS, _PLACES)
    ]
    made += [question.replace("?", f" of type {number}?") for number in range(2, 6) for question in made]
    random.Random(seed).shuffle(made)
    return made[:count]
