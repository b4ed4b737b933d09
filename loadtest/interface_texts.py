"""Which ordinary sentences are there in many languages, nobody's name in them? What programs say on their screens.

Translations of programs (``locale/LANGUAGE/LC_MESSAGES/*.mo``, in wheels as they come from a registry), drawn at
random, as lines that ``forebay redact evaluate`` reads: without a label, by language. ``python -m
loadtest.interface_texts WHEEL…``
"""

import gettext
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

LANGUAGES = ("ar", "de", "es", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr",
             "vi", "zh_Hans")  # fmt: skip
_CATALOGUE = re.compile(r"/locale/(\w+)/LC_MESSAGES/\w+\.mo$")
_UNFILLED = re.compile(r"[%{}<>\\\n]|\b[A-Z_]{3,}\b|https?:")
"""What is no sentence as anybody writes it: gaps to be filled, tags, constants."""
_WORDS, _LETTERS = 3, 8
"""Of a sentence at least; letters count where words are not parted by blanks."""
_BLANKLESS = ("ja", "th", "zh_Hans")


def rows(wheels: Sequence[Path], count: int, seed: int) -> list[dict[str, object]]:
    """At most ``count`` sentences of each language, each as ``{"source", "text", "spans"}``."""
    drawn = Random(seed)
    found: list[dict[str, object]] = []
    every = sentences(wheels)
    for language in LANGUAGES:
        own = sorted(every.get(language, ()))
        for text in drawn.sample(own, min(count, len(own))):
            found.append({"source": language, "text": text, "spans": []})
    return found


def sentences(wheels: Iterable[Path]) -> dict[str, set[str]]:
    """By language, what the catalogues in ``wheels`` have of :data:`LANGUAGES`."""
    found: dict[str, set[str]] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                match = _CATALOGUE.search(name)
                if match and match[1] in LANGUAGES:
                    texts = _texts(archive.read(name))
                    found.setdefault(match[1], set()).update(text for text in texts if _sentence(text, match[1]))
    return found


def _texts(catalogue: bytes) -> Iterable[str]:
    translations = gettext.GNUTranslations(io.BytesIO(catalogue))
    known: dict[object, str] = vars(translations)["_catalog"]  # there is no other way to ask for all of them
    return [text for said, text in known.items() if text != said]


def _sentence(text: str, language: str) -> bool:
    if _UNFILLED.search(text):
        return False
    return len(text) >= _LETTERS if language in _BLANKLESS else text.count(" ") >= _WORDS - 1


if __name__ == "__main__":
    for row in rows([Path(wheel) for wheel in sys.argv[1:]], count=120, seed=1):
        print(json.dumps(row, ensure_ascii=False))
