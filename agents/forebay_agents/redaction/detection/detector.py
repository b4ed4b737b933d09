"""Where is the personal data of a request? All its parts are read as one text: what was asked explains the answer.

Normalise, find (patterns, names, hidden writings), join what belongs together, look for the same elsewhere; then back
to the places in the parts as they were written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from forebay.contract.failures import Rejected
from forebay.privacy.pseudonym_variants import variants
from forebay_agents.redaction.conversation.finding import Conversations
from forebay_agents.redaction.conversation.memory import KEY as OPEN
from forebay_agents.redaction.detection.encoded import hidden
from forebay_agents.redaction.detection.engine import Engine, names_engine, structured_engine
from forebay_agents.redaction.detection.joining import joined
from forebay_agents.redaction.detection.language import language_of
from forebay_agents.redaction.detection.name_remainders import beside, in_prose, shortened, without_schemas
from forebay_agents.redaction.detection.names.lexical import common_word
from forebay_agents.redaction.detection.normalise import View, normalised
from forebay_agents.redaction.detection.pace import LONG, Budget, budget_of
from forebay_agents.redaction.detection.propagation import propagated
from forebay_agents.redaction.detection.spans import Span, per_part, resolved
from forebay_agents.redaction.detection.uncovered import around, bared
from forebay_agents.redaction.policy import Policies, Policy
from forebay_agents.redaction.public.deciding import Decision, PublicKnowledge, texts_of
from forebay_agents.redaction.public.facts import Facts
from forebay_agents.redaction.request_parts import Part, document
from forebay_agents.redaction.settings import Profile, RedactionSettings

P = ParamSpec("P")
R = TypeVar("R")
_PLAIN_WORDS = ("PERSON", "LOCATION", "AGE", "URL", "PASSWORD", "PHONE_NUMBER", "EMAIL_ADDRESS", "CREDIT_CARD")
"""Kinds of which any text may have the words before a number, as in "age 34": is it a tag? 2 ms each to compile."""
_WARM = "My name is Ann Lee, call me at 212-555-0187 or mail ann@example.com; card 4111 1111 1111 1111."


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request's parts.

    Attributes:
        parts: see :mod:`forebay_agents.redaction.request_parts`.
        known: tag to value, from earlier turns of the conversation; and what is open in it.
        tenant_id: whose rules apply.
        language: if it is known.
        profile: that the request asks for; the tenant's if it asks for none.
    """

    parts: Sequence[Part]
    known: Mapping[str, str] = field(default_factory=dict)
    tenant_id: str = "default"
    language: str | None = None
    profile: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Findings, ordered and not overlapping, for each part; and the language of the whole.

    Attributes:
        public: decisions on names and places that might be public knowledge, where the profile lets such stay.
        asked: see :meth:`forebay_agents.redaction.public.facts.Facts.asked`.
        open: what to remember of the conversation (:mod:`forebay_agents.redaction.conversation.memory`).
    """

    spans: list[list[Span]]
    language: str | None
    public: tuple[Decision, ...] = ()
    asked: tuple[str, ...] = ()
    open: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Formed:
    """A request in which what has a form has been found.

    Attributes:
        prose: what the names model reads, if it does.
        budget: what is left of its time, if it is long.
        open: see :class:`Found`.
    """

    asked: Asked
    policy: Policy
    bounds: Sequence[tuple[int, int]]
    view: View
    spans: list[Span]
    language: str | None
    prose: str | None
    budget: Budget | None
    open: str


class Detector:
    """Finds personal data.

    Args:
        settings: see there.
    """

    def __init__(self, settings: RedactionSettings) -> None:
        self._settings = settings
        self._policies = Policies(settings)
        self._structured: Engine = structured_engine(settings)
        self._names: Engine | None = names_engine(settings)
        self._public = PublicKnowledge()
        self._facts = Facts(self._public.languages)
        self._conversations = Conversations()
        self.text(_WARM)  # compiles and loads what is lazy, before the first request
        for kind in _PLAIN_WORDS:
            variants((kind,))

    def text(self, text: str, tenant_id: str = "default", language: str | None = None) -> list[Span]:
        """Findings in one text."""
        return self.find(Asked(parts=[Part(text=text, said=True)], tenant_id=tenant_id, language=language)).spans[0]

    def find(self, asked: Asked) -> Found:
        """Findings in the parts of a request.

        Raises:
            Rejected: ``language_unsupported``, if the settings say so.
            Permanent: ``redaction_failed``, if a custom pattern takes too long; ``redaction_too_slow``, if all together
                take longer than ``redaction.seconds_per_char`` allows.
        """
        [found] = self.find_all([asked])
        if isinstance(found, Exception):
            raise found
        return found

    def find_all(self, asked: Sequence[Asked]) -> list[Found | Exception]:
        """Findings of each request, or what :meth:`find` raises for it; the names model reads all of them at once.

        What is found in a request does not depend on the others.
        """
        begun = [_outcome(self._begun, one) for one in asked]
        reading = [one for one in begun if isinstance(one, _Formed) and one.prose is not None]
        named = self._named(reading) if reading else {}
        return [
            one if isinstance(one, Exception) else _outcome(self._finished, one, named.get(id(one), ()))
            for one in begun
        ]

    def _begun(self, asked: Asked) -> _Formed:
        text, bounds = document(asked.parts)
        budget = None
        if len(text) > LONG:
            budget = budget_of(len(text), self._settings.seconds_per_char, self._settings.timeout_s)
        with _FREELY if budget is None else budget.spending():
            policy = self._policies.of(asked.tenant_id)
            language = asked.language or language_of(text)
            view = normalised(text)
            answered, left_open = self._conversations.found(view, asked.parts, bounds, asked.known.get(OPEN, ""))
            spans = self._formed(view.text) + answered
            prose = None
            if self._names is not None and self._looks_for_names(language):
                prose = shortened(without_schemas(view, asked.parts, bounds), spans)
        return _Formed(
            asked=asked,
            policy=policy,
            bounds=bounds,
            view=view,
            spans=spans,
            language=language,
            prose=prose,
            budget=budget,
            open=left_open,
        )

    def _named(self, reading: Sequence[_Formed]) -> dict[int, Sequence[Span] | Exception]:
        """Names and places of each, by its identity; a long one is read by itself, within its budget."""
        found: dict[int, Sequence[Span] | Exception] = {}
        together = [one for one in reading if one.budget is None]
        for one in reading:
            if one.budget is not None:
                with one.budget.spending():
                    read = _outcome(self._names_of, [one])
                found[id(one)] = read if isinstance(read, Exception) else read[0]
        if together:
            found |= dict(zip(map(id, together), self._names_of(together), strict=True))
        return found

    def _names_of(self, reading: Sequence[_Formed]) -> list[list[Span]]:
        assert self._names is not None
        return self._names.spans_of([one.prose or "" for one in reading], 0.0)

    def _finished(self, begun: _Formed, names: Sequence[Span] | Exception) -> Found:
        if isinstance(names, Exception):
            raise names
        view, policy = begun.view, begun.policy
        with _FREELY if begun.budget is None else begun.budget.spending():
            apart = beside(view.text, names, begun.spans, common_word)
            spans = policy.kept(view.text, begun.spans + in_prose(apart, view, begun.asked.parts, begun.bounds))
            found = self._everywhere(view.text, spans, begun, policy)
            bare = bared(view.text, found)
            if bare:
                found = self._layers(begun, spans, found, bare)
            public: tuple[Decision, ...] = ()
            if policy.profile_of(begun.asked.profile) is Profile.BALANCED:
                bounds = [(view.here(start), view.here(end)) for start, end in begun.bounds]
                asked = begun.asked
                known = [value for tag, value in asked.known.items() if tag != OPEN]
                found, public = self._public.left(view.text, found, asked.parts, bounds, known, policy.public)
        parted = per_part(_in_original(view, found), begun.bounds)
        about = self.asked_about(begun.asked.parts, parted)
        return Found(spans=parted, language=begun.language, public=public, asked=about, open=begun.open)

    def asked_about(self, parts: Sequence[Part], spans: Sequence[Sequence[Span]]) -> tuple[str, ...]:
        """Of which findings a fact is asked: see :meth:`forebay_agents.redaction.public.facts.Facts.asked`."""
        return self._facts.asked(texts_of(parts, spans))

    def _layers(self, begun: _Formed, spans: list[Span], found: list[Span], bare: str) -> list[Span]:
        """``found`` with what shows once it is gone, and what shows then: the first time anywhere, later beside it."""
        text, policy = begun.view.text, begun.policy
        places = [(0, len(text))]
        for layer in range(_LAYERS):
            if layer >= _WHOLE and sum(high - low for low, high in places) > _MUCH:
                break
            shown = policy.kept(text, self._shown(bare, places))
            if not shown:
                break
            spans += shown
            gone, found = found, self._everywhere(text, spans, begun, policy)
            bare = bared(text, found)
            if not bare:
                break
            places = around(set(found).difference(gone), len(text))
        return found

    @staticmethod
    def _everywhere(text: str, spans: Sequence[Span], begun: _Formed, policy: Policy) -> list[Span]:
        """``spans`` with what belongs to them, the same values elsewhere, and what is denied."""
        found = joined(text, resolved(spans))
        found += policy.kept(text, propagated(text, found, begun.asked.known, common_word, begun.language))
        return resolved(found + policy.denied(text))

    def _formed(self, text: str) -> list[Span]:
        """Findings of what has a form, also in another writing."""
        return self._structured.spans(text, self._settings.min_score) + hidden(text, self._plain)

    def _shown(self, text: str, places: Sequence[tuple[int, int]]) -> list[Span]:
        """As :meth:`_formed`, in ``places`` alone, but for what begins or ends where the text was cut."""
        found: list[Span] = []
        for low, high in places:
            first, last = _EDGE * (low > 0), high - low - _EDGE * (high < len(text))
            found += [s.shifted(low) for s in self._formed(text[low:high]) if first <= s.start and s.end <= last]
        return found

    def _plain(self, text: str) -> list[Span]:
        """Findings in a decoded piece: one level deep, and only what has a form."""
        return self._structured.spans(normalised(text).text, self._settings.min_score)

    def _looks_for_names(self, language: str | None) -> bool:
        if language is None or language in self._settings.languages:
            return True
        if self._settings.other_languages == "block":
            raise Rejected("language_unsupported", f"texts in {language} are not accepted")
        return self._settings.other_languages == "names"


def _outcome(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | Exception:
    """What ``work`` returns or raises: one request's failure is none of the others'."""
    try:
        return work(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - handed on to whoever asked
        return error


_FREELY = nullcontext()
_LAYERS = 8
"""Identifiers that stand close against each other in a row, each hidden by the one before; the guard stops a request
with more of them. The first costs another look at the whole text, the others one around what was found meanwhile."""
_EDGE = 100
_WHOLE, _MUCH = 2, 50_000
"""Looks that may be at any number of characters, and how many are too many after them: only a text that was made for
it has so many in a row everywhere."""


def _in_original(view: View, spans: Iterable[Span]) -> list[Span]:
    return resolved(Span(*view.original(span.start, span.end), span.kind, span.score) for span in spans)
