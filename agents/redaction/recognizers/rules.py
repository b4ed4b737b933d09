"""How is structured data recognised? Patterns with checks and contexts, as recognisers of Presidio's framework.

A rule is a pattern, what makes a finding certain (a check digit), and words that must or may stand near it. Rules are
compiled once. Before a pattern is run, cheap facts about the text (has it an ``@``, how many digits) say whether it can
match at all, which skips most patterns on most texts. Every pattern is linear: tests fuzz each with a time bound.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult

BEFORE, AFTER = 64, 24
"""Characters around a finding that count as its context: a label stands before, a unit or a remark after."""

_GAP = 8
"""Characters between digits of one number, at most: "GB82 WEST 1234"."""
_MARGIN = 100
"""Characters around an anchor in which a pattern is tried: longer than any label that a pattern begins with."""
_DIGITS = re.compile(r"[0-9]+")
_A_NUMBER = 4
"""Digits between a label and a number that make another number of them."""
_LABELLED = re.compile(r"[^\w]{0,3}(?:(?:no|nr|number|num|id|is)\b)?[^\w]{0,4}[0-9]")
"""What follows a label that stands before its own number."""
CLUSTER = 6
"""Digits of the shortest national identifier."""
_RUN = re.compile(r"[\w\-]{12,}")
_MIXED = re.compile(r"(?<![a-z0-9])(?=[a-z]{0,16}[0-9])(?=[0-9]{0,16}[a-z])[a-z0-9]{7,20}(?![a-z0-9])")

Region = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is cheaply known of a text; made once for all recognisers."""

    text: str

    @cached_property
    def clusters(self) -> list[tuple[int, int, int]]:
        """Start, end and digits of everything that might be one number."""
        found: list[tuple[int, int, int]] = []
        for match in _DIGITS.finditer(self.text):
            start, end = match.span()
            if found and start - found[-1][1] <= _GAP:
                first, _, count = found[-1]
                found[-1] = (first, end, count + end - start)
            else:
                found.append((start, end, end - start))
        return found

    @cached_property
    def digits(self) -> int:
        """Digits of the longest number."""
        return max((count for _, _, count in self.clusters), default=0)

    @cached_property
    def run(self) -> int:
        """Characters of the longest word, if it has twelve: a key has, and few words of prose."""
        return max(map(len, _RUN.findall(self.text)), default=0)

    @cached_property
    def low(self) -> str:
        """In lower case, of the same length."""
        low = self.text.lower()
        return low if len(low) == len(self.text) else "".join(c.lower()[:1] or c for c in self.text)

    def numbers(self, digits: int) -> list[Region]:
        """Where numbers of at least ``digits`` digits are, with room around them."""
        found = self._numbers.get(digits)
        if found is None:
            places = [(start, end) for start, end, count in self.clusters if count >= digits]
            found = self._numbers[digits] = self._widened(places, _MARGIN)
        return found

    @cached_property
    def _numbers(self) -> dict[int, list[Region]]:
        """What was asked before: sixty rules ask for a dozen lengths."""
        return {}

    @cached_property
    def mixed(self) -> frozenset[Region]:
        """Regions of longer numbers in which letters stand among the digits."""
        return frozenset(region for region in self.numbers(CLUSTER) if _MIXED.search(self.low, *region))

    def hinted(self, hints: Sequence[str], reach: int) -> list[Region]:
        """Where one of ``hints`` is, with room before and ``reach`` characters after it."""
        low, found = self.low, []
        for hint in hints:
            at = low.find(hint)
            while at >= 0:
                found.append((at, at + len(hint)))
                at = low.find(hint, at + 1)
        return self._widened(sorted(found), reach)

    def _widened(self, places: list[Region], after: int) -> list[Region]:
        text, regions = self.text, []  # type: str, list[Region]
        for start, end in places:
            low, high = max(0, start - _MARGIN), min(len(text), end + after)
            if regions and low <= regions[-1][1]:
                regions[-1] = (regions[-1][0], max(high, regions[-1][1]))
            else:
                regions.append((low, high))
        return [(self._edge(low), high) for low, high in regions]

    def _edge(self, low: int) -> int:
        """A place at or before ``low`` where no word is cut, unless the word is very long."""
        for at in range(low, max(0, low - 40), -1):
            if self.text[at - 1].isspace():
                return at
        return max(0, low - 40)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way to recognise one kind of data.

    Attributes:
        kind: entity type.
        pattern: if it has a group ``v``, that is the finding.
        score: of a finding without context; 0: context is needed.
        context: words that raise the score to ``with_context``; a regular expression over lower-case text.
        unless: words near it that make the finding void, but for those that stand before another number.
        check: ``False`` voids a finding, ``True`` makes it certain, ``None`` says nothing.
        certain: as ``check``, but it voids nothing.
        hints: one of these must be near, in lower case: the pattern is tried only around them.
        digits: the same for a number of so many digits.
        run: characters of a word that a finding has; only a text with such a word is looked at.
        reach: characters after a hint in which the pattern is tried.
    """

    kind: str
    pattern: str
    score: float = 0.0
    context: str = ""
    with_context: float = 0.9
    unless: str = ""
    check: Callable[[str], bool | None] | None = None
    certain: Callable[[str], bool] | None = None
    hints: Sequence[str] = ()
    digits: int = 0
    run: int = 0
    reach: int = 200
    flags: int = re.IGNORECASE
    after: int = AFTER
    before: int = BEFORE

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern."""
        return re.compile(self.pattern, self.flags)

    def compile(self) -> None:
        """Compile all that is compiled once."""
        _ = self.compiled, self._context, self._unless

    @cached_property
    def _context(self) -> re.Pattern[str] | None:
        return re.compile(rf"(?:{self.context})") if self.context else None

    @cached_property
    def _unless(self) -> re.Pattern[str] | None:
        return re.compile(rf"(?:{self.unless})") if self.unless else None

    @cached_property
    def _named(self) -> bool:
        return "v" in self.compiled.groupindex

    def find(self, facts: Facts) -> list[tuple[int, int, float]]:
        """Start, end and score of each finding."""
        if self.digits > facts.digits:
            return []
        regions = (
            facts.numbers(self.digits)
            if self.digits
            else facts.hinted(self.hints, self.reach)
            if self.hints
            else [(0, len(facts.text))]
        )
        found = []
        for low, high in regions:
            for match in self.compiled.finditer(facts.text, low, high):
                start, end = match.span("v") if self._named else match.span()
                if start < 0 or start == end:
                    continue
                score = self._score(facts, start, end)
                if score > 0:
                    found.append((start, end, score))
        return found

    def _score(self, facts: Facts, start: int, end: int) -> float:
        value = facts.text[start:end]
        checked = self.check(value) if self.check else None
        if checked is False:
            return 0.0
        if self._unless is not None and self._vetoed(self._unless, facts.low, start, end):
            return 0.0
        if checked or (self.certain is not None and self.certain(value)):
            return 1.0
        near = self._near(self._context, facts, start, end) if self._context is not None else 0.0
        # Of two readings the one whose label stands closer wins.
        return max(self.with_context, self.score) + 0.009 * near if near else self.score

    def _vetoed(self, words: re.Pattern[str], low: str, start: int, end: int) -> bool:
        """Whether one of ``words`` is about this number: in "SSN 219-09-9999, (252) 683-4854" the label has its own."""
        for match in words.finditer(low, max(0, start - self.before), start):
            if sum(map(str.isdecimal, low[match.end() : start])) < _A_NUMBER:
                return True
        if not self.after:
            return False
        return any(not _LABELLED.match(low, match.end()) for match in words.finditer(low, end, end + self.after))

    def _near(self, words: re.Pattern[str], facts: Facts, start: int, end: int) -> float:
        """0: none of ``words`` is near; else up to 1, the nearer the more."""
        last = -1
        for match in words.finditer(facts.low, max(0, start - self.before), start):
            last = match.end()
        if last >= 0:
            return 1.0 - 0.9 * (start - last) / self.before
        return 0.1 if self.after and words.search(facts.low, end, end + self.after) else 0.0


class RuleRecognizer(EntityRecognizer):
    """A Presidio recogniser made of rules.

    Args:
        name: of the recogniser.
        rules: all that it knows.
    """

    name: str

    def __init__(self, name: str, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        super().__init__(supported_entities=sorted({rule.kind for rule in rules}), name=name, supported_language="en")

    def load(self) -> None:
        """Compile: 80 patterns that a worker met one by one in its first 300 texts took 5 % of their time."""
        for rule in self.rules:
            rule.compile()

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio. ``nlp_artifacts`` may carry the text's facts."""
        facts = getattr(nlp_artifacts, "facts", None)
        if facts is None or facts.text != text:
            facts = Facts(text=text)
        found = []
        low, digits, run = facts.low, facts.digits, facts.run
        for rule in self.rules:
            if rule.digits > digits or rule.run > run:
                continue
            if rule.hints:
                for hint in rule.hints:  # a loop: any() of a generator takes five times as long
                    if hint in low:
                        break
                else:
                    continue
            for start, end, score in rule.find(facts):
                found.append(self.result(rule.kind, start, end, score))
        return found

    def result(self, kind: str, start: int, end: int, score: float) -> RecognizerResult:
        """A finding in Presidio's form."""
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return RecognizerResult(kind, start, end, score, recognition_metadata=metadata)
