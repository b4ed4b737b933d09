"""How slow can a text make a reader? CPU time a character, of bred texts; what was slow is bred on."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from loadtest.hostile.fragments import Recipe, recipe, varied
from loadtest.hostile.readers import Reader

Cpu = Callable[[], float]
"""Seconds of CPU that this thread has had."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slow:
    """``recipe`` takes ``us`` microseconds of CPU a character."""

    recipe: Recipe
    us: float


def cpu_us(read: Callable[[str], object], text: str, tries: int = 1, cpu: Cpu = time.thread_time) -> float:
    """Microseconds of CPU a character: the least of some tries."""
    best = float("inf")
    for _ in range(tries):
        started = cpu()
        read(text)
        best = min(best, cpu() - started)
    return 1e6 * best / max(1, len(text))


def hunt(reader: Reader, rng: random.Random, *, length: int, each: int, rounds: int) -> list[Slow]:
    """The slowest texts for ``reader`` that were bred, the slowest first.

    Args:
        length: characters of a text.
        each: texts of each pattern.
        rounds: how often the slowest are varied.
    """
    found = [_tried(reader, one, length) for one in bred(reader, rng, each)]
    everyone = [slow.recipe for slow in found]
    for _ in range(rounds):
        found = sorted(found, key=lambda slow: -slow.us)[:12]
        for slow in list(found)[:6]:
            for _ in range(4):
                one = varied(slow.recipe, everyone, rng)
                found.append(_tried(reader, one, length))
    return sorted(found, key=lambda slow: -slow.us)


def bred(reader: Reader, rng: random.Random, each: int) -> Iterator[Recipe]:
    """``each`` texts of each of the reader's patterns."""
    for sown in reader.sown:
        for _ in range(each):
            yield recipe(sown.pattern, sown.flags, sown.hints, rng)


def grows(
    read: Callable[[str], object], one: Recipe, length: int, *, tries: int = 3, cpu: Cpu = time.thread_time
) -> float:
    """By how much CPU time grows with a text that is four times as long as ``length``: 4 if linear, 16 if squared.

    0 where both take so little that nothing can be said. Other work on the machine can only slow a try down, so each of
    the two is the least of some; whoever is linear in the first try need not be tried again.
    """
    short, long = one.text(length), one.text(4 * length)
    times = [float("inf"), float("inf")]
    ratio = 0.0
    for _ in range(tries):
        for index, text in enumerate((short, long)):
            times[index] = min(times[index], cpu_us(read, text, cpu=cpu) * len(text))
        if times[1] < _NOTHING_US:
            return 0.0
        ratio = times[1] / max(times[0], 1.0)
        if ratio < _SQUARED:
            break
    return ratio


_SLOW = 20.0
"""Microseconds a character beyond which no longer text is needed to know."""
_SQUARED = 9.0
"""Between 4 and 16: beyond it, it is worth while to try again."""
_NOTHING_US = 10_000.0
"""CPU time below which a ratio is noise."""


def _tried(reader: Reader, one: Recipe, length: int) -> Slow:
    """At a quarter of ``length``; at all of it only if that was not slow enough already."""
    short = one.text(length // 4)
    us = cpu_us(reader.read, short)
    if us > _SLOW:  # once more: it may have been the garbage collector
        us = min(us, cpu_us(reader.read, short))
    return Slow(recipe=one, us=us if us > _SLOW else cpu_us(reader.read, one.text(length)))
