"""What does an invoice say that has only sums? Lines by day and model, under the names that a map gives them.

Every export has its own names of columns, so a map says which is which: ``day``, ``model``, ``cost_usd`` (or
``cost_nanousd``), and where there are any ``key`` and ``tokens``. A total is left out: it is the others again.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from forebay.operations.choices import InvalidChoiceError
from forebay_agents.cost.cells import SumLine
from forebay_agents.cost.invoice import InvoiceError, cost_of, first_of, rows_of, whole_of

_DEFAULT = {
    "day": ("day", "date"),
    "model": ("model",),
    "cost_usd": ("cost_usd", "cost", "amount", "amount_usd"),
    "cost_nanousd": ("cost_nanousd",),
    "key": ("key", "key_id"),
    "tokens": ("tokens", "total_tokens"),
}
PRESETS: Mapping[str, Mapping[str, str]] = {
    # GET /api/v1/activity, as openrouter.ai/docs/api/api-reference/analytics describes it: sums of the last 30 whole
    # days in UTC by model and endpoint, in dollars. What is paid to a provider directly is `byok_usage_inference`.
    "openrouter": {"day": "date", "model": "model", "cost_usd": "usage"},
}
"""Columns of exports whose documentation was read, by name."""
_TOTAL = re.compile(r"(?:grand |sub)?(?:total|sum)\b.*", re.IGNORECASE)
_EPOCH = re.compile(r"\d{9,10}|\d{12,13}")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%|0")

Columns = Mapping[str, tuple[str, ...]]
"""Our names to those in the file, in lower case."""


def columns_of(path: Path | None) -> Columns:
    """The columns that a map names, or one of :data:`PRESETS`, and for the others those in use.

    Raises:
        InvoiceError: the file is no such map.
        OSError: it cannot be read.
    """
    if path is None:
        return _DEFAULT
    if (preset := PRESETS.get(str(path))) is not None:
        return _DEFAULT | {ours: (theirs,) for ours, theirs in preset.items()}
    try:
        given = yaml.safe_load(path.read_text("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise InvoiceError(f"{path} is no YAML") from None
    if not isinstance(given, dict) or not all(isinstance(name, str) for pair in given.items() for name in pair):
        raise InvoiceError(f"{path} is no map of our columns to theirs, such as `day: usage_date`")
    if unknown := sorted(set(given) - set(_DEFAULT)):
        raise InvoiceError(f"{path}: there is no column {unknown[0]!r}; there are {', '.join(_DEFAULT)}")
    return _DEFAULT | {ours: (theirs.strip().lower(),) for ours, theirs in given.items()}


def tolerance_of(text: str) -> Decimal:
    """A share, from a percentage: ``0.5%``. Raises :class:`InvalidChoiceError`."""
    if not (found := _PERCENT.fullmatch(text.strip())):
        raise InvalidChoiceError("--tolerance is a percentage, such as 0.5%")
    return Decimal(found[1] or 0) / 100


def has_attempts(path: Path) -> bool:
    """Whether the invoice says what each call cost. Raises as :func:`read_sums` does."""
    for _, row in rows_of(path):
        return "attempt_id" in row or "attempt id" in row or "attempt" in row or "x-forebay-attempt-id" in row
    return False


def read_sums(path: Path, columns: Columns, zone: tzinfo) -> Iterator[SumLine]:
    """Lines of ``path``, CSV or JSON; a time with a zone of its own is of the day that it is in ``zone``.

    Raises:
        InvoiceError: the file is none; the message names the line.
        OSError: it cannot be read.
    """
    for number, row in rows_of(path):
        day = first_of(row, columns["day"])
        if day is None or _TOTAL.fullmatch(str(day)):
            if _is_total(row):
                continue
            raise InvoiceError(f"line {number} has no {' or '.join(columns['day'])}: --columns says what it is called")
        model = first_of(row, columns["model"])
        if model is None:
            raise InvoiceError(
                f"line {number} has no {' or '.join(columns['model'])}: --columns says what it is called"
            )
        key = first_of(row, columns["key"])
        named = set(columns["key"]) & set(row)
        yield SumLine(
            day=_day(number, day, zone),
            model=str(model),
            key=str(key or "") if named else None,
            cost_nanousd=cost_of(number, row, columns["cost_nanousd"], columns["cost_usd"]),
            tokens=whole_of(number, row, columns["tokens"]),
        )


def _is_total(row: Mapping[str, Any]) -> bool:
    return any(isinstance(value, str) and _TOTAL.fullmatch(value.strip()) for value in row.values())


def _day(number: int, given: object, zone: tzinfo) -> str:
    text = str(given).strip()
    try:
        if _EPOCH.fullmatch(text):
            seconds = Decimal(text) / (1000 if len(text) > 10 else 1)
            moment = datetime.fromtimestamp(float(seconds), UTC)
        else:
            moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except (ValueError, OverflowError, OSError, InvalidOperation):
        raise InvoiceError(f"line {number}: {text[:40]!r} is no day such as 2026-11-01") from None
    return (moment if moment.tzinfo is None else moment.astimezone(zone)).date().isoformat()
