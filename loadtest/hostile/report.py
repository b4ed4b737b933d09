"""Which reader is too slow, and on what text? The hunt over all of them, a line each.

The garbage collector is as calm as in a worker: with Python's threshold it looks again and again at all that a text of
thousands of findings makes. Limits are for a core that nobody shares: what the core was like is measured beside each
text, by the yardstick, and the text's time is scaled by it.
"""

import random
from collections.abc import Iterator
from typing import Any

from forebay.runtime.worker import calm_collector
from loadtest.hostile.hunting import cpu_us, hunt
from loadtest.hostile.readers import Reader, readers
from loadtest.yardstick import QUIET_MS, yardstick_ms

LENGTH = 100_000
"""Characters for which the limits are."""
_BRED = 6_000
"""Characters of a text that is bred."""
_HOPELESS = 50.0
"""Microseconds a character beyond which the long text is not read: it would take the rest of the day."""


def report(only: str, seed: int, each: int, rounds: int) -> Iterator[dict[str, Any]]:
    """What was the slowest of each reader whose name has ``only`` in it.

    Args:
        each: texts bred for each pattern.
        rounds: how often the slowest are varied.
    """
    every = readers()
    calm_collector()
    for reader in every:
        if only in reader.name:
            yield _worst(reader, random.Random(f"{seed} {reader.name}"), each, rounds)


def _worst(reader: Reader, rng: random.Random, each: int, rounds: int) -> dict[str, Any]:
    slowest = hunt(reader, rng, length=_BRED, each=each, rounds=rounds)[:3]
    measured = [(*_us(reader, slow.us, slow.recipe.text(LENGTH)), slow.recipe) for slow in slowest]
    scaled, us, worst = max(measured, key=lambda one: one[0])
    seconds = scaled * LENGTH / 1e6
    return {
        "reader": reader.name,
        "patterns": len(reader.sown),
        "cpu_s": round(us * LENGTH / 1e6, 3),
        "scaled_s": round(seconds, 3),
        "limit_s": reader.limit_s,
        "ok": seconds <= reader.limit_s,
        "text": [worst.start, worst.unit, worst.end],
    }


def _us(reader: Reader, us: float, text: str) -> tuple[float, float]:
    """Microseconds a character, as on a core that nobody shares, and as measured."""
    before = yardstick_ms()
    us = us if us > _HOPELESS else cpu_us(reader.read, text, 3)
    return us * QUIET_MS / max(QUIET_MS, min(before, yardstick_ms())), us
