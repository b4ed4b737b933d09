"""How fast is redaction, beside Presidio as it comes, on the same texts in one run on one core?

CPU seconds of this process are counted, not the clock's. Both take turns of some texts, a tenth of a second each, so
that what else runs on the machine slows both alike, and so that each finds in the caches what a worker of its own would
(text by text, each would throw the other's weights out of them). Both engines get one thread. Warm: each has read a few
texts before, and what was loaded is frozen for the garbage collector, as in a worker. Ours can be given several texts
at once, as the stage reads requests that wait.
"""

import gc
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from forebay_agents.redaction.detection.detector import Asked, Detector, Found
from forebay_agents.redaction.detection.pool import MOST
from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.pseudonymise import pseudonymise
from forebay_agents.redaction.request_parts import Part
from forebay_agents.redaction.settings import Profile, RedactionSettings

_WARM = 20
_TURN = 2 * MOST
"""Texts of a turn."""
_LINE = (
    "Please ask Maria Lopez (maria@example.org, 212-555-0187) why invoice 4711 of 2026-03-01 costs $12.50 for 3 units. "
)


def report(file: Path, limit: int, turn: int = _TURN, at_once: int = 1) -> dict[str, Any]:
    """Figures of both on the texts of ``file`` (JSON lines with ``text``), and of ours on long texts.

    Args:
        turn: texts of a turn.
        at_once: texts that ours reads together.
    """
    lines = [line for line in file.read_text("utf-8").splitlines() if line.strip()]
    texts = [str(json.loads(line)["text"]) for line in lines][:limit]
    settings = RedactionSettings(profile=Profile.STRICT, kept_windows=0)
    detector, policies = Detector(settings), Policies(settings)
    redactor = Redactor(detector, policies, settings.max_chars)

    def together(some: Sequence[str]) -> None:
        for text, found in zip(some, detector.find_all([Asked(parts=[Part(text=t)]) for t in some]), strict=True):
            assert isinstance(found, Found)
            pseudonymise([text], found.spans, {}, policies.of("default"))

    from forebay_agents.redaction.detection.stock import Stock

    stock = Stock()
    own = _one_by_one(redactor.redact) if at_once == 1 else together
    ours, theirs = _measured(texts, (own, _one_by_one(stock.spans)), (at_once, 1), turn)
    long = {}
    for size in (25_000, 50_000, 100_000):
        text = _LINE * (size // len(_LINE))
        started = _cpu()
        redactor.redact(text)
        long[str(len(text))] = round(_cpu() - started, 2)
    return {
        "texts": len(texts),
        "characters_per_text": round(sum(map(len, texts)) / len(texts), 1),
        "at_once": at_once,
        "forebay": ours,
        "stock": theirs,
        "times_the_requests_per_core": round(theirs["cpu_ms_per_text"] / ours["cpu_ms_per_text"], 2),
        "cpu_seconds_by_characters": long,
    }


Work = Callable[[Sequence[str]], object]


def _one_by_one(work: Callable[[str], object]) -> Work:
    def done(some: Sequence[str]) -> None:
        for text in some:
            work(text)

    return done


def _measured(texts: Sequence[str], works: Sequence[Work], sizes: Sequence[int], turn: int) -> list[dict[str, float]]:
    """Figures of each of ``works``, which is given so many texts at once as ``sizes`` says."""
    for work in works:
        work(texts[:_WARM])
    gc.collect()
    gc.freeze()
    waits: list[list[float]] = [[] for _ in works]
    spent = [0.0] * len(works)
    for number, start in enumerate(range(0, len(texts), turn)):
        for index in range(len(works)):
            own = (index + number) % len(works)
            for low in range(start, min(start + turn, len(texts)), sizes[own]):
                some = texts[low : min(low + sizes[own], start + turn)]
                begun, started = time.perf_counter(), _cpu()
                works[own](some)
                spent[own] += _cpu() - started
                waits[own] += [1000 * (time.perf_counter() - begun)] * len(some)
    gc.unfreeze()
    return [_figures(sorted(own), used) for own, used in zip(waits, spent, strict=True)]


def _figures(waits: Sequence[float], spent: float) -> dict[str, float]:
    return {
        "cpu_ms_per_text": round(1000 * spent / len(waits), 3),
        "texts_per_cpu_second": round(len(waits) / spent, 1),
        "p50_ms": round(waits[len(waits) // 2], 2),
        "p99_ms": round(waits[int(0.99 * len(waits))], 2),
    }


def _cpu() -> float:
    """CPU seconds of all threads of this process."""
    return time.process_time()
