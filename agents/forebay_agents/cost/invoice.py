"""What does the provider say it billed? Lines of an invoice file, JSON lines or CSV, under the names in use.

A line needs an attempt id and a cost. The id goes by ``attempt_id`` or the header in which it was sent; the cost is
``cost_nanousd`` (whole nano-dollars) or ``cost_usd``, ``cost``, ``amount`` (decimal US dollars, converted exactly).
"""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from forebay_agents.cost.reconciliation import InvoiceLine

_IDS = ("attempt_id", "attempt id", "attempt", "x-forebay-attempt-id")
_DOLLARS = ("cost_usd", "cost", "amount", "amount_usd")
_NANO = ("cost_nanousd",)
_TOTALS = frozenset({"total", "sum", "grand total", "subtotal"})
_CURRENCY = ("currency", "currency_code")
_IS_DOLLARS = frozenset({"USD", "US$", "$"})
_DECORATION = re.compile(r"^(?:US)?\$\s*|\s*USD$|^USD\s*", re.IGNORECASE)
_AMOUNT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d{1,3})?")
_DELIMITER = "(delimiter)"
"""Column with what stands between columns: where that is no comma, one in an amount may be a decimal comma."""
_PROMPT = ("prompt_tokens", "input_tokens")
_COMPLETION = ("completion_tokens", "output_tokens")
_TOTAL = ("total_tokens", "tokens")


class InvoiceError(ValueError):
    """The file is no invoice; the message names the line."""


Columns = Callable[[Sequence[str]], None]
"""Raises :class:`InvoiceError` if a file with these columns, in lower case, is no invoice."""


def read_invoice(path: Path) -> Iterator[InvoiceLine]:
    """Lines of ``path``; empty ones are skipped. Raises :class:`InvoiceError` and ``OSError``."""
    for number, row in rows_of(path, _check_columns):
        if str(first_of(row, _IDS) or "").lower() not in _TOTALS:
            yield _line(number, row)


def rows_of(path: Path, check: Columns = lambda _: None) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Lines of a CSV or JSON file, numbered, with names in lower case. Raises as :func:`read_invoice` does."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            begin = next((line.lstrip()[0] for line in file if line.strip()), "")
        # A line at a time: an invoice may have a million.
        with path.open(encoding="utf-8-sig", newline="\n" if begin == "{" else "") as file:
            if begin in ("{", "["):
                for number, row in _json_rows(file) if begin == "{" else _json_list(file.read()):
                    yield number, {name.strip().lower(): value for name, value in row.items()}
            else:
                yield from _csv_rows(file, check)
    except UnicodeDecodeError:
        raise InvoiceError(f"{path} is not UTF-8") from None


def _json_list(text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """One JSON array; its elements are counted instead of lines."""
    try:
        rows = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise InvoiceError("the file is no JSON array") from None
    return _objects(rows)


def _json_rows(lines: Iterable[str]) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """A line an object; or one object of any lines with a list ``data``, as APIs answer: then that is counted."""
    rest, alone = iter(lines), True
    for number, line in enumerate(rest, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError):
            row = _document(line + "".join(rest)) if alone else None
            if row is None:
                raise InvoiceError(f"line {number} is not JSON") from None
        if not isinstance(row, dict):
            raise InvoiceError(f"line {number} is no JSON object")
        if alone and isinstance(listed := row.get("data"), list):
            yield from _objects(listed)
        else:
            yield number, row
        alone = False


def _document(text: str) -> Any:
    """An answer of an API with its list ``data``; ``None`` if it is none."""
    try:
        found = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("data"), list) else None


def _objects(rows: Iterable[Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise InvoiceError(f"line {number} is no JSON object")
        yield number, row


def _csv_rows(lines: Iterable[str], check: Columns) -> Iterator[tuple[int, Mapping[str, Any]]]:
    skipped, head, rest = 0, "", iter(lines)
    for head in rest:
        if head.strip("\r\n"):
            break
        skipped += 1
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(chain([head], rest), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, ())]
        check(names)
        if repeated := sorted({name for name in names if name and names.count(name) > 1}):
            raise InvoiceError(f"line 1 has several columns {', '.join(repeated)}")
        for cells in reader:
            if any(cells):
                row: dict[str, Any] = dict(zip_longest(names, cells[: len(names)]))
                row[_DELIMITER] = delimiter
                yield skipped + reader.line_num, row
    except csv.Error as error:
        raise InvoiceError(f"line {skipped + reader.line_num}: {error}") from None


def _check_columns(names: Sequence[str]) -> None:
    """A file that is no invoice should not pass for one with nothing on it."""
    if names and not (set(names) & set(_IDS) and set(names) & {*_NANO, *_DOLLARS}):
        raise InvoiceError(
            f"line 1 is no header with attempt_id and cost_nanousd or cost_usd: {', '.join(names)[:200]}"
        )


def _line(number: int, row: Mapping[str, Any]) -> InvoiceLine:
    attempt_id = first_of(row, _IDS)
    if attempt_id is None:
        attempt_id = ""  # a billed call without our header: nobody's, and that is a difference
        if not any(name in row for name in _IDS):
            raise InvoiceError(f"line {number} has no attempt_id")
    model = first_of(row, ("model",))
    return InvoiceLine(
        attempt_id=str(attempt_id),
        cost_nanousd=cost_of(number, row),
        model=None if model is None else sys.intern(str(model)),
        prompt_tokens=whole_of(number, row, _PROMPT),
        completion_tokens=whole_of(number, row, _COMPLETION),
        total_tokens=whole_of(number, row, _TOTAL),
    )


def first_of(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first of these columns that has anything in it."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str):
            value = value.strip()
        if value not in (None, ""):
            return value
    return None


def cost_of(
    number: int, row: Mapping[str, Any], nanos: Iterable[str] = _NANO, in_dollars: Iterable[str] = _DOLLARS
) -> int:
    """Nano-dollars of a line. Raises :class:`InvoiceError`: there is no cost, or it is not in US dollars."""
    nano = whole_of(number, row, nanos)
    if nano is not None:
        return nano
    dollars = first_of(row, in_dollars)
    if dollars is None:
        raise InvoiceError(f"line {number} has no cost_nanousd and no cost_usd")
    currency = first_of(row, _CURRENCY)
    if currency is not None and str(currency).upper() not in _IS_DOLLARS:
        raise InvoiceError(f"line {number} is in {str(currency)[:8]}, and the ledger is in US dollars")
    text = str(dollars)
    if "," in text and "." not in text and row.get(_DELIMITER, ",") != ",":  # 1,234 is 1.234 there, or 1234
        raise InvoiceError(f"line {number}: the cost is no number of US dollars such as 1234.50")
    return round(_decimal(number, text) * 1_000_000_000)


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


def whole_of(number: int, row: Mapping[str, Any], names: Iterable[str]) -> int | None:
    """A whole number in the first of these columns that has anything. Raises :class:`InvoiceError`."""
    value = first_of(row, names)
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
