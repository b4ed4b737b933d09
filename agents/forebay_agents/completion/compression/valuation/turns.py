"""Which turns of a transcript belong to what is asked? Factors for the chance of each sentence.

People name a subject once and then talk of "it" for ten turns, and the decision comes at the end: so a term that was
said counts on, fading, for the turns after it, and a little for those before (the idea of TextTiling's windows, Hearst
1997). A question that names a speaker is about that speaker's turns. Names in front of a colon are no evidence of the
subject: every turn has one.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from forebay_agents.completion.compression.text.question import Question
from forebay_agents.completion.compression.text.units import Kind, Sentence, Word, stem
from forebay_agents.completion.compression.valuation.matching import Matches

Array = NDArray[np.float64]
Span = tuple[int, int]

_ONWARD = 0.85  # what a term counts a turn after it was said, and so on
_BACK = 0.6
_SUBJECT = 2.5  # weight of the subject in the exponent
_OWN = 1.5  # the same, of being said by somebody whom the question names
_DECIDING = 1.6
_LEAST_WORDS = 3
_EMPTY = 0.4  # of its chance is left to a sentence of fewer telling words
_DECISIONS = re.compile(
    r"\b(?:decid|decision|agree|conclu|resolv|settle|outcome|final|recommend|vote|action item)", re.IGNORECASE
)
_DECIDED = re.compile(
    r"\b(?:let's|let us|we(?:'ll| will| should| have to| need to|'re going to| start| take)|i (?:move|second|suggest)"
    r"|agreed|carried|decided?|adopted|approved|go with|so you|can you|fine|no \w+ then)\b",
    re.IGNORECASE,
)
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "the", "hon", "prof", "sir", "madam"})


def factors(
    words: Sequence[Word], sentences: Sequence[Sentence], runs: Sequence[Span], question: Question, matches: Matches
) -> Array:
    """A factor for each sentence; ``runs`` are the words that say who speaks."""
    turn_of = _turns(sentences, runs)
    count = int(turn_of.max()) + 1
    named = _named(words, runs, question)
    soft = matches.by_sentence.astype(float)
    said = np.zeros((count, soft.shape[1]))
    np.maximum.at(said, turn_of, soft)
    told = said.sum(axis=0)
    rarity = np.log1p((count - told + 0.5).clip(0) / (told + 0.5))
    people = {s for run in named for s in _name(words, runs[run])}
    rarity *= [0.3 if term.stem in people else 1.0 for term in question.terms] or 1.0
    onward, back = said.copy(), said.copy()
    for turn in range(1, count):
        onward[turn] = np.maximum(said[turn], _ONWARD * onward[turn - 1])
        back[-1 - turn] = np.maximum(said[-1 - turn], _BACK * back[-turn])
    subject = np.maximum(onward, back) @ rarity
    exponent = _SUBJECT * (subject / (subject.max() or 1.0))[turn_of]
    if named:
        # Turn 0 stands for what comes before the first speaker.
        exponent += _OWN * np.isin(turn_of - 1, list(named))
    deciding = _DECISIONS.search(question.text) is not None
    for index, sentence in enumerate(sentences):
        part = words[sentence.first : sentence.last]
        if deciding and _DECIDED.search("".join(word.text for word in part)):
            exponent[index] += _DECIDING
        if sum(word.kind is not Kind.FUNCTION for word in part) < _LEAST_WORDS:
            exponent[index] += np.log(_EMPTY)
    result: Array = np.exp(exponent - exponent.max())
    return result


def _turns(sentences: Sequence[Sentence], runs: Sequence[Span]) -> NDArray[np.int64]:
    """The turn that each sentence belongs to: 0 before the first speaker, then 1 and so on."""
    firsts = np.array([first for first, _ in runs])
    return np.searchsorted(firsts, [sentence.last - 1 for sentence in sentences], side="right")


def _named(words: Sequence[Word], runs: Sequence[Span], question: Question) -> frozenset[int]:
    """Places of the runs whose speaker the question names, by as many words as it does anybody."""
    stems = question.stems
    shared: Mapping[int, int] = {place: len(_name(words, run) & stems) for place, run in enumerate(runs)}
    most = max(shared.values(), default=0)
    return frozenset(place for place, found in shared.items() if found == most) if most else frozenset()


def _name(words: Sequence[Word], run: Span) -> frozenset[str]:
    return frozenset(
        stem(word.bare) for word in words[slice(*run)] if word.bare and word.bare.lower().rstrip(".") not in _TITLES
    )
