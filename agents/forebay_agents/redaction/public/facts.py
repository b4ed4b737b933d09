"""Of which hidden values does a request ask a fact? An answer to it may be shared only where they are the same.

The cache knows prompts with tags alone, numbered anew, so that two people's questions meet: right for "I am <PERSON_1>,
how do I reset my PIN?", wrong for "How old is <PERSON_1>?". A place counts wherever a clause asks, and all places where
something is said of "there"; others only where a fact is asked of them. On 100 questions of ours in ten languages (60
pass the value on, 40 ask a fact of it) this tells all of both apart; "any tag in an asking clause" lost 24 of 60.

In a language without cues every value counts.
"""

import hmac
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from forebay.privacy.sealing import derived
from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.public.clauses import Clause, clauses
from forebay_agents.redaction.public.cues import Cues, Languages, Phrases
from forebay_agents.redaction.public.folding import key
from forebay_agents.redaction.public.reading import Text
from forebay_agents.redaction.public.vetoes import has

_PLACES = ("LOCATION", "COORDINATES")
_MARK = re.compile(r"Zqx([0-9]+)")
"""A word that stands for a finding while its clause is read, in no list."""
_NEAR = 3
"""Words between a question and what it is about: "where is the parcel"."""
_ELLIPTIC = 2
"""Words beside the value of a question that leaves out what is asked: "and <PERSON_2>?"."""
_TELLING = 3
"""Words from which a clause in no known language may ask without a mark."""
_LINKS = listed("the a my your our his her mr mrs ms dr order number account le la l el il der die das den dem")
_POSSESSIVE = "s"
_HASH_BYTES = 16


class Facts:
    """Tells.

    Args:
        languages: by which words is asked.
    """

    def __init__(self, languages: Languages) -> None:
        self._languages = languages

    def asked(self, texts: Sequence[Text]) -> tuple[str, ...]:
        """Kind and value of each finding of which a fact is asked, in the order of their appearance.

        Spelt in one way: equal values are equal here, whatever their case and accents.
        """
        if not any(text.spans for text in texts):
            return ()
        places = any(span.kind in _PLACES for text in texts for span in text.spans)
        asked: list[list[bool]] = []
        back = False
        for text in texts:
            counts = [False] * len(text.spans)
            if text.asked and (text.spans or places):
                read = clauses(_marked(text), self._languages)
                known = any(clause.spoken is not None for clause in read)
                for clause in read:
                    whole = _Whole(clause)
                    for at, index in _marks(clause, len(text.spans)):
                        counts[index] |= _is_asked(whole, at, text.spans[index].kind, known=known)
                    back = back or (places and _looks_back(clause))
            asked.append(counts)
        found = (
            f"{span.kind} {_spelt(text.text[span.start : span.end])}"
            for text, counts in zip(texts, asked, strict=True)
            for span, counted in zip(text.spans, counts, strict=True)
            if counted or (back and span.kind in _PLACES)
        )
        return tuple(dict.fromkeys(found))


def sealed(asked: Sequence[str], key: bytes, tenant_id: str) -> str:
    """What stands for the values in a record: equal for equal ones of a tenant, and to nobody without ``key`` a hint.

    One hash of all of them: who reads records cannot tell which of two requests share which value.
    """
    if not asked:
        return ""
    content = "\0".join(asked).encode("utf-8", "surrogatepass")
    return hmac.digest(derived(key, f"asked/{tenant_id}"), content, "sha256")[:_HASH_BYTES].hex()


def _marked(text: Text) -> str:
    """The text with a word in place of each finding: what is in one ends no clause and tells no language."""
    pieces: list[str] = []
    at = 0
    for index, span in enumerate(text.spans):
        pieces += (text.text[at : span.start], f" Zqx{index} ")
        at = span.end
    return "".join([*pieces, text.text[at:]])


def _marks(clause: Clause, count: int) -> Iterator[tuple[int, int]]:
    """Where in a clause findings stand, and which."""
    for at, word in enumerate(clause.words):
        match = _MARK.fullmatch(word.text)
        if match and int(match[1]) < count:
            yield at, int(match[1])


def _spelt(value: str) -> str:
    return key(value) or value.casefold()


def _looks_back(clause: Clause) -> bool:
    """Whether something is said of "there"; "is there a fee" is not, "which hotels are there" is."""
    return any(
        cues.nearby.found(cues.existential.without(clause.folded)) or cues.nearby.found(clause.folded[-1:])
        for cues in clause.all
    )


class _Whole:
    """A clause, and what is asked of all its words: once, however many findings it has."""

    def __init__(self, clause: Clause) -> None:
        self.clause = clause
        self._said: dict[int, bool] = {}

    @cached_property
    def others(self) -> int:
        """Words that stand for no finding."""
        return sum(1 for word in self.clause.words if not _MARK.fullmatch(word.text))

    @cached_property
    def strange(self) -> bool:
        """Whether a word is in a script without capitals."""
        return any(not word.text.isascii() and not word.text.upper().isupper() for word in self.clause.words)

    def says(self, phrases: Phrases) -> bool:
        """Whether one of ``phrases`` is anywhere in it."""
        if id(phrases) not in self._said:
            self._said[id(phrases)] = phrases.found(self.clause.folded)
        return self._said[id(phrases)]


def _is_asked(whole: _Whole, at: int, kind: str, *, known: bool) -> bool:
    """Whether a fact is asked of the finding of ``kind`` that is word ``at``.

    Args:
        known: whether a clause of the text is in a language with cues.
    """
    clause = whole.clause
    marked = "?" in clause.mark or "？" in clause.mark
    if clause.spoken is None:
        return bool(whole.others) and (marked or whole.strange or (whole.others >= _TELLING and not known))
    if not clause.asks:
        return False
    if kind in _PLACES or (marked and whole.others <= _ELLIPTIC):
        return True
    return any(_fact(whole, at, cues) for cues in clause.all)


def _fact(whole: _Whole, at: int, cues: Cues) -> bool:
    clause, words = whole.clause, whole.clause.folded
    before = at
    while before > 0 and words[before - 1] in _LINKS:
        before -= 1
    if any(cues.fact_of.before(words, end) or cues.asks_who.before(words, end) for end in {at, before}):
        return True
    if cues.suffixed and cues.fact_of.found(words, at + 1, at + 1 + _NEAR):
        return True
    if whole.says(cues.passing):
        return False
    return _questioned(whole, at, before, cues) or _what_he_is(clause, at, cues)


def _questioned(whole: _Whole, at: int, before: int, cues: Cues) -> bool:
    """Whether a question stands close before it, or leads to it by "of" or "'s"."""
    clause, words = whole.clause, whole.clause.folded
    if cues.anywhere:
        return whole.says(cues.fact_questions)
    for start in {clause.start, 0}:
        if start >= at:
            continue
        owned = words[at + 1 : at + 2] == (_POSSESSIVE,) or words[before - 1] in cues.genitive.singles
        question = cues.fact_questions.at(words, start)
        if question and start + question <= at and (owned or before - start - question <= _NEAR):
            return True
        task = cues.fact_tasks.at(words, start)
        if task and start + task <= at and owned:
            return True
    return clause.told and bool(cues.questions.at(words, 0)) and cues.questions.before(words, before)


def _what_he_is(clause: Clause, at: int, cues: Cues) -> bool:
    """Whether what somebody is is asked: "is … a", "… est-il un"."""
    words = clause.folded
    if at and at - clause.start <= 1 and cues.copulas.before(words, at):
        return has(clause, lambda one: one.articles, at + 1, at + 2)
    return bool(cues.copulas.at(words, at + 1) if at + 1 < len(words) else 0) and cues.articles.found(
        words, at + 2, at + 2 + _ELLIPTIC
    )
