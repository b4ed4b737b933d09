"""Made-up rows as a benchmark of several models would record them, with what makes the choice of a tier hard.

Each prompt is of a kind; kinds differ in how much worse the cheap models are, and inside a kind a difficulty decides,
of which only a part can be read off the prompt. Wrong answers are wrong in different ways, so that two models seldom
agree on one; confidences know a little. ``python -m tests.unit.completion.routing.recorded 3000`` prints rows.
"""

import json
import random
import sys
from collections.abc import Iterator
from typing import Any

MODELS = {"tiny": (0.2, 1.0), "middle": (1.0, 5.0), "grand": (2.6, 40.0)}
"""Strength, and cost per 1,000 words."""

_KINDS = {
    "sum": ("What is {a} {op} {b}?", -0.6),
    "capital": ("Which city is the capital of {place}?", -1.2),
    "story": ("{who} has {a} {things} and gives {b} of them to each of {c} friends. How many {things} are left?", 0.8),
    "choice": ("Which of these is true of {place}?\nA. {things}\nB. {who}\nC. both\nD. neither", 0.4),
    "code": ("Write a Python function that sorts {things} by {who}'s rule number {a}.", 1.0),
    "reason": ("Explain step by step why {place} would trade {things} with {who}, given {a} conditions.", 1.4),
}
_PLACES = "Peru Norway Kenya Japan Malta Chad Laos Fiji Oman Cuba Iceland Nepal".split()  # noqa: SIM905 - shorter
_THINGS = "apples coins letters lamps bricks tickets bottles shells".split()  # noqa: SIM905 - shorter
_NAMES = "Ann Boris Chidi Dora Emil Fatima".split()  # noqa: SIM905 - shorter


def rows(count: int, seed: int = 1, *, noise: float = 0.8) -> Iterator[dict[str, Any]]:
    """``noise``: standard deviation of the part of the difficulty that no prompt shows."""
    draw = random.Random(seed)
    for number in range(count):
        kind = draw.choice(list(_KINDS))
        template, base = _KINDS[kind]
        digits = draw.randint(1, 4)
        prompt = template.format(
            a=draw.randint(10 ** (digits - 1), 10**digits),
            b=draw.randint(10 ** (digits - 1), 10**digits),
            c=draw.randint(2, 9),
            op=draw.choice("+-*"),
            place=draw.choice(_PLACES),
            things=draw.choice(_THINGS),
            who=draw.choice(_NAMES),
        )
        difficulty = base + 0.6 * (digits - 2) * (kind in ("sum", "story", "code")) + draw.gauss(0, noise)
        truth = str(draw.randint(1, 9999)) if kind != "choice" else draw.choice("ABCD")
        models = {}
        for name, (strength, price) in MODELS.items():
            margin = strength - difficulty + draw.gauss(0, 0.5)
            right = margin > 0
            wrong = str(draw.randint(1, 9999)) if kind != "choice" else draw.choice("ABCD".replace(truth, ""))
            said = truth if right else wrong
            length = draw.randint(5, 60) * (1 if kind in ("sum", "capital", "choice") else 4)
            models[name] = {
                "answer": f"The answer is {said}.",
                "correct": int(right),
                "cost": round(price * length / 1000, 6),
                "confidence": round(1 / (1 + 2.7 ** -(0.8 * margin + draw.gauss(0.6, 1.0))), 4),
            }
        yield {"id": f"r{number}", "prompt": prompt, "models": models}


if __name__ == "__main__":
    for row in rows(int(sys.argv[1])):
        print(json.dumps(row))
