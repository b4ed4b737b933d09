"""What makes a name somebody's? Words of its clause and beside it, in every language that the clause may be in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.public.clauses import Clause
from forebay_agents.redaction.public.cues import Cues, Phrases
from forebay_agents.redaction.public.reasons import Veto
from forebay_agents.redaction.public.sightings import Sighting

_BESIDE = 2
_LINKS = listed(
    "to the my our your this it a an bitte bei fur al la el le der die den dem o i do s up back named called"
)
"""Between a role or a verb and the name: "reply to", "ruf bitte"."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a name stands.

    Attributes:
        clause: its clause; before: the one before it in the same text, if there is one.
        back: whether a neighbouring sentence in the first person looks back to the place: "I grew up there".
        identifier: whether an identifier is in the clause, or in the same text as a clause that does not ask.
        others: masked people in the clause; company: whether another listed name is in it.
        free: whether no clause of the text is in the first person.
        text_given: whether the request begins with a task on a text: "translate".
    """

    clause: Clause
    before: Clause | None = None
    back: bool = False
    identifier: bool = False
    others: int = 0
    company: bool = False
    free: bool = True
    text_given: bool = False


def has(clause: Clause, choose: Callable[[Cues], Phrases], first: int = 0, last: int | None = None) -> bool:
    """Whether one of the chosen phrases is among the words, in any language that the clause may be in."""
    return any(choose(cues).found(clause.folded, first, last) for cues in clause.all)


def first_person(clause: Clause) -> bool:
    """Whether the clause is about whoever says it."""
    return any(cues.first.found(left) for cues, left in zip(clause.all, clause.bare, strict=True))


def beside(setting: Setting, one: Sighting) -> Iterator[Veto]:
    """What stands right before the name: nothing outweighs it."""
    clause = setting.clause
    if has(clause, lambda cues: cues.titles, one.first - 1, one.first):
        yield Veto.TITLE
    first = one.first
    while first > 0 and one.first - first < _BESIDE and clause.folded[first - 1] in _LINKS:
        first -= 1
    near = range(max(first - 1, 0), one.first)
    for cues, left in zip(clause.all, clause.bare, strict=True):
        if any((length := cues.relations.at(left, at)) and at + length <= one.first for at in near):
            yield Veto.RELATION
        if any(
            length and at + length <= one.first and not (length == 1 and _weak(cues, left[at]) and at > 0)
            for at in range(max(one.first - _BESIDE - 1, 0), one.first)
            if (length := cues.contacts.at(left, at)) and at + length in range(first, one.first + 1)
        ):
            yield Veto.CONTACT
    if _labelled(setting, one):
        yield Veto.LABEL
    if setting.identifier:
        yield Veto.IDENTIFIER


def _weak(cues: Cues, word: str) -> bool:
    """Whether a contact word is also a preposition: "with", "from" count only where a line begins with them."""
    return word in cues.prepositions.singles or word in cues.words.singles


def _labelled(setting: Setting, one: Sighting) -> bool:
    before = setting.before
    if before is None or before.mark not in (":", "：") or one.first > _BESIDE or not before.words:
        return False
    return any(cues.labels.before(before.folded, len(before.folded)) for cues in before.all or setting.clause.all)


def around(setting: Setting) -> Iterator[Veto]:
    """What else of the clause makes a name somebody's."""
    clause = setting.clause
    if first_person(clause):
        yield Veto.FIRST
    if has(clause, lambda cues: cues.relations):
        yield Veto.RELATION
    at = clause.start
    if any(cues.sends.found(left, at, at + 1) for cues, left in zip(clause.all, clause.bare, strict=True)):
        yield Veto.CONTACT
    if setting.others:
        yield Veto.OTHER
