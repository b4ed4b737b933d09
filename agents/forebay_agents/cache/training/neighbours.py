"""Which questions are near each other and yet not the same? The everyday candidates of a search.

Written negatives are written to be hard. Most candidates that a search brings up are merely about something similar,
and a model that never saw those believes too little in similarity. Neighbours of one another among all written
questions are such pairs; the nearest are left out, because some of them happen to ask the same.
"""

import numpy as np

from forebay_agents.cache.training.pairs import Pair
from forebay_agents.embeddings import Vectors

NEAREST = 0.72
"""Cosine from which on two of our texts may well be the same question: those are not taken."""
_EACH = 2
_OF_PATIENTS = ("medical", "patients", "doctors", "clinic", "practice")


def neighbours(pairs: list[Pair], vector_of: dict[str, Vectors]) -> list[Pair]:
    """For each question its two nearest of other groups, as pairs that are no duplicates; within one domain family."""
    made: dict[tuple[str, str], Pair] = {}
    for checks in (False, True):
        for medical in (True, False):
            places = {
                text: pair
                for pair in pairs
                if pair.kind == "written" and pair.checks == checks and (pair.domain in _OF_PATIENTS) == medical
                for text in (pair.a, pair.b)
            }
            texts = list(places)
            matrix = np.array([vector_of[text] for text in texts])
            cosines = matrix @ matrix.T
            for row, text in enumerate(texts):
                mine = places[text]
                found = [at for at in np.argsort(-cosines[row]) if places[texts[at]].group != mine.group][:_EACH]
                for at in found:
                    first, second = sorted((text, texts[at]))
                    if cosines[row, at] < NEAREST:
                        made[first, second] = Pair(
                            a=first, b=second, duplicate=False, kind="neighbour", domain=mine.domain,
                            group=places[first].group, checks=checks,
                        )  # fmt: skip
    return list(made.values())
