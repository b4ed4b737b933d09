"""A text of a request with its clauses: which is a finding in, and what does the rest of the text say of it?"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.public.clauses import Clause, Word
from forebay_agents.redaction.public.vetoes import first_person, has

PLACE, PERSON = "LOCATION", "PERSON"


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A text of a request and what was found in it.

    Attributes:
        asked: whether its clauses may ask. What a tool is given or returns does not: a name in it that nothing says
            anything about has the fate that it has elsewhere.
    """

    text: str
    spans: Sequence[Span]
    asked: bool = True


@dataclass(frozen=True, kw_only=True)
class Read:
    """A text with its clauses."""

    text: Text
    clauses: list[Clause]

    def clause_of(self, span: Span) -> int:
        """Index of the clause that has all of ``span``; -1: none has."""
        place = bisect_right(self._worded, (span.start, len(self.clauses)))
        index = self._worded[place][1] if place < len(self._worded) else -1
        return index if index >= 0 and _holds(self.clauses[index].words, span) else -1

    @cached_property
    def _worded(self) -> list[tuple[int, int]]:
        """End and index of each clause that has words."""
        return [(clause.words[-1].end, at) for at, clause in enumerate(self.clauses) if clause.words]

    def identified(self, at: int) -> bool:
        """Whether the clause at ``at`` has an identifier; one anywhere in the text counts unless the clause asks.

        "My PIN is 5938. What is the capital of Peru?" asks of nobody; "Room 12 is mine. In Peru, call 555 0199." does.
        """
        if not self._identifiers:
            return False
        clause = self.clauses[at]
        if not clause.begins:
            return True
        return any(span.start < clause.words[-1].end and span.end > clause.words[0].start for span in self._identifiers)

    @cached_property
    def _identifiers(self) -> list[Span]:
        """Whatever else than names and places was found."""
        return [span for span in self.text.spans if span.kind not in (PLACE, PERSON)]

    @cached_property
    def free(self) -> bool:
        """Whether no clause is in the first person."""
        return not any(first_person(clause) for clause in self.clauses)

    @cached_property
    def text_given(self) -> bool:
        """Whether it begins with a task on a text."""
        first = self.clauses[0]
        return first.spoken is not None and bool(
            first.start < len(first.words) and first.spoken.cues.texts.at(first.folded, first.start)
        )

    def looks_back(self, at: int) -> bool:
        """Whether one of the next two clauses says "there" in the first person."""
        return any(
            first_person(clause) and has(clause, lambda cues: cues.there) for clause in self.clauses[at + 1 : at + 3]
        )


def _holds(words: Sequence[Word], span: Span) -> bool:
    return words[0].start <= span.start + 1 and span.end <= words[-1].end + 1
