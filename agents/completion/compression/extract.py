"""Which part of a context should a question take along? The words of the sentences that may answer it, in a budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.completion.compression import matching, question as questions, relevance, selection, tokens, units, worth
from agents.completion.compression.relevance import Embedder
from agents.completion.compression.units import Kind, Sentence, Word

Span = tuple[int, int]

_SHARE_OF_CANDIDATES = 5.0
"""Sentences are looked into, the most likely first, until they hold this many times the budget."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Extract:
    """``kept``: half-open spans of the input, in code points, in order; ``text``: they, joined."""

    text: str
    kept: tuple[Span, ...]
    tokens_before: int
    tokens_after: int


def extract(text: str, question: str, keep: float, embedder: Embedder | None = None) -> Extract:
    """Keep at most the share ``keep`` of ``text``, in tokens and in words and in characters."""
    count = tokens.counter()
    before = count(text)
    words = units.words_of(text)
    sentences = units.sentences_of(words)
    if keep >= 1.0 or not words:
        whole = ((0, len(text)),) if text else ()
        return Extract(text=text, kept=whole, tokens_before=before, tokens_after=before)
    asked = questions.read(question)
    matches = matching.match(words, sentences, asked)
    table = relevance.features(words, sentences, asked, matches, embedder)
    chance = relevance.probabilities(table)
    costs = [_cost(word) for word in words]
    scale = before / (sum(costs) or 1)
    budget = keep * before / (scale or 1)
    chosen = _candidates(sentences, chance, costs, budget)
    for _ in range(6):
        mask = _choose(words, sentences, chosen, asked, matches, chance, costs, budget)
        kept = _spans(words, mask)
        short = "".join(text[start:end] for start, end in kept).rstrip()
        after = count(short)
        excess = max(
            after / (keep * before or 1),
            len(short.split()) / (keep * len(text.split()) or 1),
            len(short) / (keep * len(text) or 1),
        )
        if excess <= 1.0:
            break
        budget = min(budget - 1, budget / excess)
    return Extract(text=short, kept=kept, tokens_before=before, tokens_after=after)


def _cost(word: Word) -> float:
    return _tokens_of(word.text)


def _tokens_of(text: str) -> float:
    known = _COSTS.get(text)
    if known is None:
        if len(_COSTS) > 100_000:
            _COSTS.clear()
        known = _COSTS[text] = float(tokens.counter()(" " + text.rstrip())) + 1.0 * ("\n" in text)
    return known


_COSTS: dict[str, float] = {}


def _candidates(sentences: Sequence[Sentence], chance: Sequence[float], costs: Sequence[float], budget: float) -> list[int]:
    order = sorted(range(len(sentences)), key=lambda i: (-chance[i], i))
    total, chosen = 0.0, []
    for index in order:
        if total > max(_SHARE_OF_CANDIDATES * budget, budget + 200):
            break
        chosen.append(index)
        total += sum(costs[sentences[index].first : sentences[index].last])
    return sorted(chosen)


def _choose(words, sentences, chosen, asked, matches, chance, costs, budget):
    values, cuts, price, where = [], [], [], []
    for index in chosen:
        sentence = sentences[index]
        value = worth.worths(words, sentence, asked, matches)
        unit = chance[index] / (sentence.last - sentence.first)
        values += [chance[index] * v for v in value]
        cuts += [unit * c for c in worth.cuts(words, sentence)]
        price += costs[sentence.first : sentence.last]
        where += range(sentence.first, sentence.last)
    mask = [False] * len(words)
    for position, kept in zip(where, selection.select(values, cuts, price, budget), strict=True):
        mask[position] = kept
    return mask


def _spans(words: Sequence[Word], mask: Sequence[bool]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for word, kept in zip(words, mask, strict=True):
        if not kept:
            continue
        if spans and spans[-1][1] == word.start:
            spans[-1] = (spans[-1][0], word.end)
        else:
            spans.append((word.start, word.end))
    return tuple(spans)
