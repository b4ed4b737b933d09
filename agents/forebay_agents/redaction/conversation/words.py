"""What are the words of a turn, and which phrases stand among them? All phrases of all languages in one pass.

A letter of a script without blanks is a word by itself, so that phrases are found there as they are elsewhere. No
pattern is involved but that of a word: whatever a turn consists of, it is read in linear time.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from forebay_agents.redaction.public.folding import fold

_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_PHRASE = re.compile(rf"[{_UNSPACED}]|(?:[^\W_{_UNSPACED}]|\*)+")
_END = re.compile(r"[.!?;…？！。；]+(?=\s|$)|\n|[？！。；]|\?")
_STEM = 3
"""Letters before a ``*`` by which a phrase is looked up, at most."""


class Word(NamedTuple):
    """``text[start:end]``; how it is compared; the sentence and the part between commas that it is in."""

    start: int
    end: int
    folded: str
    sentence: int
    part: int
    mark: str
    """What ends a sentence, a part or a label right behind it: ``?``, ``.``, ``,``, ``:`` or nothing."""


class Hit(NamedTuple):
    """``words[start:end]`` are a phrase of ``sort``, and of ``kind`` where the sort has kinds."""

    start: int
    end: int
    sort: str
    kind: str


def words(text: str, start: int, end: int) -> list[Word]:
    """The words of ``text[start:end]``."""
    found: list[Word] = []
    sentence = part = 0
    last: tuple[int, int] | None = None
    for match in _WORD.finditer(text, start, end):
        if last is not None:
            mark = _mark(text, last[1], match.start())
            found.append(Word(*last, fold(text[slice(*last)]), sentence, part, mark))
            sentence += mark in _ENDS
            part += bool(mark) and mark != ":"
        last = match.span()
    if last is not None:
        found.append(Word(*last, fold(text[slice(*last)]), sentence, part, _mark(text, last[1], end) or "."))
    return found


_ENDS = frozenset("?.")


def _mark(text: str, start: int, end: int) -> str:
    if end - start == 1 and text[start] == " ":
        return ""
    if ended := _END.search(text, start, end):
        return "?" if "?" in ended[0] or "？" in ended[0] else "."
    between = text[start:end]
    if ":" in between or "：" in between:
        return ":"
    return "," if "," in between or "，" in between or "、" in between or " - " in between or "—" in between else ""


class _Phrase(NamedTuple):
    words: tuple[tuple[str, str | None], ...]
    """Of each word its beginning, and, where a ``*`` stands in it, its ending."""
    sort: str
    kind: str

    def fits(self, text: Sequence[Word], at: int) -> bool:
        """Whether it stands at ``at``."""
        if at + len(self.words) > len(text):
            return False
        sentence = text[at].sentence
        for (begins, ends), word in zip(self.words, text[at:], strict=False):
            if word.sentence != sentence:
                return False
            if ends is None:
                if word.folded != begins:
                    return False
            elif not (
                word.folded.startswith(begins)
                and word.folded.endswith(ends)
                and len(word.folded) >= len(begins) + len(ends)
            ):
                return False
        return True


class _Begun:
    """Phrases whose first word is the same or begins alike, the longest first."""

    def __init__(self) -> None:
        self.single: list[_Phrase] = []
        self._second: dict[str, list[_Phrase]] = {}
        """By their second word, those of which it is whole."""
        self._open: list[_Phrase] = []

    def add(self, one: _Phrase) -> None:
        """Enter ``one``."""
        if len(one.words) == 1:
            self.single.append(one)
        elif one.words[1][1] is None:
            self._second.setdefault(one.words[1][0], []).append(one)
        else:
            self._open.append(one)
        for several in (*self._second.values(), self._open):
            several.sort(key=lambda phrase: -len(phrase.words))

    def before(self, following: str) -> Sequence[_Phrase]:
        """Those of several words that may stand before ``following``: "a" begins dozens, and few with each word."""
        second = self._second.get(following, ())
        if self._open and second:
            return sorted((*second, *self._open), key=lambda phrase: -len(phrase.words))
        return second or self._open


_NONE = _Begun()


class Phrases:
    """Finds phrases.

    Args:
        phrases: sort, kind and phrase; a ``*`` in a word stands for any letters.
    """

    def __init__(self, phrases: Iterable[tuple[str, str, str]]) -> None:
        self._whole: dict[str, _Begun] = {}
        self._stems: dict[str, _Begun] = {}
        self._open = _Begun()
        for sort, kind, phrase in sorted(set(phrases)):
            parts = [one.partition("*") for one in _PHRASE.findall(fold(phrase))]
            one = _Phrase(tuple((a, c if star else None) for a, star, c in parts), sort, kind)
            begins, ends = one.words[0]
            if ends is None:
                self._whole.setdefault(begins, _Begun()).add(one)
            elif len(begins) >= _STEM:
                self._stems.setdefault(begins[:_STEM], _Begun()).add(one)
            else:
                self._open.add(one)

    def found(self, text: Sequence[Word]) -> Iterator[Hit]:
        """All that stand in ``text``, by their beginning; at each place the longest of each sort and kind."""
        whole, stems, open_, last = self._whole, self._stems, self._open, len(text) - 1
        for at, word in enumerate(text):
            folded = word.folded
            begun, stem = whole.get(folded, _NONE), stems.get(folded[:_STEM], _NONE)
            if at < last and text[at + 1].sentence == word.sentence:
                following = text[at + 1].folded
                candidates = (
                    *begun.before(following), *begun.single, *stem.before(following), *stem.single,
                    *open_.before(following), *open_.single,
                )  # fmt: skip
            else:
                candidates = (*begun.single, *stem.single, *open_.single)
            if not candidates:
                continue
            seen: set[tuple[str, str]] = set()
            for one in candidates:
                if (one.sort, one.kind) not in seen and one.fits(text, at):
                    seen.add((one.sort, one.kind))
                    yield Hit(at, at + len(one.words), one.sort, one.kind)
