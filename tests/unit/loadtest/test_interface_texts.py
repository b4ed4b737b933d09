"""Sentences of programs' translations: by language, none with a gap in it, the same for the same seed."""

import struct
import zipfile
from pathlib import Path

from loadtest.interface_texts import rows


def _catalogue(texts: dict[str, str]) -> bytes:
    """A ``.mo`` file (GNU gettext): header, two tables of lengths and places, the texts."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **texts}.items())
    body, tables, at = b"", [b"", b""], 28 + 16 * len(pairs)
    for column in (0, 1):
        for pair in pairs:
            text = pair[column].encode()
            tables[column] += struct.pack("<II", len(text), at + len(body))
            body += text + b"\0"
    header = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return header + tables[0] + tables[1] + body


def _wheel(folder: Path) -> Path:
    wheel = folder / "program.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        german = {f"Save it {n}.": f"Speichern Sie das als Nummer {n}." for n in range(9)}
        german |= {"Hello %s": "Guten Tag, lieber %s", "Save": "Speichern", "Same words here": "Same words here"}
        archive.writestr("program/locale/de/LC_MESSAGES/django.mo", _catalogue(german))
        archive.writestr(
            "program/locale/ja/LC_MESSAGES/django.mo",
            _catalogue({"Saved.": "\u4fdd\u5b58\u3057\u307e\u3057\u305f\u3088\u3002\u3002"}),
        )
        archive.writestr("program/locale/xx/LC_MESSAGES/django.mo", _catalogue({"Save it.": "a b c d"}))
    return wheel


def test_sentences_are_drawn_by_language_and_nothing_that_is_none(tmp_path: Path) -> None:
    found = rows([_wheel(tmp_path)], count=4, seed=3)
    assert [row["source"] for row in found] == ["de"] * 4 + ["ja"]
    assert all(str(row["text"]).startswith("Speichern Sie das als Nummer") for row in found[:4])
    assert found == rows([_wheel(tmp_path)], count=4, seed=3)
    assert all(row["spans"] == [] for row in found)
