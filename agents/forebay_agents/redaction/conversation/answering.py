"""What in a turn is the answer? Numbers that can be what was asked for; else what is left without the words around it.

"Yes, that's 4071 8826", "it's either 9431 or 9503", "hm, I think it was called Biscuit". A turn that gives no answer
("one second", "why do you ask?") has none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from forebay_agents.redaction.conversation.cues import Cues
from forebay_agents.redaction.conversation.shapes import DATE, SHAPES, Shape
from forebay_agents.redaction.conversation.values import Value, apart, dates, day, fits, numbers, tied
from forebay_agents.redaction.conversation.words import Hit, Word, words
from forebay_agents.redaction.detection.names.words import listed

LONGEST = 600
"""Characters of an answer that are read, from its beginning."""
_LABEL = 5
"""Words between a label and its value, at most."""
_SOME = re.compile(r"\d\D{0,2}\d\D{0,2}\d")
_EDGE = re.compile(r"[\w!@#$%^&*+=~?\-]")
_MAIL = tuple(listed("gmail yahoo hotmail outlook icloud gmx web mail com net org at dot arroba punkt punto point"))
_HEADS, _TAILS = ("fillers", "names", "copulas", "alternatives"), frozenset(("ends", "names"))
"""What may stand before an answer and behind it."""
_BETWEEN = frozenset(("fillers", "copulas", "numbers"))
"""What may stand between the name of a thing and its value."""
_GUESS = 3
"""Words of a question that may be an answer: "Fluffy?"."""
_LINK = frozenset(":=#?：")
_NOWHERE: Mapping[int, Sequence[Hit]] = {}
_NO_DAYS = frozenset(("US_SSN", "CREDIT_CARD", "CVV", "PIN", "ONE_TIME_CODE"))
"""Kinds of numbers that have other lengths than a day of eight digits, or seldom that one."""
_BUSY = 2
"""Kinds asked for at once from which each part between commas may be an answer."""
Answer = tuple[int, int, str]
"""Start, end and kind."""


def answers(text: str, start: int, end: int, kinds: Sequence[str], cues: Cues) -> list[Answer]:
    """What in ``text[start:end]`` is of ``kinds``, which were asked for, in this order."""
    read = words(text, start, min(end, start + LONGEST))
    if not read:
        return []
    return _Turn(text, read, cues).answers(kinds) if kinds else []


def stated(text: str, start: int, end: int, cues: Cues) -> list[Answer]:
    """What the words before a number say that it is, without anybody's asking: "my PIN is 5938"."""
    end = min(end, start + LONGEST)
    if not _SOME.search(text, start, end):
        return []
    return _Turn(text, words(text, start, end), cues).stated()


def corrects(text: str, start: int, end: int, cues: Cues) -> bool:
    """Whether ``text[start:end]`` begins as a correction does: "no, 9503", "sorry, I mean …"."""
    read = words(text, start, min(end, start + _OPENING))
    return any(hit.sort == "alternatives" and hit.start < _LABEL for hit in cues.answering.found(read))


_OPENING = 60
"""Characters in which a correction begins."""


class _Turn:
    """An answer, and the phrases in it by where they begin and end, so that each word is looked at a few times."""

    def __init__(self, text: str, read: Sequence[Word], cues: Cues) -> None:
        self._text = text
        self._words = read
        self._cues = cues
        self._begun: dict[str, dict[int, list[Hit]]] = {}
        self._labels: dict[int, Hit] = {}
        self._tails: dict[int, int] = {}
        self._between: set[int] = set()
        for hit in cues.answering.found(read):
            self._begun.setdefault(hit.sort, {}).setdefault(hit.start, []).append(hit)
            if hit.sort in _TAILS:
                self._tails[hit.end] = min(hit.start, self._tails.get(hit.end, hit.start))
            if hit.sort in _BETWEEN:
                self._between.update(range(hit.start, hit.end))
        for hits in self._begun.get("names", {}).values():
            for hit in hits:
                self._labels[hit.end] = hit
        for start, hits in self._begun.get("nouns", {}).items():
            end = max(hit.end for hit in hits)
            for number in self._begun.get("numbers", {}).get(end, ()):
                self._labels.setdefault(number.end, Hit(start, number.end, "names", hits[0].kind))
            self._labels.setdefault(end, hits[0])

    def answers(self, kinds: Sequence[str]) -> list[Answer]:
        """See :func:`answers`."""
        found = self._numbers(kinds)
        answered = {kind for _, _, kind in found}
        left = [kind for kind in kinds if SHAPES[kind].words and kind not in answered]
        said = self._said(left, found, several=len(kinds) >= _BUSY) if left else []
        if left and not said and len(kinds) == 1 and SHAPES[left[0]].letters:
            values = numbers(self._text, self._words, self._cues, letters=True)  # in a sentence: "acme and 45865"
            said = [(one.start, one.end, left[0]) for one in values if _is(one, SHAPES[left[0]])]
        return sorted(found + said)

    def stated(self) -> list[Answer]:
        """See :func:`stated`."""
        found: list[Answer] = []
        for value in numbers(self._text, self._words, self._cues, letters=False):
            label = self._label(value.first, links=True)
            shape = SHAPES.get(label, Shape())
            if shape.stated and fits(value, shape.least, shape.most, letters=False):
                found.append((value.start, value.end, label))
        return found

    def _numbers(self, kinds: Sequence[str]) -> list[Answer]:
        """Numbers and dates that can be of ``kinds``; of those that several could be, the label says, or the order."""
        found: list[Answer] = []
        taken: list[Value] = []
        if DATE in kinds:
            taken = list(apart(dates(self._text, self._words, self._cues)))
            found = [(one.start, one.end, DATE) for one in taken]
        wanted = [kind for kind in kinds if kind != DATE and (not SHAPES[kind].words or SHAPES[kind].letters)]
        if not [kind for kind in wanted if not SHAPES[kind].words] and len(kinds) < _BUSY:
            return found
        letters = any(SHAPES[kind].letters for kind in wanted)
        free = [
            one
            for one in numbers(self._text, self._words, self._cues, letters=letters)
            if not any(one.start < other.end and other.start < one.end for other in taken)
        ]
        open_ = [kind for kind in wanted if kind not in ("EMAIL_ADDRESS", "LOCATION")]
        for value in free:
            label = self._label(value.first)
            bare = value.last - value.first == len(self._words)
            fitting = [
                kind
                for kind in open_
                if _is(value, SHAPES[kind]) or (value.digits > 1 and (bare or (kind == label and kind != "CVV")))
            ]
            if not bare and label not in fitting and day(self._text, value):
                fitting = [kind for kind in fitting if kind not in _NO_DAYS]
            if label in SHAPES and label not in kinds and not _is(value, SHAPES[label]):
                continue
            if label in fitting:
                kind = label
            elif fitting:
                kind = fitting[0]
            else:
                continue
            found.append((*(tied(self._text, value) if SHAPES[kind].letters else (value.start, value.end)), kind))
            if len(open_) > 1 and kind in open_ and len(free) > 1:
                open_ = [one for one in open_ if one != kind] + [kind]
        return found

    def _label(self, first: int, *, links: bool = False) -> str:
        """The kind that is named right before word ``first``.

        Args:
            links: whether "is" or a colon has to stand between.
        """
        linked = False
        for end in range(first, max(-1, first - _LABEL), -1):
            if end < first:
                word = self._words[end]
                if end not in self._between or word.mark in (".", ","):
                    return ""
                linked = linked or end in self._begun.get("copulas", ())
            hit = self._labels.get(end)
            if hit is None:
                continue
            glue = self._text[self._words[end - 1].end : self._words[end].start]
            if self._words[end - 1].mark in (".", ",") or (hit.sort == "nouns" and links):
                return ""
            return hit.kind if not links or linked or not _LINK.isdisjoint(glue) else ""
        return ""

    def _said(self, kinds: Sequence[str], found: Sequence[Answer], *, several: bool) -> list[Answer]:
        """Answers in words: what is left of each clause without what stands around it."""
        left = list(kinds)
        said: list[Answer] = []
        for low, high in self._clauses(found, several=several):
            if not left:
                break
            core = self._core(self._behind_label(low, high, left), high)
            if core is None:
                if said and not several:
                    break
                continue
            label = self._label(core[0])
            kind = label if label in left else self._fitting(core, left)
            if not kind or core[1] - core[0] > SHAPES[kind].words:
                continue
            start, end = self._edges(*core)
            said.append((start, end, kind))
            if several:
                left.remove(kind)
            elif not self._alternative(core[1]):
                break
        return said

    def _fitting(self, core: tuple[int, int], kinds: Sequence[str]) -> str:
        """Of ``kinds`` the one that the words look like most."""
        mail = any(word.folded.endswith(_MAIL) for word in self._words[slice(*core)])
        if "EMAIL_ADDRESS" in kinds and (mail or "@" in self._text[slice(*self._edges(*core))]):
            return "EMAIL_ADDRESS"
        digits = any(any(map(str.isdigit, word.folded)) for word in self._words[slice(*core)])
        if "LOCATION" in kinds and (digits or len(kinds) == 1):
            return "LOCATION"
        rest = [kind for kind in kinds if kind != "EMAIL_ADDRESS"]
        if digits and rest and rest[0] in ("PERSON", "SECURITY_ANSWER"):
            rest = rest[1:] if len(rest) > 1 else rest
        return rest[0] if rest else ""

    def _clauses(self, found: Sequence[Answer], *, several: bool) -> Iterator[tuple[int, int]]:
        """First and last word of each piece that may be an answer; what was found already ends one."""
        begin = 0
        for at, word in enumerate(self._words):
            inside = any(low <= word.start < high for low, high, _ in found)
            if inside:
                if begin < at:
                    yield begin, at
                begin = at + 1
                continue
            if word.mark in (".", "?") or (word.mark == "," and (several or self._is_around(begin, at + 1))):
                if word.mark != "?" or at - begin < _GUESS:
                    yield begin, at + 1
                begin = at + 1
            elif several and word.folded in ("and", "und", "et", "y", "e", "en", "i", "и", "ve"):
                if begin < at:
                    yield begin, at
                begin = at + 1
        if begin < len(self._words):
            yield begin, len(self._words)

    def _is_around(self, low: int, high: int) -> bool:
        return self._core(low, high) is None

    def _core(self, low: int, high: int) -> tuple[int, int] | None:
        """What is left of words ``low`` to ``high`` without what stands around an answer."""
        if self._is_none(low, high):
            return None
        low = self._behind_copula(low, high)
        while low < high:
            if self._is_none(low, high):
                return None
            ends = [
                hit.end for sort in _HEADS for hit in self._begun.get(sort, _NOWHERE).get(low, ()) if hit.end <= high
            ]
            if not ends or (max(ends) == high and high - low == 1 and self._capital(low)):
                break
            low = max(ends)
        while high > low:
            start = self._tails.get(high, high)
            if start >= high or start < low or (start == low and self._capital(low)):
                break
            high = start
        return (low, high) if low < high else None

    def _is_none(self, low: int, high: int) -> bool:
        """Whether words ``low`` to ``high`` say that there is no answer."""
        if any(hit.end <= high for hit in self._begun.get("nothing", _NOWHERE).get(low, ())):
            return True
        return any(hit.end == high for hit in self._begun.get("alone", _NOWHERE).get(low, ()))

    def _capital(self, at: int) -> bool:
        """Whether a word that is also one of those around an answer may be one: "Mark", "Will"."""
        return at > 0 and self._text[self._words[at].start].isupper()

    def _behind_copula(self, low: int, high: int) -> int:
        """Behind the last "is", "was", "called" that something follows: "my first dog was called Rex"."""
        copulas = self._begun.get("copulas", _NOWHERE)
        for at in range(high - 1, low, -1):
            ends = [hit.end for hit in copulas.get(at, ()) if hit.end < high]
            if ends:
                return max(ends)
        return low

    def _behind_label(self, low: int, high: int, kinds: Sequence[str]) -> int:
        """Behind the name of what was asked for, if something stands there: "acme and my password is fern 22"."""
        for end in range(high - 1, low, -1):
            hit = self._labels.get(end)
            if hit is not None and hit.kind in kinds and hit.start >= low:
                return end
        return low

    def _alternative(self, at: int) -> bool:
        begun = self._begun.get("alternatives", _NOWHERE)
        return at in begun or at + 1 in begun

    def _edges(self, first: int, last: int) -> tuple[int, int]:
        """Start and end of words with the marks that are glued to them."""
        text, start, end = self._text, self._words[first].start, self._words[last - 1].end
        low, high = self._words[0].start, len(text)
        while start > low and _EDGE.match(text[start - 1]):
            start -= 1
        while end < high and _EDGE.match(text[end]):
            end += 1
        return start, end


def _is(value: Value, shape: Shape) -> bool:
    return fits(value, shape.least, shape.most, letters=shape.letters)
