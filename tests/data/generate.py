"""``python -m tests.data.generate``: write the labelled corpus that gates CI (``redaction-corpus.jsonl``).

Every template is filled several times and written in several styles: as it is, in capitals, in lower case, with typos
around the data, and (identifiers only) with the tricks of people who want to get past a filter. Seeded: the same file.
"""

import base64
import json
import os
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from tests.data.values import Values

CORPUS = Path(__file__).parent / "redaction-corpus.jsonl"
SEED = 5
NAMES = {"PERSON": "PERSON", "FIRST": "PERSON", "CITY": "LOCATION", "COUNTRY": "LOCATION", "ADDRESS": "LOCATION",
         "LINES": "LOCATION"}  # fmt: skip
OTHER = {"US_SSN_PLAIN": "US_SSN", "SPACED_CARD": "CREDIT_CARD", "HIDDEN_EMAIL": "EMAIL_ADDRESS"}
"""Slots whose entity type has another name."""
_SLOT = re.compile(r"\{([A-Z_]{3,20})\}")
_CASED = {"PERSON", "LOCATION", "EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "US_SSN", "DATE_OF_BIRTH", "IP_ADDRESS",
          "AGE", "UK_NHS", "MAC_ADDRESS", "US_PASSPORT", "US_BANK_NUMBER", "MEDICAL_RECORD"}  # fmt: skip
"""Types that stay themselves in another case; a key or a token does not."""
_TRICKED = ("CREDIT_CARD", "US_SSN", "EMAIL_ADDRESS", "IBAN_CODE", "PHONE_NUMBER")
_FULL_WIDTH = {ord("0") + digit: ord("０") + digit for digit in range(10)}

Chunk = tuple[str, str | None]


def templates() -> list[tuple[str, str]]:
    """Genre and text of all templates."""
    found, genre = [], ""
    for line in (Path(__file__).parent / "templates.txt").read_text("utf-8").splitlines():
        if re.fullmatch(r"\[[a-z]+\]", line):
            genre = line[1:-1]
        elif line and not line.startswith("#"):
            found.append((genre, line.replace("\\n", "\n").replace("\\t", "\t")))
    return found


def rows() -> Iterator[dict[str, object]]:
    """The corpus."""
    values = Values(SEED)
    rng = random.Random(SEED)
    number = 0
    for genre, template in templates():
        for style, write in STYLES.items():
            if genre == "clean" and style not in ("plain", "lower"):
                continue
            filled = list(_filled(template, values))
            labels = {label for _, label in filled if label}
            if style in ("upper", "lower") and not labels <= _CASED:
                continue
            if style == "tricks" and not labels & set(_TRICKED):
                continue
            if style == "again" and genre in ("log", "json"):
                continue
            number += 1
            yield _row(f"{genre}-{number}", f"{genre}/{style}", write(filled, rng))


def _row(row_id: str, source: str, chunks: list[Chunk]) -> dict[str, object]:
    text, spans = "", []
    for piece, label in chunks:
        if label:
            spans.append({"start": len(text), "end": len(text) + len(piece), "type": label})
        text += piece
    return {"id": row_id, "source": source, "text": text, "spans": spans}


def _filled(template: str, values: Values) -> Iterator[Chunk]:
    position = 0
    for match in _SLOT.finditer(template):
        yield template[position : match.start()], None
        slot = match[1]
        yield values.draw(slot), NAMES.get(slot) or OTHER.get(slot) or slot
        position = match.end()
    yield template[position:], None


def _plain(chunks: list[Chunk], _: random.Random) -> list[Chunk]:
    return chunks


def _upper(chunks: list[Chunk], _: random.Random) -> list[Chunk]:
    return [(text.upper(), label) for text, label in chunks]


def _lower(chunks: list[Chunk], _: random.Random) -> list[Chunk]:
    return [(text.lower(), label) for text, label in chunks]


def _typos(chunks: list[Chunk], rng: random.Random) -> list[Chunk]:
    def slip(text: str) -> str:
        words = text.split(" ")
        # Labels such as "SSN" stay readable: a person could not tell a bare number otherwise.
        long = [at for at, word in enumerate(words) if len(word) > 6 and word.isalpha() and word.islower()]
        for at in rng.sample(long, min(len(long), 2)):
            cut = rng.randrange(1, len(words[at]) - 1)
            words[at] = words[at][:cut] + words[at][cut + 1 :]
        return " ".join(words)

    return [(text if label else slip(text), label) for text, label in chunks]


def _tricks(chunks: list[Chunk], rng: random.Random) -> list[Chunk]:
    def hide(text: str, label: str | None) -> str:
        if label not in _TRICKED:
            return text
        ways: list[Callable[[str], str]] = [
            lambda value: "\u200b".join(value),
            lambda value: value.translate(_FULL_WIDTH),
            lambda value: value.replace("-", "\u2011").replace(" ", "\u00a0"),
            lambda value: "".join(f"&#{ord(char)};" if char.isdigit() else char for char in value),
        ]
        if label == "EMAIL_ADDRESS":
            ways = [lambda value: "\u200b".join(value), lambda value: quote(value, safe="")]
            ways += [lambda value: base64.b64encode(f"mail {value} now".encode()).decode()]
            ways += [lambda value: value.replace("a", "а").replace("o", "о")]
        return rng.choice(ways)(text)

    return [(hide(text, label), label) for text, label in chunks]


STYLES: dict[str, Callable[[list[Chunk], random.Random], list[Chunk]]] = {
    "plain": _plain, "again": _plain, "upper": _upper, "lower": _lower, "typos": _typos, "tricks": _tricks,
}  # fmt: skip


def main() -> None:
    """Write the file."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Some of Faker's lists are sets: without this they come in another order each time.
        command = [sys.executable, "-m", "tests.data.generate"]
        os.execve(command[0], command, os.environ | {"PYTHONHASHSEED": "0"})
    with CORPUS.open("w", encoding="utf-8") as out:
        for row in rows():
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
