"""What does a turn ask for? "Could you tell me your account number? You find it on each statement." asks for one.

A thing has to be named, and the sentence has to ask for it: by a question mark, by words that ask, or by being nothing
but the name. "Would you like to change your PIN?", "How long is your PIN?", "PIN code length?" name it and do not ask
for it: what stands before it in its part of the sentence, and right behind it, says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from forebay_agents.redaction.conversation.cues import Cues
from forebay_agents.redaction.conversation.words import Hit, Word, words

LONGEST = 2_000
"""Characters of a turn that are read, from its end: whoever asks does so near it."""
_NEAR = 6
"""Words between a thing that has a number ("account") and the word "number", at most."""
_SECURITY = "SECURITY_ANSWER"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asks:
    """What a turn asks.

    Attributes:
        kinds: entity types that it asks for, in order.
        question: whether it asks anything.
        again: whether it says that the last answer would not do.
    """

    kinds: tuple[str, ...] = ()
    question: bool = False
    again: bool = False


def asks(text: str, start: int, end: int, cues: Cues, *, owned: bool = False) -> Asks:
    """What ``text[start:end]`` asks.

    Args:
        owned: whether it only counts what is "mine": whoever asks is the one whose data it is.
    """
    read = words(text, max(start, end - LONGEST), end)
    if not read:
        return Asks()
    by: dict[str, list[Hit]] = {}
    for hit in cues.asking.found(read):
        by.setdefault(hit.sort, []).append(hit)
    question = any(word.mark == "?" for word in read)
    again = "again" in by
    if not by.keys() & {"names", "nouns", "asks", "weak"}:
        return Asks(question=question, again=again)
    turn = _Turn(read, by)
    kinds = [kind for _, kind in sorted(turn.asked(owned=owned))]
    return Asks(kinds=tuple(dict.fromkeys(kinds)), question=question or bool(kinds), again=again)


def named(name: str, cues: Cues) -> str:
    """The kind of what a field called ``name`` (words with blanks between) holds; empty: of none."""
    read = words(name, 0, len(name))
    by: dict[str, list[Hit]] = {}
    for hit in cues.asking.found(read):
        by.setdefault(hit.sort, []).append(hit)
    return _Turn(read, by).titled() if read else ""


_ALONE = frozenset(("CREDIT_CARD", "US_BANK_NUMBER"))
"""Things whose name alone is that of a field with their number: "account", "card"."""
_QUESTION = "question"


class _Turn:
    """The phrases of a turn, by what is asked of them: each question is answered without going over them again."""

    def __init__(self, read: Sequence[Word], by: Mapping[str, list[Hit]]) -> None:
        self._words = read
        self._by = by
        self._sentences = {sort: {read[hit.start].sentence for hit in hits} for sort, hits in by.items()}
        self._mine = {hit.end for hit in by.get("mine", ())}
        self._indefinite = {hit.end for hit in by.get("indefinite", ())}
        self._not_this = {hit.start for hit in by.get("not_this", ())}

    def asked(self, *, owned: bool) -> list[tuple[int, str]]:
        """Place and kind of each thing that is asked for."""
        found = [(hit.start, hit.kind) for hit in self._hits("asks")]
        found += [(hit.start, hit.kind) for hit in self._named() if self._is_asked(hit, owned=owned)]
        if not owned and _SECURITY not in {kind for _, kind in found}:
            found += self._weak(found)
        return found

    def titled(self) -> str:
        """See :func:`named`."""
        if any(word.folded == _QUESTION for word in self._words):
            return ""  # it holds the question, not its answer
        found = self._named() or [
            hit for hit in self._hits("nouns") if hit.kind in _ALONE and hit.end == len(self._words)
        ]
        if not found or any(hit.start >= found[-1].end for hit in self._hits("not_this")):
            return ""
        return found[-1].kind

    def _hits(self, sort: str) -> list[Hit]:
        return self._by.get(sort, [])

    def _named(self) -> list[Hit]:
        """What is named, by itself or as the number of a thing; the longest of what overlaps."""
        named = _longest(self._hits("names"))
        taken = {at for hit in named for at in range(hit.start, hit.end)}
        numbers = [hit for hit in self._hits("numbers") if hit.start not in taken]
        if not numbers:
            return named
        near = {at for hit in numbers for at in range(hit.start - _NEAR, hit.end + _NEAR + 1)}
        # "And which account should the money come from? I need the number."
        next_ = {self._words[hit.start].sentence for hit in numbers} & self._sentences.get("requests", set())
        things = [hit for hit in self._hits("nouns") if hit.start not in taken and hit.end - 1 not in taken]
        return named + _longest(
            hit
            for hit in things
            if hit.start in near or hit.end in near or self._words[hit.start].sentence + 1 in next_
        )

    def _is_asked(self, hit: Hit, *, owned: bool) -> bool:
        word, last = self._words[hit.start], self._words[hit.end - 1]
        if owned and not {hit.start, hit.start - 1} & self._mine:
            return False
        if hit.end in self._not_this and not last.mark:
            return False
        requested = self._in_sentence("requests", word)
        meant = word.sentence + 1 in self._sentences.get("refers", ())
        if hit.start in self._indefinite and not requested and not meant:
            return False
        vetoed = self._first_veto.get(word.part, hit.start) < hit.start
        if vetoed and not self._is_new(hit):
            return False
        if requested or meant or self._marks[word.sentence] == "?":
            return True
        # Nothing else is in its sentence ("Pin please"), or the turn ends with it ("Your account number:").
        return word.sentence not in self._busy or (last.mark == ":" and hit.end == len(self._words))

    def _is_new(self, hit: Hit) -> bool:
        """Whether it is asked what it shall be: "What would you like to change your PIN to?"."""
        after = self._words[hit.end - 1 : hit.end + 1]
        return len(after) > 1 and after[1].folded in ("to", "into") and after[1].mark == "?"

    def _weak(self, found: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
        """What is a security question only where the turn says that it is about security."""
        if not self._hits("frames"):
            return []
        other = {self._words[at].sentence for at, _ in found} | self._sentences.get("not_asked", set())
        weak = [hit for hit in self._hits("weak") if self._words[hit.start].sentence not in other]
        return [(hit.start, hit.kind) for hit in weak if self._marks[self._words[hit.start].sentence] == "?"][:1]

    def _in_sentence(self, sort: str, word: Word) -> bool:
        return word.sentence in self._sentences.get(sort, ())

    @cached_property
    def _marks(self) -> dict[int, str]:
        """What ends each sentence."""
        return {word.sentence: word.mark for word in self._words}

    @cached_property
    def _busy(self) -> set[int]:
        """Sentences in which something else is than what is named and small words."""
        small = {at for sort in _SMALL for hit in self._hits(sort) for at in range(hit.start, hit.end)}
        return {word.sentence for at, word in enumerate(self._words) if at not in small}

    @cached_property
    def _first_veto(self) -> dict[int, int]:
        """The first phrase in each part of a sentence that says that something is not asked for."""
        found: dict[int, int] = {}
        for hit in self._hits("not_asked"):
            found.setdefault(self._words[hit.start].part, hit.start)
        return found


_SMALL = ("names", "nouns", "numbers", "small", "requests", "frames")


def _longest(hits: Iterable[Hit]) -> list[Hit]:
    """``hits`` in order, of those that overlap the longest."""
    chosen: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (one.start, -one.end)):
        if not chosen or hit.start >= chosen[-1].end:
            chosen.append(hit)
        elif hit.end - hit.start > chosen[-1].end - chosen[-1].start:
            chosen[-1] = hit
    return chosen
