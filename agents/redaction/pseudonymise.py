"""What does a request look like with pseudonyms in it? Spans in, redacted texts and their map out. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.redaction.spans import Span
from streams.pseudonyms import Numbering, PseudonymMap, parse, reserved_tags, sealed_map


@dataclass(frozen=True, kw_only=True, slots=True)
class Pseudonymised:
    """The outcome.

    Attributes:
        texts: the redacted texts, in order.
        mapping: for the vault; empty when nothing was found.
        tags: tag to value of the whole conversation, this request included.
        entities: distinct values by kind.
    """

    texts: tuple[str, ...]
    mapping: PseudonymMap
    tags: Mapping[str, str]
    entities: Mapping[str, int]


def pseudonymise(texts: Sequence[str], spans: Sequence[Sequence[Span]], known: Mapping[str, str]) -> Pseudonymised:
    """Replace each span by its pseudonym.

    Args:
        texts: the parts of a request.
        spans: for each of them, ordered and not overlapping.
        known: tag to value, from earlier turns of the conversation.
    """
    kinds = {span.kind for part in spans for span in part} | {p[0] for p in map(parse, known) if p}
    numbering = Numbering(known, reserved_tags(texts, kinds))
    redacted = [_replace(text, part, numbering) for text, part in zip(texts, spans, strict=True)]
    counts = Counter(parsed[0] for parsed in map(parse, numbering.used) if parsed)
    return Pseudonymised(
        texts=tuple(redacted),
        mapping=sealed_map(numbering.used, zip(texts, redacted, strict=True)),
        tags=numbering.all,
        entities=dict(sorted(counts.items())),
    )


def _replace(text: str, spans: Sequence[Span], numbering: Numbering) -> str:
    pieces: list[str] = []
    position = 0
    for span in spans:
        pieces += (text[position : span.start], numbering.tag_for(span.kind, text[span.start : span.end]))
        position = span.end
    pieces.append(text[position:])
    return "".join(pieces)
