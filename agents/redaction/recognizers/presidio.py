"""Which of Presidio's own recognisers are used? Its national identifiers, with two changes.

They are run only on texts with enough digits, and a finding counts only with a passed check digit or one of the
recogniser's own context words near it: most of their patterns by themselves match any number of the right length.
"""

import re
from collections.abc import Sequence
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer import predefined_recognizers as own

from agents.redaction.recognizers.rules import AFTER, BEFORE, CLUSTER, Facts

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


class Adapted(EntityRecognizer):
    """One of Presidio's recognisers, made strict.

    Args:
        inner: the recogniser.
    """

    name: str

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._words = sorted({word.lower() for word in inner.context or ()})
        self._context = re.compile("|".join(rf"\b{re.escape(word)}" for word in self._words)) if self._words else None
        super().__init__(supported_entities=inner.supported_entities, name=inner.name, supported_language="en")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """See Presidio."""
        facts = getattr(nlp_artifacts, "facts", None)
        if facts is None or facts.text != text:
            facts = Facts(text=text)
        found: list[RecognizerResult] = []
        for low, high in facts.numbers(CLUSTER):
            if (low, high) in facts.mixed or any(facts.low.find(word, low, high) >= 0 for word in self._words):
                found += self._inside(facts, entities, low, high)
        return found

    def _inside(self, facts: Facts, entities: Sequence[str], low: int, high: int) -> list[RecognizerResult]:
        kept = []
        for result in self._inner.analyze(facts.text[low:high], entities, None):
            result.start += low
            result.end += low
            value = facts.text[result.start : result.end]
            result.recognition_metadata = {
                RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
            }
            # Without a context word only letters among the digits make a passed check digit convincing.
            certain = result.score == _CERTAIN and not value.replace(" ", "").replace("-", "").isdigit()
            if sum(map(str.isdigit, value)) >= _DIGITS and (certain or self._announced(facts, result)):
                kept.append(result)
        return kept

    def _announced(self, facts: Facts, result: RecognizerResult) -> bool:
        if self._context is None:
            return False
        near = self._context.search(facts.low, max(0, result.start - BEFORE), result.start)
        if near or self._context.search(facts.low, result.end, result.end + AFTER):
            result.score = max(result.score, 0.6)
            return True
        return False


def national() -> list[Adapted]:
    """Presidio's national identifiers."""
    return [Adapted(getattr(own, name)(supported_language="en")) for name in _NAMES if hasattr(own, name)]
