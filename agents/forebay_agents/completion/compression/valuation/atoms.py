"""What of a text can be kept or dropped, at which price? Runs of words with a value, a cost and a price to cut behind.

Sentences get a chance to hold the answer (:mod:`relevance`), their words a share of it and cuts a price (:mod:`worth`).
What is protected is forced to stay; what says nothing, or says it again (:mod:`noise`), does not become an atom.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forebay_agents.completion.compression.text import noise, tokens, units
from forebay_agents.completion.compression.text.question import Question
from forebay_agents.completion.compression.text.units import Kind, Sentence, Word
from forebay_agents.completion.compression.valuation import matching, relevance, turns, worth

Span = tuple[int, int]
Weight = tuple[int, int, float]

_CANDIDATES = 2.0
"""Sentences are looked into, the most likely first, until they hold this many times the budget."""

_LONGEST_ATOM = 25  # words: a longer quotation is cut rather than dropped whole
_SPEAKER_VALUE = 0.2  # of a name's: who speaks is kept for what is said, not for itself


@dataclass(frozen=True, kw_only=True, slots=True)
class Atom:
    """Words that are kept or dropped together: ``words[first:last]`` of sentence ``sentence``."""

    first: int
    last: int
    sentence: int
    value: float
    cut: float
    cost: float
    number: bool
    says: bool
    forced: bool
    line: int = 0
    speaker: bool = False


def atoms_of(
    text: str,
    words: Sequence[Word],
    question: Question,
    keep: float,
    before: int,
    protected: Sequence[Span],
    weights: Sequence[Weight],
) -> list[Atom]:
    """Everything that may be kept, in the order of the text."""
    sentences = units.sentences_of(words)
    runs = units.speakers_of(text, words)
    speakers = {index: run for run in runs for index in range(*run)}
    matches = matching.match(words, sentences, question, speakers)
    chance = relevance.probabilities(relevance.features(words, sentences, question, matches))
    if runs:
        chance *= turns.factors(words, sentences, runs, question, matches)
        chance /= chance.sum()
    for start, end, weight in weights:
        chance[[i for i, s in enumerate(sentences) if start <= words[s.first].start < end]] *= weight
    # Floats of Python: with numpy's, the search for the best words takes twice the time and more.
    likely: list[float] = chance.tolist()
    forced = _touched(words, protected)
    # Who asks about a privacy policy wants to read of it.
    asked = matches.exact.max(axis=1) > 0
    empty = {i for i in noise.boilerplate(text, words, sentences) if not asked[i]} | noise.repeated(words, sentences)
    useless = _touched(words, noise.without(noise.markup(text), protected), whole=True) - forced
    useless |= {i for e in empty for i in range(sentences[e].first, sentences[e].last)} - forced
    chosen = _candidates(words, sentences, likely, keep * len(text), forced)
    lines = units.lines_of(words)
    chosen = _with_speakers(sentences, chosen, lines, {run[0] for run in speakers.values()})
    by_token, by_character = 0.5 / (before or 1), 0.5 / (len(text) or 1)
    found = []
    for index in chosen:
        sentence = sentences[index]
        values = worth.worths(words, sentence, question)
        cuts = worth.cuts(words, sentence)
        unit = likely[index] / (sentence.last - sentence.first)
        for first, last in _groups(sentence, cuts, forced, speakers):
            if first in useless:
                continue
            inside = slice(first - sentence.first, last - sentence.first)
            run = words[first:last]
            cost = by_character * (words[last - 1].end - words[first].start)
            cost += by_token * sum(_tokens_of(word.text) for word in run)
            found.append(
                Atom(
                    first=first,
                    last=last,
                    sentence=index,
                    value=likely[index] * sum(values[inside]) * (_SPEAKER_VALUE if first in speakers else 1.0),
                    cut=unit * cuts[last - 1 - sentence.first],
                    cost=cost,
                    number=any(word.kind is Kind.NUMBER for word in run),
                    says=any(word.kind is not Kind.FUNCTION and not worth.is_filler(word) for word in run),
                    forced=first in forced,
                    line=lines[first],
                    speaker=first in speakers,
                )
            )
    return found


def _groups(sentence: Sentence, cuts: Sequence[float], forced: set[int], speakers: Mapping[int, Span]) -> list[Span]:
    """Runs of words between which a cut costs :data:`worth.WHOLE`; forced words stand alone."""
    groups: list[Span] = []
    for index in range(sentence.first, sentence.last):
        joins = (
            index > sentence.first
            and (cuts[index - 1 - sentence.first] >= worth.WHOLE or index in speakers)
            and index - groups[-1][0] < _LONGEST_ATOM
            and (index in forced) == (index - 1 in forced)
            and speakers.get(index) == speakers.get(index - 1)
        )
        if joins:
            groups[-1] = (groups[-1][0], index + 1)
        else:
            groups.append((index, index + 1))
    return groups


def _with_speakers(
    sentences: Sequence[Sentence], chosen: Sequence[int], lines: Sequence[int], openings: set[int]
) -> list[int]:
    """Of lines that open with a speaker, the first sentence has to be at hand when a later one is chosen."""
    if not openings:
        return list(chosen)
    wanted = {lines[sentences[index].first] for index in chosen}
    more = {
        index
        for index, sentence in enumerate(sentences)
        if sentence.first in openings and lines[sentence.first] in wanted
    }
    return sorted(more.union(chosen))


def _touched(words: Sequence[Word], spans: Sequence[Span], whole: bool = False) -> set[int]:
    """Words that one of ``spans`` touches, or, with ``whole``, covers (but for the white space behind them)."""
    found: set[int] = set()
    index = 0
    for start, end in spans:
        while index < len(words) and words[index].end <= start:
            index += 1
        at = index
        while at < len(words) and words[at].start < end:
            word = words[at]
            if not whole or (start <= word.start and word.start + len(word.text.rstrip()) <= end):
                found.add(at)
            at += 1
    return found


def _candidates(
    words: Sequence[Word], sentences: Sequence[Sentence], likely: Sequence[float], budget: float, forced: set[int]
) -> list[int]:
    """Sentences worth looking into: the likeliest, and those with anything protected."""
    total = 0
    chosen = set()
    for index in sorted(range(len(sentences)), key=lambda i: (-likely[i], i)):
        if total > _CANDIDATES * budget:
            break
        chosen.add(index)
        total += words[sentences[index].last - 1].end - words[sentences[index].first].start
    if forced:
        chosen |= {i for i, s in enumerate(sentences) if not forced.isdisjoint(range(s.first, s.last))}
    return sorted(chosen)


def _tokens_of(word: str) -> int:
    known = _TOKENS.get(word)
    if known is None:
        if len(_TOKENS) > 100_000:
            _TOKENS.clear()
        lead = "" if units.is_cjk(word) else " "
        known = _TOKENS[word] = tokens.counter()(lead + word.rstrip()) + ("\n" in word)
    return known


_TOKENS: dict[str, int] = {}
