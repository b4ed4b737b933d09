"""What is stored, and what is asked of it, when look-ups are timed? Real questions first, made-up ones to fill up.

A fair share of what people ask is new, and what is near it in the store is about something else. So each kind of
question is asked for itself: those with an answer there, those with only a neighbour, and those with nothing near.
"""

import random
from dataclasses import dataclass, field

from forebay_agents.cache.training.pairs import edit, everything
from loadtest.scenarios.questions import questions


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """The questions written for the cache, group by group.

    Attributes:
        stored: what the store has.
        reworded: not stored, but questions that the same answer serves are, and neighbours too.
        related: not stored; only others about the same matter are.
        new: not stored, nor anything of their group.
    """

    stored: list[str] = field(default_factory=list)
    reworded: list[str] = field(default_factory=list)
    related: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


def written() -> Written:
    """Half of the groups are stored but for the question that is asked; of a quarter only what it is not."""
    groups: dict[str, dict[str, set[bool]]] = {}
    first: dict[str, str] = {}
    for pair in everything():
        if pair.kind == "written" and first.setdefault(pair.group, pair.a) == pair.a:
            groups.setdefault(pair.group, {}).setdefault(pair.b, set()).add(pair.duplicate)
    made, seen = Written(), set[str]()
    for number, (group, others) in enumerate(groups.items()):
        asked = first[group]
        mine = [text for text, labels in others.items() if number % 4 < 2 or (number % 4 == 2 and labels == {False})]
        served = any(True in others[text] for text in mine)
        if asked in seen or seen & set(mine):
            continue
        seen |= {asked, *others}
        made.stored.extend(mine)
        (made.reworded if served else made.related if mine else made.new).append(asked)
    return made


def stored(count: int) -> list[str]:
    """``count`` distinct questions, the written ones first."""
    known = dict.fromkeys(written().stored)
    return list(dict.fromkeys([*known, *questions(count)]))[:count]


def asked(encoded: list[str], lookups: int, rng: random.Random) -> dict[str, list[str]]:
    """At most ``lookups`` questions of each kind.

    Args:
        encoded: stored questions with vectors of their own; equal and edited ones are drawn from them.
    """
    own = written()
    kinds = {
        "equal": [rng.choice(encoded) for _ in range(lookups)],
        "edited": [edit(rng.choice(encoded), rng) for _ in range(lookups)],
        "reworded": own.reworded,
        "related": own.related,
        "new": own.new,
    }
    return {kind: rng.sample(texts, min(lookups, len(texts))) for kind, texts in kinds.items()}
