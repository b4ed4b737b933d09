"""What would be lost with a word, and what with a cut between two words? In shares of the chance to lose the answer.

An answer is a span of a few words: mostly a name, a number, a date or a noun phrase, of the kind that the question asks
for, seldom made of the question's own words. Dropping a word loses it if the word is part of it; keeping one of two
neighbours loses it if the answer spans both. Hence a value for each word, and a price for each place to cut.
"""

import re
from collections.abc import Mapping, Sequence

from forebay_agents.completion.compression.text.question import Question, Wanted
from forebay_agents.completion.compression.text.units import Kind, Sentence, Word, is_cjk
from forebay_agents.completion.compression.valuation.relevance import is_time

_BY_KIND: Mapping[Wanted, tuple[float, float, float, float]] = {
    # function, content, name, number
    Wanted.ANYTHING: (0.12, 0.8, 1.0, 0.8),
    Wanted.NAME: (0.12, 0.8, 1.5, 0.4),
    Wanted.PERSON: (0.1, 0.5, 3.0, 0.3),
    Wanted.PLACE: (0.1, 0.6, 2.5, 0.4),
    Wanted.TIME: (0.08, 0.3, 0.4, 1.5),
    Wanted.NUMBER: (0.1, 0.3, 0.3, 4.0),
    Wanted.CLAUSE: (0.35, 0.8, 0.7, 0.5),
}
_ASKED = 0.35  # an answer seldom repeats the question
_TIME = 4.0
_UNIT = 1.5  # the word behind a number, when a number is asked for
_LINKING = frozenset({"of", "de", "la", "van", "von", "der", "del", "di", "da", "le", "al", "bin", "ibn", "the", "for"})
_RELATIVE = frozenset({"which", "who", "whom", "whose", "that", "where", "when", "while", "because", "although", "but"})
_FILLER = frozenset(
    re.findall(r"\S+", "um uh uhm erm er hmm mm mmm mm-hmm uh-huh okay ok yeah yep yes right well like so hi hello")
)
_LATIN = "\u2fff"  # below it are also the Greek, Cyrillic, Semitic and Indic scripts, which put blanks between words
_NOISE = re.compile(r"[{\[<(][a-z_]+[}\]>)]\W*")
"""What a transcript says of sounds: "{laugh}", "[applause]"."""

WHOLE = 6.0
"""Price of a cut inside a name, a number or a quotation: more than any word beside it is worth."""


def worths(words: Sequence[Word], sentence: Sentence, question: Question) -> list[float]:
    """Value of each word of a sentence; they add up to 1."""
    function, content, name, number = _BY_KIND[question.wanted]
    stems = question.stems
    values = []
    before = Kind.FUNCTION
    for index in range(sentence.first, sentence.last):
        word = words[index]
        kind = word.kind
        if kind is Kind.FUNCTION:
            value = function if word.bare else 0.02
        elif kind is Kind.NAME:
            value = name
        elif kind is Kind.NUMBER:
            value = _TIME if question.wanted is Wanted.TIME and is_time(word) else number
        else:
            value = _content(word, content)
            if question.wanted is Wanted.NUMBER and before is Kind.NUMBER:
                value = _UNIT
        if word.stem in stems and kind is not Kind.NUMBER:
            value *= _ASKED
        values.append(value)
        before = kind
    total = sum(values) or 1.0
    return [value / total for value in values]


def is_filler(word: Word) -> bool:
    """Whether ``word`` is what people say while they think."""
    return word.bare.lower() in _FILLER or _NOISE.fullmatch(word.text.strip()) is not None


def _content(word: Word, base: float) -> float:
    bare = word.bare
    if is_filler(word):
        return 0.02
    if bare.endswith("ly") and len(bare) > 5:
        return 0.4 * base
    if bare.endswith(("ed", "ing")) and len(bare) > 5:
        return 0.7 * base
    return base


def cuts(words: Sequence[Word], sentence: Sentence) -> list[float]:
    """Price of a cut behind each word of a sentence (behind the last: 0), in units of an average word's value."""
    prices = []
    quoted = False
    for index in range(sentence.first, sentence.last - 1):
        word, following = words[index], words[index + 1]
        core = word.text.rstrip()
        quoted = _in_quotes(core, quoted)
        prices.append(WHOLE if quoted else _price(core, word, following, words, index, sentence.last))
    return [*prices, 0.0]


def _in_quotes(core: str, quoted: bool) -> bool:
    if core.count('"') % 2:
        quoted = not quoted
    if "“" in core:
        quoted = True
    return quoted and "”" not in core


def _price(core: str, word: Word, following: Word, words: Sequence[Word], index: int, last: int) -> float:
    first, second = word.kind, following.kind
    if core[-1:] > _LATIN:
        if core[-1] in "、，；：。！？":
            return 0.08
        if is_cjk(core) and is_cjk(following.text):
            return WHOLE  # where a word of theirs ends is not known
    if core[-1:] in ",;:)]—–" or following.text[:1] in "([—–":
        # "August 2, 1776": the comma is inside a date.
        dated = first is Kind.NUMBER and second is Kind.NUMBER and core[-1:] == ","
        return WHOLE if dated else 0.08
    if first is Kind.NUMBER or second is Kind.NUMBER:
        if first is Kind.FUNCTION:
            return (
                0.8 if word.bare.lower() in ("than", "about", "around", "to", "and", "over", "under", "nearly") else 0.3
            )
        return 0.4 if second is Kind.FUNCTION and following.bare.lower() not in _LINKING else WHOLE
    if first is Kind.NAME and second is Kind.NAME:
        return WHOLE
    if second is Kind.FUNCTION:
        return _before_function(word, following, words, index, last)
    if first is Kind.FUNCTION:
        links = (
            word.bare.lower() in _LINKING and index > 0 and second is Kind.NAME and words[index - 1].kind is Kind.NAME
        )
        return 2.0 if links else 0.3
    return 1.2


def _before_function(word: Word, following: Word, words: Sequence[Word], index: int, last: int) -> float:
    lower = following.bare.lower()
    if lower in _RELATIVE:
        return 0.1
    if word.kind is Kind.FUNCTION:
        return 0.2
    after = words[index + 2] if index + 2 < last else None
    if lower in _LINKING and word.kind is Kind.NAME and after is not None and after.kind is Kind.NAME:
        return 2.0
    return 0.8 if lower == "of" else 0.4
