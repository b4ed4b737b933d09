"""What did each model answer to each prompt, was it right, and what did it cost? Recorded rows, read and checked.

``{"id"?, "prompt"?, "models": {name: {"answer"?, "correct": 0|1|score, "cost": x, "confidence"?: p, "logprob"?: x}}}``,
one a line. ``logprob`` is the mean log-probability of the answer's tokens; ``confidence`` wins over it. Costs may be in
any unit, scores in any range where more is better.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forebay.contract.json_lines import InvalidLineError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One model's answer to one prompt; ``confidence`` is NaN where there is none."""

    correct: float
    cost: float
    answer: str | None = None
    confidence: float = math.nan


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One prompt and what models made of it."""

    prompt: str
    models: Mapping[str, Outcome]
    row_id: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows that have every tier, side by side; tiers from the cheapest.

    Attributes:
        quality, cost, confidence: one row a prompt, one column a tier.
        left_out: rows that lacked a tier.
    """

    tiers: tuple[str, ...]
    prompts: tuple[str, ...]
    answers: tuple[tuple[str | None, ...], ...]
    quality: Array
    cost: Array
    confidence: Array
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.prompts)


def read(lines: Iterable[str], bad: Callable[[int, str], None]) -> list[Row]:
    """All rows; ``bad`` hears of lines that are none, by number and reason."""
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(row_of(line))
        except InvalidLineError as error:
            bad(number, str(error))
    return rows


def row_of(line: str) -> Row:
    """Raises :class:`InvalidLineError`; the message never quotes the text."""
    try:
        content = json.loads(line.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        raise InvalidLineError("the line is not JSON") from None
    models = content.get("models") if isinstance(content, dict) else None
    if not isinstance(models, dict) or not models:
        raise InvalidLineError("a line must be an object with models: {name: {correct, cost}}")
    prompt = content.get("prompt")
    return Row(
        prompt=prompt if isinstance(prompt, str) else "",
        models={name: _outcome(given) for name, given in models.items()},
        row_id=content.get("id"),
    )


def _outcome(given: Any) -> Outcome:
    if not isinstance(given, dict):
        raise InvalidLineError("each model must be an object with correct and cost")
    correct, cost = _number(given.get("correct")), _number(given.get("cost"))
    if math.isnan(correct) or math.isnan(cost) or cost < 0:
        raise InvalidLineError("correct and cost must be numbers, and cost not negative")
    confidence, logprob = _optional(given, "confidence"), _optional(given, "logprob")
    if not (math.isnan(confidence) or 0 <= confidence <= 1):
        raise InvalidLineError("confidence must be between 0 and 1")
    if math.isnan(confidence) and not math.isnan(logprob):
        confidence = math.exp(min(0.0, logprob))
    answer = given.get("answer")
    return Outcome(
        correct=correct,
        cost=cost,
        answer=answer if answer is None or isinstance(answer, str) else json.dumps(answer),
        confidence=confidence,
    )


def _optional(given: Mapping[str, Any], key: str) -> float:
    value = given.get(key)
    if value is not None and not isinstance(value, int | float):
        raise InvalidLineError(f"{key} must be a number")
    return _number(value)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else math.nan


def table(rows: Sequence[Row], tiers: Sequence[str] | None = None) -> Table:
    """Rows as arrays.

    Args:
        tiers: models to use; by default those that nearly all rows have, or the most that many rows share.

    Raises:
        ValueError: no row has all tiers, or a tier is in no row.
    """
    if not rows:
        raise ValueError("there are no rows")
    counts: dict[str, int] = {}
    for row in rows:
        for name in row.models:
            counts[name] = counts.get(name, 0) + 1
    names = list(dict.fromkeys(tiers)) if tiers else _shared(rows, counts)
    for name in names:
        if name not in counts:
            raise ValueError(f"no row has the model {name!r}")
    complete = [row for row in rows if all(name in row.models for name in names)]
    if not names or not complete:
        raise ValueError("no row has all the models")
    names.sort(key=lambda name: sum(row.models[name].cost for row in complete))
    outcomes = [[row.models[name] for name in names] for row in complete]
    return Table(
        tiers=tuple(names),
        prompts=tuple(row.prompt for row in complete),
        answers=tuple(tuple(outcome.answer for outcome in found) for found in outcomes),
        quality=np.array([[outcome.correct for outcome in found] for found in outcomes]),
        cost=np.array([[outcome.cost for outcome in found] for found in outcomes]),
        confidence=np.array([[outcome.confidence for outcome in found] for found in outcomes]),
        left_out=len(rows) - len(complete),
    )


def _shared(rows: Sequence[Row], counts: Mapping[str, int]) -> list[str]:
    """The models that nearly all rows have; if those are fewer than two, as many as make the largest table."""
    most = [name for name, count in counts.items() if count >= 0.9 * len(rows)]
    if len(most) > 1 or len(counts) < 2:
        return most or list(counts)
    order = sorted(counts, key=lambda name: -counts[name])

    def cells(size: int) -> int:
        return (size - 1) * sum(all(name in row.models for name in order[:size]) for row in rows)

    return order[: max(range(2, len(order) + 1), key=cells)]
