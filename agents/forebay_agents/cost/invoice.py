"""What does the provider say it billed? Lines of an invoice file, JSON lines or CSV, under the names in use.

A line needs an attempt id and a cost. The id goes by ``attempt_id`` or the header in which it was sent; the cost is
``cost_nanousd`` (whole nano-dollars) or ``cost_usd``, ``cost``, ``amount`` (decimal US dollars, converted exactly).
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from forebay_agents.cost.reconciliation import InvoiceLine

_IDS = ("attempt_id", "attempt id", "attempt", "x-forebay-attempt-id")
_DOLLARS = ("cost_usd", "cost", "amount", "amount_usd")
_NANO = ("cost_nanousd",)
_CURRENCY = ("currency", "currency_code")
_IS_DOLLARS = frozenset({"USD", "US$", "$"})
_DECORATION = re.compile(r"^(?:US)?\$\s*|\s*USD$|^USD\s*", re.IGNORECASE)
_AMOUNT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d{1,3})?")
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
    begin = text.lstrip()[:1]
    rows = _json_rows(text) if begin == "{" else _json_list(text) if begin == "[" else _csv_rows(text)
    for number, row in rows:
        yield _line(number, {name.strip().lower(): value for name, value in row.items()})


def _json_list(text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """One JSON array; its elements are counted instead of lines."""
    try:
        rows = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise InvoiceError("the file is no JSON array") from None
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise InvoiceError(f"line {number} is no JSON object")
        yield number, row


def _json_rows(text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError):
            raise InvoiceError(f"line {number} is not JSON") from None
        if not isinstance(row, dict):
            raise InvoiceError(f"line {number} is no JSON object")
        yield number, row


def _csv_rows(text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    table = text.lstrip("\r\n")
    skipped, head = text[: len(text) - len(table)].count("\n"), table.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(table, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        _check_columns([name.strip().lower() for name in reader.fieldnames or ()])
        for row in reader:
            if any(value for value in row.values()):
                yield skipped + reader.line_num, {name or "": value for name, value in row.items()}
    except csv.Error as error:
        raise InvoiceError(f"line {skipped + reader.line_num}: {error}") from None


def _check_columns(names: Sequence[str]) -> None:
    """A file that is no invoice should not pass for one with nothing on it."""
    if names and not (set(names) & set(_IDS) and set(names) & {*_NANO, *_DOLLARS}):
        raise InvoiceError(
            f"line 1 is no header with attempt_id and cost_nanousd or cost_usd: {', '.join(names)[:200]}"
        )
    if repeated := sorted({name for name in names if name and names.count(name) > 1}):
        raise InvoiceError(f"line 1 has several columns {', '.join(repeated)}")


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
    currency = _first(row, _CURRENCY)
    if currency is not None and str(currency).upper() not in _IS_DOLLARS:
        raise InvoiceError(f"line {number} is in {str(currency)[:8]}, and the ledger is in US dollars")
    return round(_decimal(number, str(dollars)) * 1_000_000_000)


def _decimal(number: int, text: str) -> Decimal:
    """US dollars: ``$1,234.50``, ``1234.5 USD``, ``(0.25)`` for a credit; a decimal comma is refused, not guessed."""
    credit = text.startswith("(") and text.endswith(")")
    bare = _DECORATION.sub("", text.strip("() "))
    if not _AMOUNT.fullmatch(bare):
        raise InvoiceError(f"line {number}: the cost is no number of US dollars such as 1234.50")
    try:
        amount = Decimal(bare.replace(",", ""))
        round(amount * 1_000_000_000)
    except (InvalidOperation, OverflowError):
        raise InvoiceError(f"line {number}: the cost is no number of US dollars such as 1234.50") from None
    return -amount if credit else amount


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
