"""Which findings of a request stay? Each is decided where it stands; then one name has one fate in all the request."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from forebay_agents.redaction.detection.spans import Span, per_part
from forebay_agents.redaction.public.clauses import clauses
from forebay_agents.redaction.public.cues import Languages, shipped
from forebay_agents.redaction.public.folding import key
from forebay_agents.redaction.public.judging import Judged, judged
from forebay_agents.redaction.public.lists import Listed, Lists, opened
from forebay_agents.redaction.public.reading import PERSON, PLACE, Read, Text
from forebay_agents.redaction.public.reasons import Reason, Veto
from forebay_agents.redaction.public.sightings import Sighting, is_name, plain, sighted
from forebay_agents.redaction.public.vetoes import Setting
from forebay_agents.redaction.request_parts import Part

_MOST_NAMES, _LONGEST_CLAUSE = 500, 400
"""Names and places of a request, and words of a clause, beyond which nothing stays: each name is judged by all of its
clause. 100,000 characters of names without a mark took 26 s; nobody asks about five hundred places at once."""
_ASKING = frozenset(["", "user", "system", "developer", "assistant"])
"""Whose texts may ask; what a tool is given or returns is only said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What becomes of a finding.

    Attributes:
        span: the finding.
        judged: why it stays (:class:`Reason`) or goes (:class:`Veto`).
        kind: as what it is listed: places, people, eponyms, brands; empty where it is not.
        keys: the listed names in it.
    """

    span: Span
    judged: Judged
    kind: str = ""
    keys: tuple[str, ...] = ()

    @property
    def stays(self) -> bool:
        """Whether it is left as it is."""
        return isinstance(self.judged, Reason)


def left_by_reason(decisions: Iterable[Decision]) -> Counter[tuple[str, str]]:
    """How many names and places stay, by kind and reason."""
    return Counter((one.kind, one.judged.value) for one in decisions if one.stays)


def texts_of(parts: Sequence[Part], spans: Sequence[Sequence[Span]]) -> list[Text]:
    """The parts of a request, with what was found in each."""
    return [
        Text(text=part.text, spans=found, asked=part.speaker in _ASKING and not part.joined)
        for part, found in zip(parts, spans, strict=True)
    ]


class PublicKnowledge:
    """Decides.

    Args:
        lists: what is public; without any everything goes.
        languages: tells by which words is asked.
    """

    def __init__(self, lists: Lists | None = None, languages: Languages | None = None) -> None:
        self._lists = opened() if lists is None else lists
        self.languages = shipped() if languages is None else languages

    def left(
        self,
        text: str,
        found: list[Span],
        parts: Sequence[Part],
        bounds: Sequence[tuple[int, int]],
        known: Iterable[str],
        kinds: Iterable[str],
    ) -> tuple[list[Span], tuple[Decision, ...]]:
        """``found`` in the ``text`` of a request without what stays, and the decisions.

        Args:
            parts: of the request, with their ``bounds`` in ``text``.
            known: see :meth:`decided`; kinds: see there.
        """
        read = [replace(part, text=text[low:high]) for part, (low, high) in zip(parts, bounds, strict=True)]
        texts = texts_of(read, per_part(found, bounds))
        decided = tuple(
            replace(one, span=one.span.shifted(low))
            for (low, _), decisions in zip(bounds, self.decided(texts, known, kinds), strict=True)
            for one in decisions
        )
        stay = {one.span for one in decided if one.stays}
        return [span for span in found if span not in stay], decided

    def decided(
        self, texts: Sequence[Text], known: Iterable[str] = (), kinds: Iterable[str] = ()
    ) -> list[list[Decision]]:
        """A decision on each name and place of each text, in order; findings of other kinds are none of ours.

        Args:
            known: values that the conversation has masked already: they stay masked.
            kinds: what may stay; all, if there are none.
        """
        names = sum(span.kind in (PLACE, PERSON) for text in texts for span in text.spans)
        if not self._lists or not 0 < names <= _MOST_NAMES:
            return [[] for _ in texts]
        allowed = frozenset(kinds)
        found = [self._text(text, allowed) for text in texts]
        return _one_fate(found, texts, known)

    def _text(self, text: Text, allowed: frozenset[str]) -> list[Decision]:
        ours = [span for span in text.spans if span.kind in (PLACE, PERSON)]
        if not ours:
            return []
        read = Read(text=text, clauses=clauses(text.text, self.languages))
        sights = [self._sighted(read, span) for span in ours]
        masked = [
            span for span, (at, seen) in zip(ours, sights, strict=True) if not seen and self._somebody(read, span, at)
        ]
        return [self._decision(read, span, sights, index, masked, allowed) for index, span in enumerate(ours)]

    def _sighted(self, read: Read, span: Span) -> tuple[int, list[Sighting]]:
        at = read.clause_of(span)
        if at < 0 or read.clauses[at].spoken is None or len(read.clauses[at].words) > _LONGEST_CLAUSE:
            return at, []
        return at, sighted(read.text.text, span, read.clauses[at], self._lists)

    @staticmethod
    def _somebody(read: Read, span: Span, at: int) -> bool:
        """Whether a finding that is not listed may be a person: particles and questions' words are none."""
        if span.kind != PERSON or at < 0:
            return False
        clause = read.clauses[at]
        if clause.spoken is None or len(clause.words) > _LONGEST_CLAUSE:
            return True
        cues = clause.spoken.cues
        lower = plain(clause)
        for index, word in enumerate(clause.words):
            if not (word.start < span.end and word.end > span.start):
                continue
            begins = index == clause.start and (
                cues.questions.at(clause.folded, index) or cues.tasks.at(clause.folded, index)
            )
            small = begins or word.folded in cues.words.singles
            if not small and (word.capital or (lower and is_name(word.folded))):
                return True
        return False

    def _decision(
        self,
        read: Read,
        span: Span,
        everybody: Sequence[tuple[int, list[Sighting]]],
        index: int,
        masked: Sequence[Span],
        allowed: frozenset[str],
    ) -> Decision:
        at, seen = everybody[index]
        if not seen:
            tongueless = at < 0 or read.clauses[at].spoken is None
            return Decision(span=span, judged=Veto.LANGUAGE if tongueless else Veto.UNLISTED)
        clause = read.clauses[at]
        setting = Setting(
            clause=clause,
            before=read.clauses[at - 1] if at else None,
            back=read.looks_back(at),
            identifier=read.identified(at),
            others=sum(1 for other in masked if read.clause_of(other) == at),
            company=len({one.key for place, several in everybody if place == at for one in several}) > 1,
            free=read.free,
            text_given=read.text_given,
        )
        verdicts = [judged(setting, one, place=span.kind == PLACE) for one in seen]
        keys = tuple(one.key for one in seen)
        for verdict, one in zip(verdicts, seen, strict=True):
            if isinstance(verdict, Veto):
                return Decision(span=span, judged=verdict, kind=_kind(one, verdict), keys=keys)
        if not read.text.asked and any(verdict is not Reason.SAID for verdict in verdicts):
            return Decision(span=span, judged=Veto.SILENT, kind=_kind(seen[0], verdicts[0]), keys=keys)
        kind = _kind(seen[0], verdicts[0])
        if allowed and not {_kind(one, verdict) for one, verdict in zip(seen, verdicts, strict=True)} <= allowed:
            return Decision(span=span, judged=Veto.KIND, kind=kind, keys=keys)
        return Decision(span=span, judged=verdicts[0], kind=kind, keys=keys)


def _kind(one: Sighting, verdict: Judged) -> str:
    match verdict:
        case Reason.EPONYM:
            return "eponyms"
        case Reason.BRAND:
            return "brands"
        case Reason.SAID:
            return "places"
    if one.kind & Listed.PLACE and not (verdict in (Reason.WHO, Reason.FAME) and one.kind & Listed.SOMEBODY):
        return "places"
    return "people" if one.kind & Listed.SOMEBODY else "brands"


def _one_fate(found: list[list[Decision]], texts: Sequence[Text], known: Iterable[str]) -> list[list[Decision]]:
    """``found``, with every name masked of which something is masked somewhere: the last check looks for that too."""
    gone = {word for value in known for word in (key(value), *key(value).split())}
    for text, decisions in zip(texts, found, strict=True):
        for one in decisions:
            if not one.stays and not _follows(text, one):
                gone |= {*_names(text, one), *" ".join(_names(text, one)).split()}
    stay = {name: one for decisions in found for one in decisions if one.stays for name in one.keys}
    return [
        [_fated(one, _names(text, one), gone, stay if _follows(text, one) else {}) for one in decisions]
        for text, decisions in zip(texts, found, strict=True)
    ]


def _names(text: Text, one: Decision) -> frozenset[str]:
    """What the finding is called: the listed names in it; and, where it goes or none is in it, itself."""
    whole = key(text.text[one.span.start : one.span.end])
    return frozenset(one.keys if one.keys and one.stays else (*one.keys, whole))


def _follows(text: Text, one: Decision) -> bool:
    """Whether it has the fate that the name has elsewhere."""
    return not text.asked and one.judged in (Veto.SILENT, Veto.LANGUAGE)


def _fated(one: Decision, names: frozenset[str], gone: set[str], stay: Mapping[str, Decision]) -> Decision:
    like = next((stay[name] for name in names), None) if names <= stay.keys() else None
    chosen = replace(like, span=one.span) if like else one
    if chosen.stays and not gone.isdisjoint({*names, *" ".join(names).split()}):
        return replace(chosen, judged=Veto.FATE)
    return chosen
