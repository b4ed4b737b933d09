"""What does the provider say it billed? Lines of an invoice file, JSON lines or CSV, under the names in use.

A line needs an attempt id and a cost. The id goes by ``attempt_id`` or the header in which it was sent; the cost is
``cost_nanousd`` (whole nano-dollars) or ``cost_usd``, ``cost``, ``amount`` (decimal US dollars, converted exactly).
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from agents.cost.reconciliation import InvoiceLine

_IDS = ("attempt_id", "attempt id", "attempt", "x-forebay-attempt-id")
_DOLLARS = ("cost_usd", "cost", "amount", "amount_usd")
_NANO = ("cost_nanousd",)
_PROMPT = ("prompt_tokens", "input_tokens")
_COMPLETION = ("completion_tokens", "output_tokens")
_TOTAL = ("total_tokens", "tokens")


class InvoiceError(ValueError):
    """The file is no invoice; the message names the line."""


def read_invoice(path: Path) -> Iterator[InvoiceLine]:
    """Lines of ``path``; empty ones are skipped. Raises :class:`InvoiceError` and ``OSError``."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InvoiceError(f"{path} is not UTF-8") from None
    rows = _json_rows(text) if text.lstrip().startswith("{") else _csv_rows(text)
    for number, row in rows:
        yield _line(number, row)


def _json_rows(text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=Decimal)
        except ValueError:
            raise InvoiceError(f"line {number} is not JSON") from None
        if not isinstance(row, dict):
            raise InvoiceError(f"line {number} is no JSON object")
        yield number, row


def _csv_rows(text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    lines = text.splitlines()
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    reader = csv.DictReader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            if any(value for value in row.values()):
                yield reader.line_num, {(name or "").strip().lower(): value for name, value in row.items()}
    except csv.Error as error:
        raise InvoiceError(f"line {reader.line_num}: {error}") from None


def _line(number: int, row: Mapping[str, Any]) -> InvoiceLine:
    attempt_id = _first(row, _IDS)
    if attempt_id is None:
        attempt_id = ""  # a billed call without our header: nobody's, and that is a difference
        if not any(name in row for name in _IDS):
            raise InvoiceError(f"line {number} has no attempt_id")
    model = _first(row, ("model",))
    return InvoiceLine(
        attempt_id=str(attempt_id),
        cost_nanousd=_cost(number, row),
        model=None if model is None else str(model),
        prompt_tokens=_whole(number, row, _PROMPT),
        completion_tokens=_whole(number, row, _COMPLETION),
        total_tokens=_whole(number, row, _TOTAL),
    )


def _first(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    for name in names:
        value = row.get(name)
        if isinstance(value, str):
            value = value.strip()
        if value not in (None, ""):
            return value
    return None


def _cost(number: int, row: Mapping[str, Any]) -> int:
    nano = _whole(number, row, _NANO)
    if nano is not None:
        return nano
    dollars = _first(row, _DOLLARS)
    if dollars is None:
        raise InvoiceError(f"line {number} has no cost_nanousd and no cost_usd")
    try:
        return round(Decimal(str(dollars).removeprefix("$")) * 1_000_000_000)
    except (InvalidOperation, ValueError, OverflowError):
        raise InvoiceError(f"line {number}: the cost is no number") from None


def _whole(number: int, row: Mapping[str, Any], names: Iterable[str]) -> int | None:
    value = _first(row, names)
    if value is None:
        return None
    try:
        given = Decimal(str(value))
        whole = int(given)
    except (InvalidOperation, ValueError, OverflowError):
        whole, given = 0, Decimal("NaN")
    if given != whole:
        raise InvoiceError(f"line {number}: {next(iter(names))} is no whole number")
    return whole
