"""How many answers survive compression, at what CPU time? Forebay beside head, random sentences and BM25.

The questions in ``tests/data/qa.jsonl`` were written for this, on prose about a city that does not exist, in the style
of an encyclopedia; answers are exact strings. Each question is asked of its own paragraph, and of all paragraphs as one
text, in an order that changes from question to question. ``tests/data/meetings.jsonl`` has two made-up meetings; what
was said there stands in exact words, often of several turns, and all of them have to stay.
"""

import json
import math
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from forebay_agents.completion.compression.extract import extract
from forebay_agents.completion.compression.text import tokens, units
from forebay_agents.completion.compression.text.units import Kind

QUESTIONS = Path(__file__).parents[2] / "tests" / "data" / "qa.jsonl"

MEETINGS = QUESTIONS.with_name("meetings.jsonl")

Case = tuple[str, str, tuple[str, ...]]
"""Context, question, and what has to stay."""

Method = Callable[[str, str, float], str]


def paragraphs(path: Path = QUESTIONS) -> Iterator[Case]:
    """Each question with its own paragraph."""
    for row in _rows(path):
        for item in row["questions"]:
            yield row["context"], item["question"], (item["answer"],)


def meetings(name: str, path: Path = MEETINGS) -> Iterator[Case]:
    """The questions about one meeting."""
    for row in _rows(path):
        if row["id"] == name:
            for item in row["questions"]:
                yield row["context"], item["question"], tuple(item["answers"])


def whole(path: Path = QUESTIONS, seed: int = 1) -> Iterator[Case]:
    """Each question with all paragraphs, shuffled."""
    draw = random.Random(seed)
    rows = _rows(path)
    for row in rows:
        for item in row["questions"]:
            order = draw.sample(rows, len(rows))
            yield "\n\n".join(other["context"] for other in order), item["question"], (item["answer"],)


def recorded(path: Path) -> list[Case]:
    """Cases of your own: lines ``{"context", "question", "answer"}``."""
    return [(row["context"], row["question"], (row["answer"],)) for row in _rows(path)]


def measure(cases: list[Case], keep: float) -> dict[str, Any]:
    """Share of cases whose answer is still there, by method, and the CPU time of ours."""
    found: dict[str, Any] = {"cases": len(cases), "keep": keep}
    for name, method in METHODS.items():
        found[name] = statistics.mean(
            _stays(answers, method(context, asked, keep)) for context, asked, answers in cases
        )
    spent, shares = [], []
    for context, question, _ in cases:
        started = time.process_time()
        result = extract(context, question, keep)
        spent.append(1000 * (time.process_time() - started))
        shares.append(result.tokens_after / result.tokens_before)
    found["tokens_kept"] = statistics.mean(shares)
    found["words"] = round(statistics.mean(len(context.split()) for context, _, _ in cases))
    found["cpu_ms_median"], found["cpu_ms_max"] = statistics.median(spent), max(spent)
    return found


def report(path: Path | None) -> list[dict[str, Any]]:
    """All measurements: of ``path`` if there is one, else of our own questions."""
    if path is not None:
        return [{"set": path.name, **measure(recorded(path), keep)} for keep in (0.6, 0.1, 0.05)]
    own: dict[str, tuple[list[Case], tuple[float, ...]]] = {
        "paragraphs": (list(paragraphs()), (0.6,)),
        "whole": (list(whole()), (0.1, 0.05)),
        "lamp": (list(meetings("lamp")), (0.3, 0.2, 0.1)),
        "committee": (list(meetings("committee")), (0.3, 0.2, 0.1)),
    }
    return [{"set": name, **measure(cases, keep)} for name, (cases, keeps) in own.items() for keep in keeps]


def _stays(answers: Sequence[str], text: str) -> bool:
    return all(answer in text for answer in answers)


def head(context: str, question: str, keep: float) -> str:
    """The first words."""
    del question
    found = units.words_of(context)
    return _within(context, keep, [[i] for i in range(len(found))], [word.text for word in found])


def random_sentences(context: str, question: str, keep: float) -> str:
    """Sentences by lot."""
    sentences = _sentences(context)
    order = random.Random(question).sample(range(len(sentences)), len(sentences))
    return _within(context, keep, [[i] for i in order], sentences, whole_only=True)


def bm25(context: str, question: str, keep: float) -> str:
    """Sentences by BM25 (k1 1.2, b 0.75) over lower-case stems without function words."""
    sentences = _sentences(context)
    stems = [_stems(sentence) for sentence in sentences]
    mean = statistics.mean(map(len, stems)) or 1.0
    frequency = Counter(stem for own in stems for stem in set(own))
    asked = set(_stems(question))

    def score(index: int) -> float:
        own = Counter(stems[index])
        norm = 1.2 * (0.25 + 0.75 * len(stems[index]) / mean)
        rarity = {s: math.log(1 + (len(stems) - frequency[s] + 0.5) / (frequency[s] + 0.5)) for s in asked & own.keys()}
        return sum(weight * own[s] * 2.2 / (own[s] + norm) for s, weight in rarity.items())

    order = sorted(range(len(sentences)), key=lambda index: (-score(index), index))
    return _within(context, keep, [[i] for i in order], sentences, whole_only=True)


def forebay(context: str, question: str, keep: float) -> str:
    """What ``forebay compress`` keeps."""
    return extract(context, question, keep).text


METHODS: dict[str, Method] = {"forebay": forebay, "bm25": bm25, "random": random_sentences, "head": head}


def _within(context: str, keep: float, order: list[list[int]], parts: list[str], whole_only: bool = False) -> str:
    """Parts in ``order`` while they fit the budget; put back into the order of the text."""
    count = tokens.counter()
    left = keep * count(context)
    chosen = []
    for [index] in order:
        cost = count(parts[index])
        if cost <= left:
            chosen.append(index)
            left -= cost
        elif not whole_only:
            break
    return "".join(parts[index] for index in sorted(chosen))


def _sentences(context: str) -> list[str]:
    words = units.words_of(context)
    return ["".join(word.text for word in words[s.first : s.last]) for s in units.sentences_of(words)]


def _stems(text: str) -> list[str]:
    return [word.stem for word in units.words_of(text) if word.kind is not Kind.FUNCTION and word.stem]


def _rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
