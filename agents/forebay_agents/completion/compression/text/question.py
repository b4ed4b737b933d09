"""What does the question ask for? The kind of its answer, and the terms that its evidence should share."""

import re
from dataclasses import dataclass
from enum import StrEnum

from forebay_agents.completion.compression.text.units import Kind, words_of


class Wanted(StrEnum):
    """Kind of answer that is expected."""

    PERSON = "person"
    TIME = "time"
    NUMBER = "number"
    PLACE = "place"
    NAME = "name"
    CLAUSE = "clause"
    ANYTHING = "anything"


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A content word of the question: as it stands (lower case), its stem, and whether it is a name or a number."""

    word: str
    stem: str
    name: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """``terms``: its content words, each once."""

    text: str
    wanted: Wanted
    terms: tuple[Term, ...]

    @property
    def stems(self) -> frozenset[str]:
        """Stems of the terms."""
        return frozenset(term.stem for term in self.terms)


_PERSON = (
    "person|man|woman|king|queen|president|author|writer|scientist|actor|actress|player|leader|general|emperor|pope"
    "|director|singer|composer|architect|philosopher|minister|governor|founder|inventor|artist|explorer|mathematician"
)
_PLACE = (
    "city|country|state|place|town|river|region|continent|island|location|county|province|nation|village|street|sea"
)
_NUMBER = (
    "number|percentage|percent|proportion|share|amount|population|price|cost|temperature|height|length|width|depth|age"
    "|size|speed|rate|distance|area|ratio|score|fraction|range|quantity|salary|budget"
)
_MEASURED = "many|much|far|old|tall|long|large|big|high|deep|wide|often|fast|heavy|hot|cold"
_TIME = "year|date|day|month|century|decade|time|era|period|season"

_RULES = tuple(
    (wanted, re.compile(pattern, re.IGNORECASE))
    for wanted, pattern in (
        (Wanted.TIME, rf"\bwhen\b|\b(?:what|which)\s+(?:\w+\s+)?(?:{_TIME})\b|\bhow long ago\b|\bsince when\b"),
        (
            Wanted.NUMBER,
            rf"\bhow (?:{_MEASURED})\b|\b(?:what|which)\b(?:\s+\w+){{0,4}}\s+(?:{_NUMBER})\b",
        ),
        (Wanted.PERSON, rf"\bwho(?:m|se)?\b|\b(?:what|which)\s+(?:\w+\s+){{0,2}}(?:{_PERSON})\b"),
        (Wanted.PLACE, rf"\bwhere\b|\b(?:what|which)\s+(?:\w+\s+){{0,2}}(?:{_PLACE})\b"),
        (Wanted.CLAUSE, r"\bwhy\b|\bhow (?:do|does|did|is|are|was|were|can|could|would|will|has|have)\b"),
        (Wanted.CLAUSE, r"\bwhat (?:reason|caused)\b|\bwhat (?:do|does|did)\b.*\bdo\b"),
        (Wanted.NAME, r"\b(?:name|title|term|word) (?:of|for|given)\b|\bcalled\b|\bnamed\b|\bknown as\b"),
    )
)


def read(text: str) -> Question:
    """Understand ``text`` as far as rules can."""
    wanted = next((kind for kind, pattern in _RULES if pattern.search(text)), Wanted.ANYTHING)
    terms: dict[str, Term] = {}
    for word in words_of(text):
        if word.kind is not Kind.FUNCTION and word.stem:
            name = word.kind is not Kind.CONTENT
            terms.setdefault(word.stem, Term(word=word.bare.lower(), stem=word.stem, name=name))
    return Question(text=text, wanted=wanted, terms=tuple(terms.values()))
