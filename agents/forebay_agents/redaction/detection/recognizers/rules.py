"""How is structured data recognised? Patterns with checks and contexts, as recognisers of Presidio's framework.

A rule is a pattern, what makes a finding certain (a check digit), and words that must or may stand near it. Rules are
compiled once. Before a pattern is run, cheap facts about the text (has it an ``@``, how many digits) say whether it can
match at all, which skips most patterns on most texts. Every pattern is linear: tests fuzz each with a time bound.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult

from forebay_agents.redaction.detection.recognizers.facts import Facts
from forebay_agents.redaction.detection.recognizers.hints import Hints
from forebay_agents.redaction.detection.recognizers.nearby import Places, words
from forebay_agents.redaction.detection.windows import OVERLAP, matches

BEFORE, AFTER = 64, 24
"""Characters around a finding that count as its context: a label stands before, a unit or a remark after."""

_A_NUMBER = 4
"""Digits between a label and a number that make another number of them."""
_LABELLED = re.compile(r"[^\w]{0,3}(?:(?:no|nr|number|num|id|is)\b)?[^\w]{0,4}[0-9]")
"""What follows a label that stands before its own number."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way to recognise one kind of data.

    Attributes:
        kind: entity type.
        pattern: if it has a group ``v``, that is the finding.
        score: of a finding without context; 0: context is needed.
        context: words that raise the score to ``with_context``; a regular expression over lower-case text.
        lead: the same of what has to stand right before the finding; then ``pattern`` is in lower case.
        unless: words near it that make the finding void, but for those that stand before another number, and those
            behind which one of ``context`` stands: "about my order, call 212…".
        check: ``False`` voids a finding, ``True`` makes it certain, ``None`` says nothing.
        certain: as ``check``, but it voids nothing.
        around: whether a finding counts where it stands: given the text, its start and its end.
        hints: one of these must be near, in lower case: the pattern is tried only around them.
        needs: this must be somewhere in the text, in lower case.
        digits: the same for a number of so many digits.
        run: characters of a word that a finding has; only a text with such a word is looked at.
        shapes: one of these is in every finding or right before it, with ``A`` for a capital, ``a`` for any letter if
            ``pattern`` ignores case and for a small one if not, ``9`` for a digit, ``w`` for a letter or a digit.
        reach: characters after a hint in which the pattern is tried.
    """

    kind: str
    pattern: str
    score: float = 0.0
    context: str = ""
    lead: str = ""
    with_context: float = 0.9
    unless: str = ""
    check: Callable[[str], bool | None] | None = None
    certain: Callable[[str], bool] | None = None
    around: Callable[[str, int, int], bool] | None = None
    hints: Sequence[str] = ()
    needs: str = ""
    digits: int = 0
    run: int = 0
    shapes: Sequence[str] = ()
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
        _ = self.compiled, self._context, self._unless, self._lead

    @cached_property
    def _context(self) -> re.Pattern[str] | None:
        return words(self.context) if self.context else None

    @cached_property
    def _unless(self) -> re.Pattern[str] | None:
        return words(self.unless) if self.unless else None

    @cached_property
    def _lead(self) -> re.Pattern[str] | None:
        """Right before a finding."""
        return re.compile(rf"(?:{self.lead})(?={self.pattern})") if self.lead else None

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
        found: list[tuple[int, int, float]] = []
        group = "v" if self._named else 0
        unless: Places | None = None
        context: Places | None = None
        for low, high in regions:
            for match in self._matches(facts, low, high):
                start, end = match.span(group)
                if start < 0 or start == end:
                    continue
                if unless is None and self._unless is not None:
                    unless = facts.places(self._unless)
                if context is None and self._context is not None:
                    context = facts.places(self._context)
                score = self._score(facts, unless, context, start, end)
                if score > 0:
                    found.append((start, end, score))
        return found

    def _matches(self, facts: Facts, low: int, high: int) -> Iterator[re.Match[str]]:
        if high - low <= facts.piece:
            return self.compiled.finditer(facts.text, low, high)
        return matches(self.compiled, facts.text, low, high, size=facts.piece, overlap=max(OVERLAP, self.reach))

    def _score(self, facts: Facts, unless: Places | None, context: Places | None, start: int, end: int) -> float:
        value = facts.text[start:end]
        checked = self.check(value) if self.check else None
        if checked is False:
            return 0.0
        if self.around is not None and not self.around(facts.text, start, end):
            return 0.0
        near = -1.0
        if context is not None and not (self.score or checked or self.certain):
            near = self._near(len(facts.low), context, start, end)
            if not near:
                return 0.0  # asked first: whether a word is about another number takes longer
        if unless is not None and self._vetoed(facts.low, unless, context, start, end):
            return 0.0
        if checked or (self.certain is not None and self.certain(value)):
            return 1.0
        if context is not None:
            if near < 0:
                near = self._near(len(facts.low), context, start, end)
        elif self._lead is None:
            near = 0.0
        else:
            begun = facts.leads(self._lead).get(start)
            near = float(begun is not None and start - begun <= self.before)
        # Of two readings the one whose label stands closer wins.
        return max(self.with_context, self.score) + 0.009 * near if near else self.score

    def _vetoed(self, low: str, unless: Places, context: Places | None, start: int, end: int) -> bool:
        """Whether one of the words is about this number: in "SSN 219-09-9999, (252) 683-4854" the label has its own."""
        before = unless.ends(max(0, start - self.before), start)
        # Behind the last of them there are the fewest digits.
        if before and sum(map(str.isdecimal, low[before[-1] : start])) < _A_NUMBER:
            return context is None or not context.ends(before[-1], start)
        if not self.after:
            return False
        after = unless.ends(end, min(len(low), end + self.after))
        return any(not _LABELLED.match(low, place) for place in after)

    def _near(self, length: int, context: Places, start: int, end: int) -> float:
        """0: none of the words is near; else up to 1, the nearer the more."""
        before = context.ends(max(0, start - self.before), start)
        if before:
            return 1.0 - 0.9 * (start - before[-1]) / self.before
        return 0.1 if self.after and context.ends(end, min(length, end + self.after)) else 0.0


class RuleTable:
    """Rules, of one recogniser or of several, and which of them a text has to be asked about.

    Args:
        rules: all of them, in the order in which they are asked.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self.hints = Hints(hint for rule in self.rules for hint in rule.hints)
        self._steps = sorted({rule.digits for rule in self.rules}), sorted({rule.run for rule in self.rules})
        self._free: dict[tuple[int, int], list[int]] = {}
        self._hinted: dict[str, list[int]] = {}
        for index, rule in enumerate(self.rules):
            for hint in rule.hints:
                self._hinted.setdefault(hint, []).append(index)

    def asked(self, facts: Facts) -> Iterator[Rule]:
        """Rules whose hints, lengths and shapes a text has, in order."""
        chosen = self._hintless(facts)
        hinted = {index for hint in facts.said(self.hints) for index in self._hinted.get(hint, ())}
        rules, low, digits, run = self.rules, facts.low, facts.digits, facts.run
        for index in sorted(hinted.union(chosen)) if hinted else chosen:
            rule = rules[index]
            if rule.digits > digits or rule.run > run or (rule.needs and rule.needs not in low):
                continue
            if rule.shapes and not facts.shaped(rule.shapes):
                continue
            yield rule

    def _hintless(self, facts: Facts) -> Sequence[int]:
        """Rules without hints that the text has enough digits for, and long enough a word: most often none."""
        digits, runs = self._steps
        step = bisect_right(digits, facts.digits), bisect_right(runs, facts.run)
        chosen = self._free.get(step)
        if chosen is None:
            few, short = facts.digits, facts.run
            chosen = self._free[step] = [
                index
                for index, rule in enumerate(self.rules)
                if not rule.hints and rule.digits <= few and rule.run <= short
            ]
        return chosen


class RuleRecognizer(EntityRecognizer):
    """A Presidio recogniser made of rules.

    Args:
        name: of the recogniser.
        rules: all that it knows.
    """

    name: str

    def __init__(self, name: str, rules: Sequence[Rule]) -> None:
        self.table = RuleTable(rules)
        super().__init__(supported_entities=sorted({rule.kind for rule in rules}), name=name, supported_language="en")
        self._metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }

    @property
    def rules(self) -> Sequence[Rule]:
        """All that it knows."""
        return self.table.rules

    @property
    def hints(self) -> Hints:
        """Of all its rules."""
        return self.table.hints

    def load(self) -> None:
        """Compile: 80 patterns that a worker met one by one in its first 300 texts took 5 % of their time."""
        for rule in self.rules:
            rule.compile()

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio. ``nlp_artifacts`` may carry the text's facts."""
        facts = getattr(nlp_artifacts, "facts", None)
        if facts is None or facts.text != text:
            facts = Facts(text=text)
        return [self.result(rule.kind, *found) for rule in self.table.asked(facts) for found in rule.find(facts)]

    def result(self, kind: str, start: int, end: int, score: float) -> RecognizerResult:
        """A finding in Presidio's form."""
        return RecognizerResult(kind, start, end, score, recognition_metadata=self._metadata)
