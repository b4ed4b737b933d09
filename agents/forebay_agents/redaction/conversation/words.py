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


class Phrases:
    """Finds phrases.

    Args:
        phrases: sort, kind and phrase; a ``*`` in a word stands for any letters.
    """

    def __init__(self, phrases: Iterable[tuple[str, str, str]]) -> None:
        self._whole: dict[str, list[_Phrase]] = {}
        self._stems: dict[str, list[_Phrase]] = {}
        self._open: list[_Phrase] = []
        for sort, kind, phrase in sorted(set(phrases)):
            parts = [one.partition("*") for one in _PHRASE.findall(fold(phrase))]
            one = _Phrase(tuple((a, c if star else None) for a, star, c in parts), sort, kind)
            begins, ends = one.words[0]
            if ends is None:
                self._whole.setdefault(begins, []).append(one)
            elif len(begins) >= _STEM:
                self._stems.setdefault(begins[:_STEM], []).append(one)
            else:
                self._open.append(one)
        for several in (*self._whole.values(), *self._stems.values()):
            several.sort(key=lambda one: -len(one.words))

    def found(self, text: Sequence[Word]) -> Iterator[Hit]:
        """All that stand in ``text``, by their beginning; at each place the longest of each sort and kind."""
        for at, word in enumerate(text):
            candidates = self._whole.get(word.folded, ())
            stems = self._stems.get(word.folded[:_STEM], ())
            if not candidates and not stems and not self._open:
                continue
            seen: set[tuple[str, str]] = set()
            for one in (*candidates, *stems, *self._open):
                if (one.sort, one.kind) not in seen and one.fits(text, at):
                    seen.add((one.sort, one.kind))
                    yield Hit(at, at + len(one.words), one.sort, one.kind)
