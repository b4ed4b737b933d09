"""Which parts of a text are personal data? Presidio's recognisers say; this is where they are run."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.redaction.parts import Part, Sort, document
from agents.redaction.spans import Span, per_part, resolved
from streams.settings import ConfigurationError

_KINDS = (
    "PERSON", "LOCATION", "US_SSN", "CREDIT_CARD", "EMAIL_ADDRESS", "PHONE_NUMBER", "IBAN_CODE", "IP_ADDRESS",
    "US_PASSPORT", "US_DRIVER_LICENSE", "US_BANK_NUMBER", "CRYPTO", "UK_NHS", "MEDICAL_LICENSE", "URL", "US_ITIN",
)  # fmt: skip
_MIN_SCORE = 0.35
_CHUNK = 100_000


class StockDetector:
    """Presidio as it comes, with the spaCy model ``en_core_web_sm``."""

    def __init__(self) -> None:
        # Imported here: 2 s and the model, which commands that do not redact must not pay.
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider

        try:
            import en_core_web_sm
        except ImportError:
            raise ConfigurationError(
                "redaction needs the spaCy model en_core_web_sm: install forebay[embedded]"
            ) from None
        path = next(en_core_web_sm.Path(en_core_web_sm.__file__).parent.glob("en_core_web_sm-*"))
        provider = NlpEngineProvider(
            nlp_configuration={
                "nlp_engine_name": "spacy",
                "models": [{"lang_code": "en", "model_name": str(path)}],
            }
        )
        self._engine: Any = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])

    def find(self, parts: Sequence[Part], known: Mapping[str, str]) -> list[list[Span]]:
        """Spans of each part."""
        text, bounds = document(parts)
        found = []
        for start in range(0, len(text), _CHUNK):
            for result in self._engine.analyze(
                text[start : start + _CHUNK], "en", entities=list(_KINDS), score_threshold=_MIN_SCORE
            ):
                found.append(
                    Span(
                        start=start + result.start, end=start + result.end, kind=result.entity_type, score=result.score
                    )
                )
        for value in known.values():
            position = text.find(value)
            while position >= 0:
                found.append(Span(start=position, end=position + len(value), kind="PERSON", score=0.5))
                position = text.find(value, position + len(value))
        split = per_part(resolved(found), bounds)
        return [
            [span for span in spans if part.sort is Sort.PROSE or span.kind not in ("PERSON", "LOCATION")]
            for part, spans in zip(parts, split, strict=True)
        ]
