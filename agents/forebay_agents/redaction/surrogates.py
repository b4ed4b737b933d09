"""What may stand in place of a tag for models that stumble over tags? A made-up name or town.

Identifiers keep their tags: a made-up address or number may be somebody's, and the egress guard would stop it.

Drawn by Faker from the tag and a seed of the request or conversation, so that a tag gets the same stand-in again.
Values that occur in the request are never drawn: the way back must be unambiguous.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from forebay.privacy.pseudonyms import parse
from forebay.settings import ConfigurationError

_LOCALES = {
    "en": "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "it": "it_IT", "pt": "pt_PT", "nl": "nl_NL",
    "pl": "pl_PL", "sv": "sv_SE", "da": "da_DK",
}  # fmt: skip
_TRIES = 20


class Surrogates:
    """Makes stand-ins.

    Args:
        seed: of the request, or of the conversation: the same seed, the same stand-ins.
        language: ISO 639-1; names are drawn from a country that speaks it.
        texts: what the request says.
    """

    def __init__(self, seed: str, language: str | None, texts: Iterable[str]) -> None:
        try:
            from faker import Faker
        except ImportError:
            raise ConfigurationError("redaction.surrogates needs the package Faker") from None
        self._faker: Any = Faker(_LOCALES.get(language or "en", "en_US"))
        self._seed = seed
        self._said = "\n".join(texts).casefold()
        self._taken: set[str] = set()
        self._answers: dict[str, bool] = {}
        self._makers: dict[str, Callable[[], str]] = {
            "PERSON": lambda: f"{self._faker.first_name()} {self._faker.last_name()}",
            "LOCATION": self._faker.city,
        }

    def of(self, tag: str) -> str:
        """The stand-in of ``tag``; the tag itself for kinds that have none."""
        parsed = parse(tag)
        make = self._makers.get(parsed[0]) if parsed else None
        if make is None:
            return tag
        code = hashlib.sha256(f"{self._seed}/{tag}".encode()).digest()
        self._faker.seed_instance(int.from_bytes(code[:8], "big"))
        for _ in range(_TRIES):
            value = str(make()).replace("\n", ", ")
            words = value.casefold().replace("@", " ").split()
            if value not in self._taken and not any(map(self._is_said, words)):
                self._taken.add(value)
                return value
        return tag

    def _is_said(self, word: str) -> bool:
        """Whether the request has ``word``; names are drawn again and again, and each is looked for once."""
        known = self._answers.get(word)
        if known is None:
            known = self._answers[word] = len(word) > 2 and word in self._said
        return known
