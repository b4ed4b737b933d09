"""How are the recognisers run? By Presidio's AnalyzerEngine, over a pipeline that does nothing.

The engine as it comes runs spaCy on every text and asks every recogniser for its entities on every call. Here the
pipeline is blank (the names model brings its own encoder), look-ups are made once, and all recognisers share the cheap
facts of a text. Any recogniser of Presidio's can still be added.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from forebay.settings import ConfigurationError
from forebay_agents.redaction.detection.pace import LONG, breathe
from forebay_agents.redaction.detection.recognizers.custom import CustomRecogniser
from forebay_agents.redaction.detection.recognizers.facts import Facts
from forebay_agents.redaction.detection.recognizers.fields.columns import columns
from forebay_agents.redaction.detection.recognizers.fields.forms_abroad import forms_abroad
from forebay_agents.redaction.detection.recognizers.fields.labels_abroad import abroad
from forebay_agents.redaction.detection.recognizers.fields.pairs import pairs
from forebay_agents.redaction.detection.recognizers.hints import NONE, Hints
from forebay_agents.redaction.detection.recognizers.identifiers.accounts import accounts
from forebay_agents.redaction.detection.recognizers.identifiers.american import american
from forebay_agents.redaction.detection.recognizers.identifiers.card_codes import card_codes
from forebay_agents.redaction.detection.recognizers.identifiers.financial import financial
from forebay_agents.redaction.detection.recognizers.identifiers.government import government
from forebay_agents.redaction.detection.recognizers.identifiers.proven import proven
from forebay_agents.redaction.detection.recognizers.identifiers.vehicles import vehicles
from forebay_agents.redaction.detection.recognizers.personal.addresses import addresses
from forebay_agents.redaction.detection.recognizers.personal.ages import ages
from forebay_agents.redaction.detection.recognizers.personal.contact import contact
from forebay_agents.redaction.detection.recognizers.personal.network import network
from forebay_agents.redaction.detection.recognizers.personal.particulars import personal
from forebay_agents.redaction.detection.recognizers.personal.phones import announced_phones, phones
from forebay_agents.redaction.detection.recognizers.personal.spoken import spoken
from forebay_agents.redaction.detection.recognizers.personal.streets import streets
from forebay_agents.redaction.detection.recognizers.personal.streets_abroad import streets_abroad
from forebay_agents.redaction.detection.recognizers.presidio import National, national
from forebay_agents.redaction.detection.recognizers.rules import RuleRecognizer, RuleTable
from forebay_agents.redaction.detection.recognizers.secrets.access_codes import doors
from forebay_agents.redaction.detection.recognizers.secrets.commands import commands
from forebay_agents.redaction.detection.recognizers.secrets.keys import keys
from forebay_agents.redaction.detection.recognizers.secrets.passwords import passwords
from forebay_agents.redaction.detection.recognizers.secrets.private_keys import private_keys
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.settings import RedactionSettings

_LANGUAGE = "en"
_OF_MODELS = ("PERSON", "LOCATION")


class Artifacts(NlpArtifacts):
    """What a blank pipeline says of a text: its facts, and nothing that a model would know."""

    def __init__(self, text: str, hints: Hints = NONE) -> None:
        self.facts = Facts(text=text, hints=hints)
        self.entities: list[Any] = []
        self.tokens: Any = []
        self.tokens_indices: list[int] = []
        self.lemmas: list[str] = []
        self.keywords: list[str] = []
        self.scores: list[float] = []


class BlankPipeline(NlpEngine):
    """A pipeline without a model."""

    def load(self) -> None:
        """Nothing to load."""

    def is_loaded(self) -> bool:
        """Always."""
        return True

    def process_text(self, text: str, language: str) -> Artifacts:
        """The facts of ``text``."""
        return Artifacts(text)

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **_: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """The facts of each text."""
        for text in texts:
            yield text, Artifacts(text)

    def is_stopword(self, word: str, language: str) -> bool:
        """Not known."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Whether no letter or digit is in ``word``."""
        return not any(map(str.isalnum, word))

    def get_supported_entities(self) -> list[str]:
        """None."""
        return []

    def get_supported_languages(self) -> list[str]:
        """One, for which all recognisers are registered."""
        return [_LANGUAGE]


class _Unenhanced(ContextAwareEnhancer):
    """Our recognisers look at their context themselves."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(self, text: str, raw_results: list[RecognizerResult], *_: Any, **__: Any) -> Any:
        """Leave the scores as they are."""
        return raw_results


class _Registry(RecognizerRegistry):
    """A registry that never changes."""

    def get_recognizers(self, *_: Any, **__: Any) -> list[EntityRecognizer]:
        """All of them: copying and matching all recognisers against 60 entities costs 0.3 ms a call."""
        return list(self.recognizers)


class Engine(AnalyzerEngine):
    """Presidio's engine with its look-ups made once.

    Args:
        recognisers: all of them.
        pipeline: blank, or one of Presidio's with a model.
    """

    def __init__(self, recognisers: Sequence[EntityRecognizer], pipeline: Any) -> None:
        self._names = sorted({entity for recogniser in recognisers for entity in recogniser.supported_entities})
        self._tables = _tabled(recognisers)
        hinted = (*self._tables, *recognisers)
        self._hints = Hints.together(
            one.hints for one in hinted if isinstance(one, RuleTable | RuleRecognizer | National)
        )
        self._blank = isinstance(pipeline, BlankPipeline)
        self._batching: Any = getattr(recognisers[0], "analyze_batch", None) if len(recognisers) == 1 else None
        super().__init__(
            registry=_Registry(recognizers=list(recognisers), supported_languages=[_LANGUAGE]),
            nlp_engine=pipeline,
            supported_languages=[_LANGUAGE],
            context_aware_enhancer=_Unenhanced(),
        )

    def get_supported_entities(self, language: str | None = None) -> list[str]:
        """Entity types that can be found."""
        return self._names

    def _enhance_using_context(self, text: str, raw_results: Any, *_: Any) -> Any:
        return raw_results

    def spans(self, text: str, min_score: float) -> list[Span]:
        """Findings with at least ``min_score``; they may overlap."""
        return self.spans_of([text], min_score)[0]

    def spans_of(self, texts: Sequence[str], min_score: float) -> list[list[Span]]:
        """Findings in each text, as :meth:`spans`; recognisers that can read several texts at once do."""
        if not self._blank:
            return [_spans(self.analyze(text, _LANGUAGE, score_threshold=min_score), min_score) for text in texts]
        if self._batching is not None:
            return [_spans(results, min_score) for results in self._batching(texts)]
        return [self._found(text, min_score) for text in texts]

    def _found(self, text: str, min_score: float) -> list[Span]:
        """As analyze() finds them, without what it looks up, traces and copies: 0.2 ms a text.

        Nor are findings inside others of their kind dropped: :func:`forebay_agents.redaction.detection.spans.resolved`
        unites them.
        """
        artifacts = Artifacts(text, self._hints)
        facts = artifacts.facts
        long = len(text) > LONG
        found: list[Span] = []
        for one in self._tables:
            if isinstance(one, RuleTable):
                for rule in one.asked(facts):
                    for start, end, score in rule.find(facts):
                        if score >= min_score:
                            found.append(Span(start, end, rule.kind, round(score, 3)))
                    if long:
                        breathe()
            else:
                found += _spans(one.analyze(text, self._names, artifacts), min_score)
            if long:
                breathe()
        return found


def _tabled(recognisers: Sequence[EntityRecognizer]) -> tuple[RuleTable | EntityRecognizer, ...]:
    """``recognisers`` in order, those made of nothing but rules that stand together as one: a look instead of 21."""
    found: list[RuleTable | EntityRecognizer] = []
    for only_rules, together in groupby(recognisers, lambda one: type(one) is RuleRecognizer):
        if only_rules:
            found.append(RuleTable(rule for one in together if isinstance(one, RuleRecognizer) for rule in one.rules))
        else:
            found += together
    return tuple(found)


def _spans(results: Iterable[RecognizerResult], min_score: float) -> list[Span]:
    return [
        Span(found.start, found.end, found.entity_type, round(float(found.score), 3))
        for found in results
        if found.score >= min_score
    ]


def structured() -> list[EntityRecognizer]:
    """Recognisers of everything that has a form; of two that are equally sure of one place the first one wins."""
    return [
        financial(), card_codes(), accounts(), contact(), spoken(), phones(), announced_phones(),
        private_keys(), keys(), commands(), passwords(), network(), american(), government(), personal(),
        ages(), vehicles(), doors(), addresses(), streets(), streets_abroad(), forms_abroad(), abroad(),
        national(), proven(), columns(), pairs(),
    ]  # fmt: skip


def structured_engine(settings: RedactionSettings) -> Engine:
    """The engine without names and places: of identifiers, of hidden writings, and of languages not supported."""
    timeout_s = settings.custom_timeout_ms / 1000
    return Engine(
        [*structured(), *(CustomRecogniser(custom, timeout_s) for custom in settings.custom)], BlankPipeline()
    )


def names_engine(settings: RedactionSettings) -> Engine | None:
    """The engine of people and places. Raises :class:`ConfigurationError` when its model is not installed."""
    chosen, _, model = settings.names.partition(":")
    match chosen:
        case "builtin":
            from forebay_agents.redaction.detection.names.encoder.readings import Readings
            from forebay_agents.redaction.detection.names.head import loaded
            from forebay_agents.redaction.detection.names.lexical import SHIPPED
            from forebay_agents.redaction.detection.names.recogniser import NamesRecogniser

            path = Path(model) if model else SHIPPED
            if not path.is_file():
                raise ConfigurationError(f"redaction.names: there is no file {path}")
            readings = Readings(settings.kept_windows) if settings.kept_windows else None
            return Engine([NamesRecogniser(loaded(path), settings.threshold, readings)], BlankPipeline())
        case "spacy":
            from forebay_agents.redaction.detection.stock import spacy_pipeline, spacy_recogniser

            return Engine([spacy_recogniser(_OF_MODELS)], spacy_pipeline(model))
        case "gliner" | "transformers":
            return Engine([_foreign(chosen, model)], BlankPipeline())
        case "none":
            return None
    raise ConfigurationError(
        f"redaction.names {settings.names!r} is not known: builtin, builtin:FILE, spacy, gliner:…, transformers:…, none"
    )


def _foreign(chosen: str, model: str) -> EntityRecognizer:
    from presidio_analyzer import predefined_recognizers as own

    try:
        if chosen == "gliner":
            recogniser: EntityRecognizer = own.GLiNERRecognizer(model_name=model or "urchade/gliner_multi_pii-v1")
        else:
            recogniser = own.HuggingFaceNerRecognizer(model_name=model)
    except ImportError as error:
        raise ConfigurationError(
            f"redaction.names {chosen} needs a package that is not installed: {error.name}"
        ) from None
    return recogniser
