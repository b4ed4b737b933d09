"""Labelled pairs over the guards' classes, and paraphrases: ``python -m tests.data.cache_pairs > FILE``.

Each line of ``cache_frames.txt`` is one question in several wordings with a slot, and fillings of the slot. Two
wordings with one filling share an answer; two fillings never do, in one wording or in two. None of them is in the texts
that the decision was trained on. The classes are those of ``agents/forebay_agents/cache/matching/guards.py``; ``plain``
has no guard to help.
"""

import itertools
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PER_FRAME = 16
"""Pairs of each label at most."""


def _fill(wording: str, filling: str) -> str:
    one, _, rest = filling.partition(" ")
    return wording.replace("{x_is}", f"{one} is {rest}").replace("{x}", filling)


def _typed(text: str, rng: random.Random) -> str:
    """The same question as somebody else types it."""
    return rng.choice(
        (f"Hi there, {text[0].lower()}{text[1:]}", f"{text} Thank you!", text.rstrip("?"), text.replace("I ", "i "))
    )


def pairs(seed: int = 20) -> Iterator[dict[str, Any]]:
    """All pairs, in an order that depends on the seed only."""
    rng = random.Random(seed)
    lines = Path(__file__).with_name("cache_frames.txt").read_text("utf-8").splitlines()
    for number, line in enumerate(line for line in lines if not line.startswith("#")):
        kind, fillings, *wordings = (part.strip() for part in line.split("|"))
        slots = [filling.strip() for filling in fillings.split(";")]
        same = [
            (_fill(one, slot), _fill(other, slot))
            for slot in slots
            for one, other in itertools.combinations(wordings, 2)
        ]
        same += [(_fill(one, slot), _typed(_fill(one, slot), rng)) for slot in slots for one in wordings]
        same = [(one, other) for one, other in same if one != other]
        apart = [
            (_fill(one, slot), _fill(other, another))
            for slot, another in itertools.combinations(slots, 2)
            for one, other in itertools.product(wordings, repeat=2)
        ]
        # What is timely has no lasting answer: not even the same question is a duplicate of itself tomorrow.
        labelled = [(pair, kind != "timely") for pair in same] + [(pair, False) for pair in apart]
        for label in (True, False):
            chosen = [pair for pair, duplicate in labelled if duplicate == label]
            rng.shuffle(chosen)
            for count, (a, b) in enumerate(chosen[:_PER_FRAME]):
                yield {"id": f"{kind}-{number}-{int(label)}-{count}", "kind": kind, "a": a, "b": b, "duplicate": label}


if __name__ == "__main__":
    for pair in pairs():
        sys.stdout.write(json.dumps(pair) + "\n")
