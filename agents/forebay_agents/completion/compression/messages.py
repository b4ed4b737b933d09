"""What of a conversation should be sent? The completion stage's entry: :func:`compress_messages`.

Never touched: system and developer messages, the last user turn and what follows it, tool calls, and inside the rest
whatever :mod:`protection` names (code, JSON, MUST and NEVER lines). What may go is history, documents and tool results:
they are read as one text, oldest first, from which :mod:`extract` keeps what the last user turn needs; repeated
passages are dropped wherever they stand, and recent turns weigh more than old ones. Short worked examples (few-shot)
are kept or dropped whole, the most alike to the last turn first. Nothing is cut when the task is code or maths, for the
hold-out share of the traffic, or where a cached prefix is worth more (:mod:`saving`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from forebay.contract.records import Message, MessageRole
from forebay_agents.completion.compression import examples, gate
from forebay_agents.completion.compression.extract import extract
from forebay_agents.completion.compression.saving import NO_CACHE, PromptCache, billed, held_out
from forebay_agents.completion.compression.text import tokens
from forebay_agents.completion.compression.valuation.atoms import Span

_LEAST = 200  # tokens: below, there is nothing worth the risk
_RECENT = 2.0  # weight of the newest turn of the history; the oldest has 1
_PROTECTED = frozenset({MessageRole.SYSTEM, MessageRole.DEVELOPER})


@dataclass(frozen=True, kw_only=True, slots=True)
class Compressed:
    """What to send instead.

    Attributes:
        kept: for each message of the input its kept spans, half-open, in code points; none for one that was dropped.
        reason: why nothing was cut (``code``, ``maths``, ``holdout``, ``cached_prefix``, ``short``, ``protected``), or
            ``None`` when something was.
    """

    messages: tuple[Message, ...]
    tokens_before: int
    tokens_after: int
    kept: tuple[tuple[Span, ...], ...]
    reason: str | None = None


def compress_messages(
    messages: Sequence[Message],
    *,
    task: str | None = None,
    keep: float = 0.6,
    request_id: str = "",
    holdout: float = 0.0,
    cache: PromptCache = NO_CACHE,
    least_tokens: int = _LEAST,
) -> Compressed:
    """Shorten ``messages`` to at most the share ``keep`` of their tokens, unless what is protected is more.

    Pure and deterministic; 10 to 50 ms of CPU for 2,500 words.

    Args:
        task: what the request calls itself; code and maths are left alone.
        keep: share of the tokens, 0 to 1.
        holdout: share of requests, by ``request_id``, that are left alone, so that judges can tell the difference.
        cache: what the provider has of this prompt already.
        least_tokens: shorter prompts are left alone.
    """
    counts = [tokens.counter()(message.content) for message in messages]
    before = sum(counts)
    reason = _reason_against(messages, task, request_id, holdout)
    if reason is None and before < least_tokens:
        reason = "short"
    if reason is not None:
        return _untouched(messages, before, reason)
    cached = sum(counts[: cache.messages])
    ways = [("cached_prefix", _untouched(messages, before, "cached_prefix"), billed(before, cached, cache))]
    for first in sorted({0, cache.messages if cached >= cache.least_tokens and cache.discount < 1 else 0}):
        found = _cut(messages, counts, first, keep)
        # Of the prefix only what stands before the first change is still cached.
        same = 0
        for place, (message, spans) in enumerate(zip(messages, found.kept, strict=True)):
            if spans != _whole(message):
                break
            same = place + 1
        ways.append((found.reason or "", found, billed(found.tokens_after, min(cached, sum(counts[:same])), cache)))
    cut = [way for way in ways[1:] if way[1].reason is None]
    if not cut:
        return _untouched(messages, before, "protected")
    best = min(cut, key=lambda way: way[2])
    return best[1] if best[2] < ways[0][2] else ways[0][1]


def _reason_against(messages: Sequence[Message], task: str | None, request_id: str, holdout: float) -> str | None:
    last = _last_user(messages)
    if last is None:
        return "protected"
    if found := gate.reason_against(task, messages[last].content):
        return found
    return "holdout" if holdout > 0 and held_out(request_id, holdout) else None


def _last_user(messages: Sequence[Message]) -> int | None:
    return next((i for i in range(len(messages) - 1, -1, -1) if messages[i].role is MessageRole.USER), None)


def _cut(messages: Sequence[Message], counts: Sequence[int], first: int, keep: float) -> Compressed:
    """Cut what may be cut of ``messages[first:]``."""
    last = _last_user(messages)
    assert last is not None
    before = sum(counts)
    question = messages[last].content
    loose = [i for i in range(first, last) if messages[i].role not in _PROTECTED and messages[i].content.strip()]
    budget = keep * before - (before - sum(counts[i] for i in loose))
    spans: dict[int, tuple[Span, ...]] = {}
    shots = examples.pairs(messages, loose)
    if shots:
        chosen = examples.choose(messages, shots, question, counts, budget)
        spans = {i: (_whole(messages[i]) if i in chosen else ()) for i in loose}
    elif loose:
        spans = _extracted(messages, loose, question, _share(messages, loose, keep))
    kept = tuple(spans.get(i, _whole(message)) for i, message in enumerate(messages))
    result = tuple(
        replace(message, content="".join(message.content[start:end] for start, end in spans_of))
        for message, spans_of in zip(messages, kept, strict=True)
        if spans_of or not message.content or message.tool_calls or message.role is MessageRole.TOOL
    )
    after = sum(tokens.counter()(message.content) for message in result)
    if after >= before:
        return _untouched(messages, before, "protected")
    return Compressed(messages=result, tokens_before=before, tokens_after=after, kept=kept)


def _share(messages: Sequence[Message], loose: Sequence[int], keep: float) -> float:
    """Share of ``loose`` that may stay so that of everything no more than ``keep`` does, by whatever measure."""
    chosen = set(loose)
    free = tokens.measures("\n".join(messages[i].content for i in loose))
    fixed = tokens.measures("\n".join(m.content for i, m in enumerate(messages) if i not in chosen))
    return max(0.0, min((keep * (a + b) - b) / max(1, a) for a, b in zip(free, fixed, strict=True)))


def _extracted(
    messages: Sequence[Message], loose: Sequence[int], question: str, share: float
) -> dict[int, tuple[Span, ...]]:
    """Kept spans of the messages ``loose``, read as one text with a line break behind each."""
    starts, text = [], ""
    for index in loose:
        starts.append(len(text))
        text += messages[index].content + "\n"
    ends = [start + len(messages[index].content) for start, index in zip(starts, loose, strict=True)]
    weights = [
        (start, end, 1 + (_RECENT - 1) * place / max(1, len(loose) - 1))
        for place, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
    spans: dict[int, tuple[Span, ...]] = {}
    found = extract(text, question, min(share, 0.999), weights).kept
    for index, low, high in zip(loose, starts, ends, strict=True):
        inside = [(max(start, low) - low, min(end, high) - low) for start, end in found if start < high and end > low]
        spans[index] = _trimmed(messages[index].content, inside)
    return spans


def _trimmed(content: str, spans: Sequence[Span]) -> tuple[Span, ...]:
    """``spans`` without white space at the end of the last, unless everything is kept."""
    found = [span for span in spans if span[0] < span[1]]
    while found and not content[slice(*found[-1])].strip():
        found.pop()
    if found and found != [(0, len(content))]:
        start, end = found[-1]
        found[-1] = (start, start + len(content[start:end].rstrip()))
    return tuple(found)


def _whole(message: Message) -> tuple[Span, ...]:
    return ((0, len(message.content)),) if message.content else ()


def _untouched(messages: Sequence[Message], before: int, reason: str) -> Compressed:
    return Compressed(
        messages=tuple(messages),
        tokens_before=before,
        tokens_after=before,
        kept=tuple(_whole(message) for message in messages),
        reason=reason,
    )
