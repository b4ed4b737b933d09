"""What is a labelled text? One whose people and places are marked; it is taken apart by its marks, and put together."""

from collections.abc import Sequence
from dataclasses import dataclass

Chunk = tuple[str, str | None]
"""A piece of text, and its label if it has one."""
PERSON, PLACE, IGNORED = "PERSON", "LOCATION", "IGNORED"
"""Labels; nothing is learnt from IGNORED words: firms and mail addresses made of names are neither right nor wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """A text and its labelled spans: start, end, label."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def joined(chunks: Sequence[Chunk]) -> Labelled:
    """Chunks of text with their labels as one labelled text."""
    pieces: list[str] = []
    spans: list[tuple[int, int, str]] = []
    length = 0
    for piece, label in chunks:
        if label is not None and piece:
            spans.append((length, length + len(piece), label))
        pieces.append(piece)
        length += len(piece)
    return Labelled(text="".join(pieces), spans=tuple(spans))


def apart(row: Labelled) -> list[Chunk]:
    """The inverse of :func:`joined`."""
    chunks: list[Chunk] = []
    position = 0
    for start, end, label in row.spans:
        chunks += [(row.text[position:start], None), (row.text[start:end], label)]
        position = end
    chunks.append((row.text[position:], None))
    return chunks
