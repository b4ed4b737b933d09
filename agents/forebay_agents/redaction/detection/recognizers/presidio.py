"""Which of Presidio's own recognisers are used? Its national identifiers, with two changes.

They are run only on texts with enough digits, and a finding counts only with a passed check digit or one of the
recogniser's own context words near it: most of their patterns by themselves match any number of the right length.
"""

import re
from collections.abc import Sequence
from typing import Any

import regex
from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer import predefined_recognizers as own

from forebay_agents.redaction.detection.recognizers.facts import CLUSTER, Facts
from forebay_agents.redaction.detection.recognizers.hints import Hints
from forebay_agents.redaction.detection.recognizers.nearby import words
from forebay_agents.redaction.detection.recognizers.rules import AFTER, BEFORE
from forebay_agents.redaction.detection.windows import matches

_NAMES = (
    "EsNifRecognizer", "EsNieRecognizer", "ItFiscalCodeRecognizer", "ItVatCodeRecognizer", "ItDriverLicenseRecognizer",
    "ItIdentityCardRecognizer", "PlPeselRecognizer", "FiPersonalIdentityCodeRecognizer",
    "DeTaxIdRecognizer", "DeSocialSecurityRecognizer", "DeIdCardRecognizer",
    "SePersonnummerRecognizer", "AuTfnRecognizer", "AuMedicareRecognizer", "AuAbnRecognizer", "AuAcnRecognizer",
    "InAadhaarRecognizer", "InVoterRecognizer", "CaSinRecognizer",
    "SgFinRecognizer", "UkDrivingLicenceRecognizer", "KrRrnRecognizer", "TrNationalIdRecognizer",
    "ThTninRecognizer", "ZaIdNumberRecognizer", "NgNinRecognizer", "UsMbiRecognizer", "UsNpiRecognizer",
)  # fmt: skip
_CERTAIN, _ANNOUNCED = 1.0, 0.6
_DIGITS = 4
_ESCAPED = re.compile(r"\\[bdsBDS1-9]|\(\?[a-z]+\)")
_LETTER = re.compile(r"[^\W\d_]|\\[wW]|(?<!\\)\.")
_NEAR = 128
"""Characters behind the end of a context word in which a number may stand that it announces, and the number's own."""


class _Adapted:
    """One of Presidio's recognisers, made strict.

    Args:
        inner: the recogniser.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.words = sorted({word.lower() for word in inner.context or ()})
        self._context = words("|".join(rf"\b{re.escape(word)}" for word in self.words)) if self.words else None
        # Compiled as the recogniser itself does it at every call.
        self._patterns = [(regex.compile(p.regex, inner.global_regex_flags), p.score) for p in inner.patterns]
        self.lettered = any(_LETTER.search(_ESCAPED.sub("", pattern.pattern)) for pattern, _ in self._patterns)
        """Whether a finding may have letters: one of digits alone needs a context word."""
        self._kind = inner.supported_entities[0]
        self._metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: inner.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: inner.id,
        }

    def inside(self, facts: Facts, low: int, high: int) -> list[RecognizerResult]:
        """Findings in a region of the text."""
        context = None
        if self._context is not None and _has_one(facts.low[low:high], self.words):
            context = facts.places(self._context)
        kept = []
        for place, stop, score in self._matches(facts.text[low:high], facts.piece):
            start, end = low + place, low + stop
            value = facts.text[start:end]
            if sum(map(str.isdigit, value)) < _DIGITS:
                continue
            if context is not None and (
                context.ends(max(0, start - BEFORE), start) or context.ends(end, min(len(facts.text), end + AFTER))
            ):
                score = max(score, _ANNOUNCED)
            elif score < _CERTAIN or value.replace(" ", "").replace("-", "").isdigit():
                continue  # without a context word only letters among the digits make a passed check digit convincing
            kept.append(RecognizerResult(self._kind, start, end, score, recognition_metadata=self._metadata))
        return kept

    def _matches(self, text: str, piece: int) -> list[tuple[int, int, float]]:
        """What the recogniser finds: start, end and score, without the explanations that it writes of each finding."""
        found = []
        valid: dict[str, float | None] = {}  # several patterns find the same
        for pattern, likely in self._patterns:
            for match in matches(pattern, text, size=piece):
                value = match[0]
                if value not in valid:
                    valid[value] = self._valid(value)
                score = valid[value]
                if score is None:
                    score = likely
                if score and value:
                    found.append((*match.span(), score))
        return _apart(found) if len(self._patterns) > 1 and len(found) > 1 else found

    def _valid(self, value: str) -> float | None:
        """0 if it cannot be one, 1 if it must be, ``None`` if nothing is said: then as likely as its pattern."""
        valid = self._inner.validate_result(value)
        if valid is False or self._inner.invalidate_result(value):
            return 0.0
        return None if valid is None else 1.0


def _apart(found: Sequence[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Without what lies in another one of at least its score, as Presidio drops it."""
    kept: list[tuple[int, int, float]] = []
    open_: list[tuple[int, int, float]] = []
    for start, end, score in sorted(set(found), key=lambda one: (one[0], -one[1], -one[2])):
        open_ = [one for one in open_ if one[1] >= start]
        if not any(end <= one[1] and score <= one[2] for one in open_):
            kept.append((start, end, score))
            open_.append((start, end, score))
    return kept


class National(EntityRecognizer):
    """All of them, asked where there are enough digits."""

    name: str

    def __init__(self) -> None:
        chosen = [getattr(own, name)(supported_language="en") for name in _NAMES if hasattr(own, name)]
        self._adapted = [(one, frozenset(one.words)) for one in map(_Adapted, chosen)]
        self.hints = Hints(word for one, _ in self._adapted for word in one.words)
        entities = sorted({entity for inner in chosen for entity in inner.supported_entities})
        super().__init__(supported_entities=entities, name="national", supported_language="en")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio."""
        facts = getattr(nlp_artifacts, "facts", None)
        if facts is None or facts.text != text:
            facts = Facts(text=text)
        found: list[RecognizerResult] = []
        if facts.digits < CLUSTER:
            return found
        said = facts.said(self.hints)
        if not facts.mixed and said.isdisjoint(self.hints.all):
            return found
        regions = [(low, high, facts.low[low:high], (low, high) in facts.mixed) for low, high in facts.numbers(CLUSTER)]
        for adapted, announcing in self._adapted:
            if not (adapted.lettered and facts.mixed) and announcing.isdisjoint(said):
                continue
            near = None
            for low, high, region, mixed in regions:
                if not (mixed and adapted.lettered) and not _has_one(region, adapted.words):
                    continue
                if adapted.lettered:
                    found += adapted.inside(facts, low, high)
                    continue
                near = facts.hinted(adapted.words, _NEAR) if near is None else near
                for first, last in near:
                    if first < high and low < last:
                        found += adapted.inside(facts, max(low, first), min(high, last))
        return found


def _has_one(text: str, words: Sequence[str]) -> bool:
    for word in words:  # noqa: SIM110 - any() of a generator takes five times as long
        if word in text:
            return True
    return False


def national() -> National:
    """Presidio's national identifiers."""
    return National()
