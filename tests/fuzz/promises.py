"""What does redaction promise of any text? Both fuzzers, the mutator and the one led by coverage, ask here."""

import time

from prometheus_client import CollectorRegistry

from forebay.observability.metrics import Metrics
from forebay.privacy.egress import EgressGuard
from forebay.privacy.restoring import Restorer
from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.pseudonymise import pseudonymise
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import RedactionSettings

SECONDS = 5.0
"""CPU time of a text of at most 5,000 characters: a thousand times what it takes."""


class Promises:
    """Holds redaction to its word."""

    def __init__(self) -> None:
        settings = RedactionSettings()
        self._detector = Detector(settings)
        self._policy = Policies(settings).of("default")
        self._guard = EgressGuard(metrics=Metrics(CollectorRegistry()))

    def hold(self, text: str) -> None:
        """Redact ``text``. Raises ``AssertionError`` naming the promise that it breaks."""
        started = time.process_time()
        [spans] = self._detector.find(Asked(parts=[Part(text=text)])).spans
        end = 0
        for span in spans:
            assert end <= span.start < span.end <= len(text), f"spans overlap or leave the text: {text!a}"
            end = span.end
        result = pseudonymise([text], [spans], {}, self._policy)
        [redacted] = result.texts
        borders = [0, *(place for span in spans for place in (span.start, span.end)), len(text)]
        kept = [text[low:high] for low, high in zip(borders[::2], borders[1::2], strict=True)]
        at = 0
        for piece in kept:
            found = redacted.find(piece, at)
            assert found >= 0, f"what is no finding was changed: {text!a}"
            at = found + len(piece)
        assert Restorer(result.mapping).restore(redacted) == text, f"it is not restored: {text!a}"
        # Of identifiers only: in text full of broken characters a part of a name may be a word to the guard and none to
        # a reader. The request is then blocked, and nothing leaves.
        hits = self._guard.check([redacted])
        assert hits == [], f"the guard finds {hits}: {text!a}"
        spent = time.process_time() - started
        assert spent < SECONDS, f"it took {spent:.1f} s: {text[:200]!a}"
