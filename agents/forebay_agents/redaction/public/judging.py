"""May a listed name stay where it stands? A list, a clause that asks, and nothing that makes it somebody's."""

from forebay_agents.redaction.public.clauses import Clause
from forebay_agents.redaction.public.lists import Listed
from forebay_agents.redaction.public.reasons import Reason, Veto
from forebay_agents.redaction.public.sightings import Sighting, is_name
from forebay_agents.redaction.public.vetoes import Setting, around, beside, has

Judged = Reason | Veto
_NEAR = 5
_SAID_WORDS = 5
_FRAME = 3
_BEFORE = 3
_FULL = 2
_BACK = 6
_HAS_TO = frozenset(("doit", "debe", "deve", "must", "musi", "moet", "trabalho", "weekend"))
"""Everyday matters that are none where somebody has to write an essay (in some languages: owes, work)."""
_LARGE = Listed.COUNTRY | Listed.CITY | Listed.LANDMARK


def judged(setting: Setting, one: Sighting, *, place: bool) -> Judged:
    """Why ``one`` stays, or why it goes.

    Args:
        place: whether the names model took it for a place.
    """
    for veto in beside(setting, one):
        if not (veto is Veto.CONTACT and place and not _neighbours(setting.clause, one)):
            return veto
    if one.kind & Listed.SOMEBODY and not one.kind & _LARGE:
        return _named(setting, one)  # a town that is called as somebody is
    if one.kind & Listed.PLACE and (place or not one.kind & (Listed.SOMEBODY | Listed.BRAND)):
        found = _place(setting, one, place=place)
        if isinstance(found, Reason) or not one.kind & (Listed.SOMEBODY | Listed.BRAND):
            return found
        other = _named(setting, one)
        return other if isinstance(other, Reason) else found
    found = _named(setting, one)
    if isinstance(found, Veto) and one.kind & Listed.PLACE and _behind_preposition(setting.clause, one):
        return _place(setting, one, place=False)
    return found


def _place(setting: Setting, one: Sighting, *, place: bool) -> Judged:
    clause = setting.clause
    if _fact_asked(clause, one):
        return Reason.ASKED
    for veto in around(setting):
        return veto
    if has(clause, lambda cues: cues.third):
        return Veto.THIRD
    if setting.back:
        return Veto.FIRST
    if has(clause, lambda cues: cues.home) and not clause.begins:
        return Veto.HOME
    if _address(clause, one):
        return Veto.NUMBER
    behind = _behind_preposition(clause, one)
    if not place and not one.kind & (Listed.COUNTRY | Listed.LANDMARK) and not (one.kind & Listed.CITY and behind):
        return Veto.NEIGHBOUR
    if not behind and _neighbours(clause, one):
        if has(clause, lambda cues: cues.matters):
            return Veto.MATTER
        if not place:
            return Veto.NEIGHBOUR
    if clause.begins or (clause.asks and len(clause.words) >= _SAID_WORDS):
        return Reason.ASKED
    return _said(setting, one) if behind and place else Veto.SILENT


def _said(setting: Setting, one: Sighting) -> Judged:
    """A place that is only said: in a sentence of some length, about nobody, without figures."""
    clause = setting.clause
    if not setting.free:
        return Veto.FIRST
    if len(clause.words) < _SAID_WORDS or not clause.words[one.last - 1].capital or not one.kind & _LARGE:
        return Veto.SILENT
    if any(word.text.isdigit() for word in clause.words):
        return Veto.NUMBER
    if clause.folded[one.last : one.last + 1] == ("s",):
        return Veto.NEIGHBOUR  # "Belgrano's camp" is rather somebody's
    if has(clause, lambda cues: cues.matters):
        return Veto.MATTER
    if _neighbours(clause, one) and not one.kind & Listed.COUNTRY and not setting.text_given:
        return Veto.NEIGHBOUR
    return Reason.SAID


def _named(setting: Setting, one: Sighting) -> Judged:
    """A person, a character, a brand, or what is called after somebody."""
    clause = setting.clause
    if _studied(clause, one):
        return Reason.FAME
    if _told_who(clause, one):
        return Reason.WHO
    if not clause.begins:
        return Veto.SILENT
    if _eponym(clause, one):
        return Reason.EPONYM
    matter = has(clause, lambda cues: cues.matters)
    vetoes = [veto for veto in around(setting) if not (veto is Veto.RELATION and one.kind & Listed.FICTION)]
    full = bool(one.kind & (Listed.PERSON | Listed.FICTION))
    if (full or one.kind & Listed.SINGLE) and not matter and not _lasting(vetoes):
        asked = _asked_of_others(clause, one, vetoes)
        if asked is not None:
            return asked
    for veto in vetoes:
        return veto
    return _by_itself(setting, one, matter=matter)


def _asked_of_others(clause: Clause, one: Sighting, vetoes: list[Veto]) -> Reason | None:
    """What outweighs a veto that belongs to another: "my daughter Lena asks who Marie Curie was"."""
    if _asked_who(clause, one):
        return Reason.WHO
    full = bool(one.kind & (Listed.PERSON | Listed.FICTION))
    return Reason.FAME if full and Veto.OTHER in vetoes and _famous(clause, one, _NEAR) else None


def _by_itself(setting: Setting, one: Sighting, *, matter: bool) -> Judged:
    """Somebody whom nothing makes a neighbour: is there a sign of fame?

    Args:
        matter: whether the clause has a word of everyday affairs.
    """
    clause = setting.clause
    full = bool(one.kind & (Listed.PERSON | Listed.FICTION))
    if one.kind & Listed.BRAND:
        brandish = has(clause, lambda cues: cues.brandish)
        if (brandish and not matter) or (not _neighbours(clause, one) and (brandish or not matter)):
            return Reason.BRAND
    if matter:
        return Veto.MATTER
    if _for_somebody(clause, one):
        return Veto.CONTACT
    if one.kind & Listed.SOMEBODY and _famous(clause, one, len(clause.words)):
        return Reason.FAME
    if full and (one.kind & Listed.FICTION or setting.company):
        return Reason.ASKED
    if one.kind & Listed.SINGLE and setting.company and not _neighbours(clause, one):
        return Reason.ASKED
    return Veto.NEIGHBOUR


def _studied(clause: Clause, one: Sighting) -> bool:
    """Whether a full name is what an essay or a biography is about, whoever writes it and for whom: "my son Theo"."""
    if not one.kind & (Listed.PERSON | Listed.FICTION) or one.last - one.first < _FULL or clause.spoken is None:
        return False
    of_somebody = one.last < len(clause.folded) and clause.folded[one.last] == "s"
    works = of_somebody and has(clause, lambda cues: cues.fame, one.last + 1, one.last + 1 + _FRAME)
    if not works and not any(cues.studied.before(clause.folded, one.first) for cues in clause.all):
        return False
    others = ["" if word in _HAS_TO else word for word in clause.folded]
    return not any(
        cues.matters.found(others, clause.start + 1, one.first) or cues.matters.found(others, one.last)
        for cues in clause.all
    )


def _told_who(clause: Clause, one: Sighting) -> bool:
    """Whether somebody is told or asked who a full name was: "remind Tobias to look up who Ada Lovelace was"."""
    if not one.kind & (Listed.PERSON | Listed.FICTION) or one.last - one.first < _FULL:
        return False
    if not has(clause, lambda cues: cues.past, one.last, one.last + 1) or not _asked_who(clause, one):
        return False
    return not has(clause, lambda cues: cues.matters, clause.start + 1)


def _fact_asked(clause: Clause, one: Sighting) -> bool:
    """Whether a question asks what everybody may look up of a place, whoever asks: "what the capital of Peru is"."""
    if has(clause, lambda cues: cues.home):
        return False
    for cues in clause.all:
        for first in range(max(one.first - _BACK, 0), one.last):
            length = cues.place_facts.at(clause.folded, first)
            if length and one.first - 1 <= first + length < one.last:  # "capital of Mongolia" is listed as well
                return cues.questions.found(clause.folded, first - _BEFORE, first)
    return False


def _lasting(vetoes: list[Veto]) -> bool:
    """Whether a veto is not one that belongs to another person: a daughter who asks who somebody was."""
    return bool(vetoes) and not (Veto.OTHER in vetoes or vetoes == [Veto.FIRST])


def _eponym(clause: Clause, one: Sighting) -> bool:
    """Whether "law", "disease" stands right behind, or "disease of" right before."""
    if not one.kind & (Listed.SURNAME | Listed.SINGLE | Listed.PERSON | Listed.FICTION):
        return False
    behind = one.last + (one.last < len(clause.folded) and clause.folded[one.last] == "s")
    reach = behind + (_FRAME if behind > one.last else 1)
    return has(clause, lambda cues: cues.eponym_after, behind, reach) or any(
        cues.eponym_before.before(clause.folded, at)
        for cues in clause.all
        for at in range(max(one.first - 1, 0), one.first + 1)
    )


def _for_somebody(clause: Clause, one: Sighting) -> bool:
    """Whether a task makes something for the person: "draft a warning for"."""
    assert clause.spoken is not None
    tasks, dative = clause.spoken.cues.tasks, clause.spoken.cues.dative
    return bool(clause.start < len(clause.folded) and tasks.at(clause.folded, clause.start)) and dative.found(
        clause.folded, one.first - 1, one.first
    )


def _asked_who(clause: Clause, one: Sighting) -> bool:
    for cues in clause.all:
        if cues.asks_who.before(clause.folded, one.first):
            return True
        if cues.anywhere and cues.questions.found(clause.folded, one.last, one.last + 1):
            return True
    return False


def _famous(clause: Clause, one: Sighting, near: int) -> bool:
    """Whether a word of fame is within so many words of the name; the task itself ("write") is none."""
    assert clause.spoken is not None
    first = clause.start + max(clause.spoken.cues.tasks.at(clause.folded, clause.start), 0)
    return has(clause, lambda cues: cues.fame, max(one.first - near, first), one.first) or has(
        clause, lambda cues: cues.fame, one.last, one.last + near
    )


def _neighbours(clause: Clause, one: Sighting) -> bool:
    """Whether it is one word, and neighbours are called so."""
    return one.last - one.first == 1 and is_name(clause.words[one.first].folded)


def _behind_preposition(clause: Clause, one: Sighting) -> bool:
    if any(cues.suffixed for cues in clause.all):
        return True
    return has(clause, lambda cues: cues.prepositions, one.first - _BEFORE + 1, one.first)


def _address(clause: Clause, one: Sighting) -> bool:
    """Whether figures and a street are in the clause, or figures right beside the name."""
    figures = [at for at, word in enumerate(clause.words) if any(map(str.isdigit, word.text))]
    if not figures:
        return False
    return has(clause, lambda cues: cues.streets) or any(at in (one.first - 1, one.last) for at in figures)
