"""Which pairs of questions teach the decision, and which only check it?

All written for this purpose: triples (a question, one that its answer serves, one that it would not), labelled pairs,
grids (subjects × intents × wordings), swaps (one slot that changes everything, or nothing), edits (the same question
typed by somebody else), and neighbours (:mod:`forebay_agents.cache.training.neighbours`). Each has a part that is never
trained on: other subjects, other templates, other triples.
"""

import hashlib
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from importlib.resources import files

_TRIPLES = (
    "medical", "community", "patients", "narrower", "broad", "doctors", "clinic", "practice", "everyday", "workshop",
    "desk",
)  # fmt: skip
_CHECKED = 5
"""Of the triples one in so many checks only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Two questions, whether one answer serves both, and where the pair comes from.

    Attributes:
        kind: of pair, for reports.
        domain: medical, community, or what the grid is about.
        group: pairs of one group share a question, so they are never split between training and check.
    """

    a: str
    b: str
    duplicate: bool
    kind: str
    domain: str
    group: str
    checks: bool


def lines(name: str) -> list[str]:
    """Lines of a text of this package without comments."""
    text = (files("forebay_agents.cache.training") / "texts" / f"{name}.txt").read_text("utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def triples(name: str, *, checks: bool | None = None) -> Iterator[Pair]:
    """Three pairs of each triple: the paraphrase, the other question, and the paraphrase beside the other question."""
    for number, line in enumerate(lines(name)):
        question, same, other = (part.strip() for part in line.split("|"))
        checked = number % _CHECKED == _CHECKED - 1 if checks is None else checks
        for a, b, duplicate in ((question, same, True), (question, other, False), (same, other, False)):
            yield Pair(
                a=a, b=b, duplicate=duplicate, kind="written", domain=name, group=f"{name}-{number}", checks=checked
            )


def labelled(name: str) -> Iterator[Pair]:
    """Labelled pairs; those that share their first question form a group."""
    groups: dict[str, int] = {}
    for line in lines(name):
        label, a, b = (part.strip() for part in line.split("|"))
        number = groups.setdefault(a, len(groups))
        yield Pair(
            a=a, b=b, duplicate=label == "1", kind="written", domain=name, group=f"{name}-{number}",
            checks=number % _CHECKED == _CHECKED - 1,
        )  # fmt: skip


def probe() -> Iterator[Pair]:
    """Labelled pairs that are never trained on."""
    for line in lines("probe"):
        _, label, a, b = (part.strip() for part in line.split(" | "))
        yield Pair(
            a=a, b=b, duplicate=label == "1", kind="written", domain="probe", group=f"probe-{a}", checks=True
        )  # fmt: skip


def swaps() -> Iterator[Pair]:
    """Pairs that differ in one slot."""
    for number, line in enumerate(lines("swaps")):
        head, frame, one, other = (part.strip() for part in line.split("|"))
        family, kind = head.split()
        yield Pair(
            a=frame.replace("{s}", one),
            b=frame.replace("{s}", other),
            duplicate=kind.endswith("="),
            kind=f"swap-{kind[:-1]}",
            domain="swaps",
            group=f"swap-{number}",
            checks=family == "check",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """Subjects (each with its synonyms) and intents (each in several wordings)."""

    name: str
    checks: bool
    subjects: list[list[str]]
    intents: list[list[str]]


def grids() -> list[Grid]:
    """The grids of questions."""
    found: list[Grid] = []
    for line in lines("grids"):
        if title := re.fullmatch(r"\[(\w+) (\w+)\]", line):
            found.append(Grid(name=title[1], checks=title[2] == "check", subjects=[], intents=[]))
        elif line.startswith("x:"):
            found[-1].subjects.extend([name.strip() for name in group.split("=")] for group in line[2:].split(";"))
        else:
            found[-1].intents.append([wording.strip() for wording in line[1:].split("|")])
    return found


def grid_pairs(rng: random.Random, per_cell: int = 1) -> Iterator[Pair]:
    """For each subject and intent: the same in other words, another intent, another subject."""
    for grid in grids():
        for number, subject in enumerate(grid.subjects):
            for intent in grid.intents * per_cell:
                yield from _cell(grid, number, subject, intent, rng)


def _cell(grid: Grid, number: int, subject: list[str], intent: list[str], rng: random.Random) -> Iterator[Pair]:
    def ask(wording: str, names: list[str]) -> str:
        return wording.replace("{x}", rng.choice(names))

    one, another = rng.sample(intent, 2)
    other_intent = rng.choice([i for i in grid.intents if i is not intent])
    other_subject = rng.choice([s for s in grid.subjects if s is not subject])
    made = (
        (ask(one, subject), ask(another, subject), True, "grid-wording"),
        (ask(rng.choice(intent), subject), ask(rng.choice(other_intent), subject), False, "grid-intent"),
        (ask(rng.choice(intent), subject), ask(rng.choice(intent), other_subject), False, "grid-subject"),
    )
    for a, b, duplicate, kind in made:
        group = f"{grid.name}-{number}"
        yield Pair(a=a, b=b, duplicate=duplicate, kind=kind, domain=grid.name, group=group, checks=grid.checks)


def edited(pairs: list[Pair], rng: random.Random) -> Iterator[Pair]:
    """The first question of each paraphrase as somebody else would type it: frame, filler, case, typo, synonym."""
    for pair in pairs:
        if pair.duplicate and (text := edit(pair.a, rng)) != pair.a:
            yield Pair(
                a=pair.a, b=text, duplicate=True, kind="edit", domain=pair.domain, group=pair.group, checks=pair.checks
            )


_FRAMES = (
    ("How do I ", ("How can I ", "How to ", "What is the best way to ", "How should I ", "Can you tell me how to ")),
    ("How can I ", ("How do I ", "What should I do to ", "Is there a way to ", "how could I ")),
    ("What is ", ("What's ", "Can you tell me what is ", "what exactly is ")),
    ("What are ", ("Which are ", "What are some of ")),
    ("Can I ", ("Is it OK to ", "Am I allowed to ", "May I ", "could i ")),
    ("Is it ", ("is it really ", "Is it actually ")),
    ("Why ", ("why exactly ", "For what reason ")),
    ("Which ", ("what ",)),
    ("Does ", ("does ", "I wonder, does ")),
    ("Can ", ("can ", "Could ")),
)
_SYNONYMS = tuple(
    tuple(pair.split("/"))
    for pair in (
        "quickly/fast", "big/large", "buy/purchase", "fix/repair", "movie/film", "child/kid", "start/begin",
        "get rid of/remove", "learn/study", "doctor/physician", "job/work", "phone/mobile", "car/automobile",
        "photos/pictures", "computer/PC", "help/assist", "important/essential", "make/create", "need/require",
        "change/modify", "illness/disease", "stop/quit", "cheap/inexpensive", "delete/remove", "treatment/therapy",
        "home/house",
    )
)  # fmt: skip
_BEFORE = ("Hi, ", "Hello! ", "Quick question: ", "please help, ", "Hey there, ", "I was wondering: ", "Sorry to ask. ")
_AFTER = (" Thanks!", " Please help.", " Thank you in advance.", " Any advice?", " I'm curious.")


def edit(text: str, rng: random.Random) -> str:
    """``text`` after one to three harmless edits."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        text = rng.choice(_EDITS)(text, rng)
    return text


def _reframe(text: str, rng: random.Random) -> str:
    for frame, others in rng.sample(_FRAMES, len(_FRAMES)):
        if text.startswith(frame):
            return rng.choice(others) + text.removeprefix(frame)
    return text


def _filler(text: str, rng: random.Random) -> str:
    return rng.choice(_BEFORE) + text if rng.random() < 0.5 else text + rng.choice(_AFTER)


def _shape(text: str, rng: random.Random) -> str:
    return text.lower() if rng.random() < 0.5 else text.rstrip("?. ")


def _typo(text: str, rng: random.Random) -> str:
    at = rng.randrange(3, max(4, len(text) - 2))
    if not text[at : at + 2].isalpha() or len(text) < 12:
        return text
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :] if rng.random() < 0.5 else text[:at] + text[at + 1 :]


def _synonym(text: str, rng: random.Random) -> str:
    for one, other in rng.sample(_SYNONYMS, len(_SYNONYMS)):
        for word, instead in ((one, other), (other, one)):
            if re.search(rf"\b{word}\b", text):
                return re.sub(rf"\b{word}\b", instead, text, count=1)
    return text


_EDITS = (_reframe, _reframe, _filler, _shape, _typo, _synonym)


def everything(seed: int = 6) -> list[Pair]:
    """All pairs, in an order that depends on the seed only."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    written = [
        *(pair for name in _TRIPLES for pair in triples(name)),
        *labelled("forum"),
        *labelled("threads"),
        *triples("unseen", checks=True),
        *probe(),
    ]
    return [*written, *edited(written, rng), *swaps(), *grid_pairs(rng)]


def digest(pairs: Iterable[Pair]) -> str:
    """SHA-256 of the pairs in their order, as hexadecimal digits: are these the ones that a model was taught?"""
    told = hashlib.sha256()
    for pair in pairs:
        told.update(f"{astuple(pair)}\n".encode())
    return told.hexdigest()
