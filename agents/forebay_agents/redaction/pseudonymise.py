"""What does a request look like with pseudonyms in it? Spans in, redacted texts and their map out. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from forebay.privacy.pseudonym_variants import reserved_tags
from forebay.privacy.pseudonyms import Numbering, PseudonymMap, parse
from forebay.privacy.restoring import sealed_map
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.policy import Policy


@dataclass(frozen=True, kw_only=True, slots=True)
class Pseudonymised:
    """The outcome.

    Attributes:
        texts: the redacted texts, in order.
        mapping: for the vault; empty when there is nothing to restore.
        tags: tag to value of the whole conversation, this request included.
        entities: distinct values by kind.
        actions: findings by kind and action.
    """

    texts: tuple[str, ...]
    mapping: PseudonymMap
    tags: Mapping[str, str]
    entities: Mapping[str, int]
    actions: Mapping[tuple[str, str], int] = field(default_factory=dict)


def pseudonymise(
    texts: Sequence[str],
    spans: Sequence[Sequence[Span]],
    known: Mapping[str, str],
    policy: Policy | None = None,
    stand_in: Callable[[str], str] | None = None,
) -> Pseudonymised:
    """Replace each span by what the policy says: by its pseudonym, unless it says otherwise.

    Args:
        texts: the parts of a request.
        spans: for each of them, ordered and not overlapping.
        known: tag to value, from earlier turns of the conversation.
        stand_in: gives a tag's surrogate; tags stay themselves without it.
    """
    policy = policy or Policy()
    kinds = {span.kind for part in spans for span in part} | {p[0] for p in map(parse, known) if p}
    numbering = Numbering(known, reserved_tags(texts, kinds))
    values: dict[str, set[str]] = {}
    actions: Counter[tuple[str, str]] = Counter()
    written: dict[str, str] = {}

    def replace(kind: str, value: str) -> tuple[str, str]:
        """What stands in place of ``value``, and what that will be restored to."""
        values.setdefault(kind, set()).add(value)
        actions[kind, policy.action(kind).value] += 1
        gone = policy.replaced(kind, value)
        if gone is not None:
            return gone, gone
        tag = numbering.tag_for(kind, value)
        if tag not in written:
            written[tag] = stand_in(tag) if stand_in else tag
        return written[tag], value

    pairs = [_replaced(text, part, replace) for text, part in zip(texts, spans, strict=True)]
    mapping = _map({written[tag]: value for tag, value in numbering.used.items()}, pairs)
    if mapping is None and stand_in is not None:
        return pseudonymise(texts, spans, known, policy)  # a stand-in became ambiguous beside the text: tags never do
    if mapping is None:
        raise ValueError("redacted text does not restore to the original")
    return Pseudonymised(
        texts=tuple(redacted for _, redacted in pairs),
        mapping=mapping,
        tags=numbering.all,
        entities={kind: len(values[kind]) for kind in sorted(values)},
        actions=actions,
    )


def _map(originals: Mapping[str, str], pairs: Sequence[tuple[str, str]]) -> PseudonymMap | None:
    if not originals:
        return PseudonymMap()
    try:
        return sealed_map(originals, pairs)
    except ValueError:
        return None


def _replaced(text: str, spans: Sequence[Span], replace: Callable[[str, str], tuple[str, str]]) -> tuple[str, str]:
    """What the text will be restored to, and the redacted text."""
    expected: list[str] = []
    redacted: list[str] = []
    position = 0
    for span in spans:
        between = text[position : span.start]
        stands, restored = replace(span.kind, text[span.start : span.end])
        expected += (between, restored)
        redacted += (between, stands)
        position = span.end
    expected.append(text[position:])
    redacted.append(text[position:])
    return "".join(expected), "".join(redacted)
