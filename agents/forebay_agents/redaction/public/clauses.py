"""What are the clauses of a text, and does one ask? Cut at marks that end a sentence, and where a question is told.

Not at commas: else "my wife, who lives in Paris" would ask.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from forebay_agents.redaction.public.cues import Cues, Languages, Spoken
from forebay_agents.redaction.public.folding import TOKEN, fold

_END = re.compile(r"[!?;:\n…？！。；：]|\.(?=\s|$)")
_QUESTION = "?？"
_ABBREVIATED = 3
_BEHIND_ASKING = 3
_UNCASED = re.compile(r"[\u0590-\u109f\u1200-\u137f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Word(NamedTuple):
    """``text[start:end]``, and how it is compared."""

    start: int
    end: int
    text: str
    folded: str

    @property
    def capital(self) -> bool:
        """Whether it begins with one."""
        return self.text[0].isupper()


@dataclass(frozen=True, kw_only=True)
class Clause:
    """Words up to a mark.

    Attributes:
        mark: what ends it; empty at the end of the text or before a question that is told.
        told: whether it is a question that somebody tells: "asks, who X was".
        label: whether it is what a form calls the clause behind it.
    """

    words: tuple[Word, ...]
    mark: str
    spoken: Spoken | None
    told: bool = False

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """The words as they are compared; abbreviations in capitals ("EU", "US", "IT") are no small words."""
        lower = any(word.text.islower() for word in self.words)
        return tuple(
            f"={word.folded}" if lower and len(word.text) > 1 and word.text.isupper() else word.folded
            for word in self.words
        )

    @cached_property
    def all(self) -> tuple[Cues, ...]:
        """The languages it may be in."""
        return () if self.spoken is None else (self.spoken.cues, *self.spoken.others)

    @cached_property
    def bare(self) -> tuple[list[str], ...]:
        """The words without what says nothing of anybody ("tell me"), for each of the languages."""
        return tuple(cues.not_first.without(self.folded) for cues in self.all)

    @cached_property
    def start(self) -> int:
        """Index of the first word behind openers: "please", "can you"."""
        assert self.spoken is not None
        index = 0
        while index < len(self.folded) and (length := self.spoken.cues.openers.at(self.folded, index)):
            index += length
        return index

    @cached_property
    def begins(self) -> bool:
        """Whether it begins as a question or a task does."""
        if self.spoken is None or not self.words:
            return False
        cues, start = self.spoken.cues, self.start
        if cues.anywhere:
            return cues.questions.found(self.folded) or cues.tasks.found(self.folded)
        if self.told or (start == len(self.folded)):
            return self.told
        if cues.questions.at(self.folded, start) or cues.tasks.at(self.folded, start):
            return True
        # "In which year …", "De quelle couleur …", and "can you" that is no opener but the question itself
        return bool(start and (cues.questions.at(self.folded, 0))) or (
            self.mark in _QUESTION and cues.questions.found(self.folded, start, start + _BEHIND_ASKING)
        )

    @cached_property
    def asks(self) -> bool:
        """Whether it asks, at least by its mark."""
        return self.begins or bool(self.spoken and self.mark and self.mark in _QUESTION)


def clauses(text: str, languages: Languages) -> list[Clause]:
    """The clauses of ``text``, in order; in the scripts that have no capitals none is in a language with cues."""
    words = [Word(*match.span(), match[0], fold(match[0])) for match in TOKEN.finditer(text)]
    whole = languages.counted([word.folded for word in words])
    strange = not text.isascii() and _UNCASED.search(text) is not None
    found: list[Clause] = []
    for members, mark in _cut(text, words):
        spoken = None if strange else languages.of([word.folded for word in members], whole)
        clause = Clause(words=tuple(members), mark=mark, spoken=spoken)
        at = _told(clause)
        if at:
            found.append(Clause(words=clause.words[:at], mark="", spoken=spoken))
            clause = Clause(words=clause.words[at:], mark=mark, spoken=spoken, told=True)
        found.append(clause)
    return found


def _cut(text: str, words: Sequence[Word]) -> list[tuple[list[Word], str]]:
    found: list[tuple[list[Word], str]] = []
    members: list[Word] = []
    for index, word in enumerate(words):
        members.append(word)
        behind = words[index + 1].start if index + 1 < len(words) else len(text)
        if behind == word.end + 1 and text[word.end] == " ":
            continue
        mark = _END.search(text, word.end, behind)
        if mark is None or (mark[0] == "." and _abbreviated(word, behind < len(text))):
            continue
        found.append((members, mark[0]))
        members = []
    if members:
        found.append((members, ""))
    return found


def _abbreviated(word: Word, more: bool) -> bool:
    """Whether a full stop behind ``word`` ends no sentence: "J.", "Mr.", "St."."""
    return more and word.capital and len(word.text) <= _ABBREVIATED


def _told(clause: Clause) -> int:
    """Index of the word with which a question begins that is told; 0: none does."""
    if clause.spoken is None:
        return 0
    cues, words = clause.spoken.cues, clause.folded
    if cues.asking.begins.isdisjoint(words):
        return 0
    for index in range(len(words)):
        length = cues.asking.at(words, index)
        if not length:
            continue
        for at in range(index + length, min(index + length + _BEHIND_ASKING, len(words))):
            if cues.questions.at(words, at):
                return at
    return 0
