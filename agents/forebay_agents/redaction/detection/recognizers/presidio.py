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
from forebay_agents.redaction.detection.recognizers.rules import AFTER, BEFORE

_NAMES = (
    "EsNifRecognizer", "EsNieRecognizer", "ItFiscalCodeRecognizer", "ItVatCodeRecognizer", "ItDriverLicenseRecognizer",
    "ItIdentityCardRecognizer", "PlPeselRecognizer", "FiPersonalIdentityCodeRecognizer",
    "DeTaxIdRecognizer", "DeSocialSecurityRecognizer", "DeIdCardRecognizer",
    "SePersonnummerRecognizer", "AuTfnRecognizer", "AuMedicareRecognizer", "AuAbnRecognizer", "AuAcnRecognizer",
    "InAadhaarRecognizer", "InVoterRecognizer", "CaSinRecognizer",
    "SgFinRecognizer", "UkDrivingLicenceRecognizer", "KrRrnRecognizer", "TrNationalIdRecognizer",
    "ThTninRecognizer", "ZaIdNumberRecognizer", "NgNinRecognizer", "UsMbiRecognizer", "UsNpiRecognizer",
)  # fmt: skip
_CERTAIN = 1.0
_DIGITS = 4


class _Adapted:
    """One of Presidio's recognisers, made strict.

    Args:
        inner: the recogniser.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.words = sorted({word.lower() for word in inner.context or ()})
        self._context = re.compile("|".join(rf"\b{re.escape(word)}" for word in self.words)) if self.words else None
        # Compiled as the recogniser itself does it at every call.
        self._patterns = [(regex.compile(p.regex, inner.global_regex_flags), p.score) for p in inner.patterns]
        self._kind = inner.supported_entities[0]
        self._metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: inner.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: inner.id,
        }

    def inside(self, facts: Facts, low: int, high: int) -> list[RecognizerResult]:
        """Findings in a region of the text."""
        kept = []
        for result in self._matches(facts.text[low:high]):
            result.start += low
            result.end += low
            value = facts.text[result.start : result.end]
            # Without a context word only letters among the digits make a passed check digit convincing.
            certain = result.score == _CERTAIN and not value.replace(" ", "").replace("-", "").isdigit()
            if sum(map(str.isdigit, value)) >= _DIGITS and (certain or self._announced(facts, result)):
                kept.append(result)
        return kept

    def _matches(self, text: str) -> list[RecognizerResult]:
        """What the recogniser finds, without the explanations that it writes of each finding."""
        found = []
        for pattern, likely in self._patterns:
            for match in pattern.finditer(text):
                start, end = match.span()
                if start == end:
                    continue
                valid = self._inner.validate_result(match[0])
                score = likely if valid is None else float(valid)
                if score and not self._inner.invalidate_result(match[0]):
                    found.append(
                        RecognizerResult(self._kind, start, end, score, recognition_metadata=dict(self._metadata))
                    )
        return EntityRecognizer.remove_duplicates(found) if len(found) > 1 else found

    def _announced(self, facts: Facts, result: RecognizerResult) -> bool:
        if self._context is None:
            return False
        near = self._context.search(facts.low, max(0, result.start - BEFORE), result.start)
        if near or self._context.search(facts.low, result.end, result.end + AFTER):
            result.score = max(result.score, 0.6)
            return True
        return False


class National(EntityRecognizer):
    """All of them, asked where there are enough digits."""

    name: str

    def __init__(self) -> None:
        chosen = [getattr(own, name)(supported_language="en") for name in _NAMES if hasattr(own, name)]
        self._adapted = [_Adapted(inner) for inner in chosen]
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
        for low, high in facts.numbers(CLUSTER):
            everyone = (low, high) in facts.mixed
            region = facts.low[low:high]
            for adapted in self._adapted:
                if everyone or _has_one(region, adapted.words):
                    found += adapted.inside(facts, low, high)
        return found


def _has_one(text: str, words: Sequence[str]) -> bool:
    for word in words:  # noqa: SIM110 - any() of a generator takes five times as long
        if word in text:
            return True
    return False


def national() -> National:
    """Presidio's national identifiers."""
    return National()
