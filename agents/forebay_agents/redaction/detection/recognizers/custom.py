"""How are recognisers from the configuration run? As Presidio's pattern recogniser, but a time-out fails closed.

Presidio skips a pattern that takes too long, which leaks; here the request fails instead.
"""

import re
from collections.abc import Sequence
from typing import Any

import regex
from presidio_analyzer import Pattern, PatternRecognizer, RecognizerResult

from forebay.contract.failures import Permanent
from forebay.settings import ConfigurationError
from forebay_agents.redaction.detection.recognizers.rules import BEFORE
from forebay_agents.redaction.settings import Custom


class CustomRecogniser(PatternRecognizer):
    """One recogniser from the configuration.

    Args:
        custom: its description.
        timeout_s: longest time on one text, in seconds.
    """

    name: str

    def __init__(self, custom: Custom, timeout_s: float) -> None:
        if not custom.regex and not custom.words:
            raise ConfigurationError(f"redaction.custom: {custom.entity} needs a regex or words")
        parts = [custom.regex] if custom.regex else []
        if custom.words:
            parts.append(rf"(?<!\w)(?:{'|'.join(map(re.escape, custom.words))})(?!\w)")
        try:
            self._compiled = [regex.compile(part, regex.IGNORECASE | regex.MULTILINE) for part in parts]
        except regex.error as error:
            raise ConfigurationError(f"redaction.custom: the regex of {custom.entity} is wrong: {error}") from None
        self._words = tuple(word.lower() for word in custom.context)
        self._timeout_s = timeout_s
        super().__init__(
            supported_entity=custom.entity,
            name=f"custom_{custom.entity}",
            patterns=[Pattern(custom.entity, part, custom.score) for part in parts],
        )
        self._score = custom.score

    def analyze(
        self, text: str, entities: Sequence[str], nlp_artifacts: Any = None, regex_flags: int | None = None
    ) -> list[RecognizerResult]:
        """See Presidio. Raises ``Permanent("redaction_failed")`` when a pattern takes too long."""
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        low = text.lower() if self._words else ""
        found = []
        for pattern in self._compiled:
            try:
                for match in pattern.finditer(text, timeout=self._timeout_s):
                    start, end = match.span()
                    if start < end and self._announced(low, start, end):
                        entity = self.supported_entities[0]
                        found.append(RecognizerResult(entity, start, end, self._score, recognition_metadata=metadata))
            except TimeoutError:
                raise Permanent(
                    "redaction_failed", f"the custom pattern of {self.supported_entities[0]} took too long"
                ) from None
        return found

    def _announced(self, low: str, start: int, end: int) -> bool:
        near = low[max(0, start - BEFORE) : end + BEFORE]
        return not self._words or any(word in near for word in self._words)
