"""Which worked examples should a prompt take along? Those most alike to the question, whole, in their order.

Half an example teaches a wrong format, so few-shot turns are never cut inside.
"""

import math
from collections import Counter
from collections.abc import Sequence

from forebay.contract.records import Message, MessageRole
from forebay_agents.completion.compression.text.units import Kind, words_of

_LEAST_PAIRS = 3
_SHORT_ANSWER = 40  # words: what examples are answered with; conversations ramble
_ALWAYS = 1  # the last example, nearest to the question, shows the format

Pair = tuple[int, int]


def pairs(messages: Sequence[Message], loose: Sequence[int]) -> list[Pair]:
    """User and assistant turns by place, if all of ``loose`` is such pairs with short answers; else nothing."""
    if len(loose) < 2 * _LEAST_PAIRS or len(loose) % 2:
        return []
    found = list(zip(loose[::2], loose[1::2], strict=True))
    fits = all(
        messages[asked].role is MessageRole.USER
        and messages[answered].role is MessageRole.ASSISTANT
        and not messages[answered].tool_calls
        and len(messages[answered].content.split()) <= _SHORT_ANSWER
        and len(messages[asked].content.split()) >= len(messages[answered].content.split())
        for asked, answered in found
    )
    return found if fits else []


def choose(
    messages: Sequence[Message], shots: Sequence[Pair], question: str, counts: Sequence[int], budget: float
) -> set[int]:
    """Places of the messages to keep, at most ``budget`` tokens of them but at least one example."""
    stems = [_stems(messages[asked].content) for asked, _ in shots]
    frequency = Counter(stem for own in stems for stem in own)
    rarity = {stem: math.log1p(len(shots) / count) for stem, count in frequency.items()}
    wanted = _stems(question)
    ranked = sorted(range(len(shots)), key=lambda i: (-sum(rarity[s] for s in stems[i] & wanted), -i))
    last = len(shots) - _ALWAYS
    chosen = {last}
    spent = sum(counts[i] for i in shots[last])
    for place in ranked:
        cost = sum(counts[i] for i in shots[place])
        if place not in chosen and spent + cost <= budget:
            chosen.add(place)
            spent += cost
    return {index for place in chosen for index in shots[place]}


def _stems(text: str) -> frozenset[str]:
    return frozenset(word.stem for word in words_of(text) if word.kind is not Kind.FUNCTION and word.stem)
