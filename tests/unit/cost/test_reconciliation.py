"""Ledger against invoice: files as providers write them, and every way to differ."""

import json
from pathlib import Path

import pytest

from forebay.contract.records import UsageEvent, UsageStatus
from forebay.operations.choices import InvalidChoiceError
from forebay_agents.cost.invoice import InvoiceError, read_invoice
from forebay_agents.cost.period import Period
from forebay_agents.cost.reconciliation import InvoiceLine, Kind, newest_entries, reconcile


def _settled(attempt: str, **fields: object) -> UsageEvent:
    values: dict[str, object] = {
        "model": "openai/gpt-4o-mini",
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost_nanousd": 45,
        "started_at": 1_000,
    }
    return UsageEvent(attempt_id=attempt, status=UsageStatus.SETTLED, **values | fields)  # type: ignore[arg-type]


LINE = InvoiceLine(attempt_id="1", cost_nanousd=45, model="gpt-4o-mini", prompt_tokens=10, completion_tokens=5)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("invoice.jsonl", '{"attempt_id": "1", "cost_nanousd": 45, "prompt_tokens": 10, "headers": {}}\n\n'),
        ("invoice.csv", "attempt_id,model,prompt_tokens,completion_tokens,cost_nanousd\n1,gpt-4o-mini,10,5,45\n"),
        ("dollars.csv", "Attempt_ID;Model;Tokens;Cost\n1;gpt-4o-mini;15;0.000000045\n"),
        ("excel.csv", "\ufeffattempt_id,cost_usd\r\n1,$0.000000045\r\n"),
        ("dollars.jsonl", '{"attempt_id": "1", "cost_usd": 4.5e-8}'),
        ("array.json", '[\n {"Attempt_ID": "1", "cost_nanousd": 45}]\n'),
        ("blank-first.csv", "\n\nattempt_id;cost_usd;currency\n1;0.000000045 USD;usd\n"),
        ("quoted.csv", 'attempt_id,note,cost_usd\n1,"two\nlines, one cell",US$ 0.000000045\n'),
    ],
)
def test_invoices_are_read_as_they_come(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, "utf-8", newline="")
    [line] = read_invoice(tmp_path / name)
    assert (line.attempt_id, line.cost_nanousd) == ("1", 45)
    assert reconcile([_settled("1")], [line]).differences == []


@pytest.mark.parametrize(
    ("cost", "nano"),
    [("$1,234.50", 1_234_500_000_000), ("(0.25)", -250_000_000), ("-1", -1_000_000_000), (".5", 500_000_000)],
)
def test_dollars_as_people_write_them(tmp_path: Path, cost: str, nano: int) -> None:
    path = tmp_path / "invoice.csv"
    path.write_text(f"attempt_id;cost\n1;{cost}\n", "utf-8")
    assert [line.cost_nanousd for line in read_invoice(path)] == [nano]


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "[]", "attempt_id,cost_usd\n"])
def test_an_invoice_may_be_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "invoice"
    path.write_text(text, "utf-8")
    assert list(read_invoice(path)) == []


def test_every_line_that_nobody_knows_is_a_difference_of_its_own() -> None:
    lines = [InvoiceLine(attempt_id=name, cost_nanousd=cost) for name, cost in (("", 1), ("", 2), ("x", 4), ("x", 8))]
    found = reconcile([], lines)
    assert [(item.kind, item.attempt_id, item.difference_nanousd) for item in found.differences] == [
        (Kind.UNKNOWN, "", 1),
        (Kind.UNKNOWN, "", 2),
        (Kind.UNKNOWN, "x", 4),
        (Kind.UNKNOWN, "x", 8),
    ]
    assert found.error_nanousd == 15


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"attempt_id": "1", "cost_nanousd": 1}\nno json\n', "line 2 is not JSON"),
        ('{"cost_nanousd": 1}\n', "line 1 has no attempt_id"),
        ('{"attempt_id": "1"}\n', "line 1 has no cost"),
        ('{"attempt_id": "1", "cost_nanousd": 1.5}\n', "no whole number"),
        ("attempt_id,cost_usd\n1,much\n", "line 2: the cost is no number"),
        ("attempt_id;cost_usd\n1;0,0012\n", "line 2: the cost is no number of US dollars"),
        ("attempt_id,cost_usd\n1,€1\n", "line 2: the cost is no number of US dollars"),
        ("attempt_id,cost_usd\n1,$\n", "line 2: the cost is no number of US dollars"),
        ("attempt_id,cost_usd\n1,nan\n", "line 2: the cost is no number of US dollars"),
        ("attempt_id,cost_usd,currency\n1,1.5,EUR\n", "line 2 is in EUR"),
        ("date,total\n", "line 1 is no header"),
        ("attempt_id,cost_usd,cost_usd\n1,1,2\n", "several columns cost_usd"),
        ("[1]", "line 1 is no JSON object"),
        ("[{", "no JSON array"),
    ],
)
def test_what_is_no_invoice_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "invoice"
    path.write_text(text, "utf-8")
    with pytest.raises(InvoiceError, match=said):
        list(read_invoice(path))


def test_sums_of_dollars_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "invoice.jsonl"
    rows = [{"attempt_id": str(n), "cost_usd": "0.1"} for n in range(10)]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert sum(line.cost_nanousd for line in read_invoice(path)) == 1_000_000_000


@pytest.mark.parametrize(
    ("entries", "lines", "kinds", "error"),
    [
        ([_settled("1")], [LINE], [], 0),
        ([], [LINE], [Kind.UNKNOWN], 45),
        ([_settled("1")], [LINE, LINE], [Kind.BILLED_TWICE], 45),
        ([_settled("1")], [], [Kind.NOT_BILLED], 45),
        ([_settled("1", cost_nanousd=40)], [LINE], [Kind.COST], 5),
        ([_settled("1", prompt_tokens=11)], [LINE], [Kind.TOKENS], 0),
        ([_settled("1", model="openai/gpt-4o")], [LINE], [Kind.MODEL], 0),
        ([UsageEvent(attempt_id="1", status=UsageStatus.FAILED)], [LINE], [Kind.BILLED_FAILURE], 45),
        ([UsageEvent(attempt_id="1", status=UsageStatus.FAILED)], [], [], 0),
        ([UsageEvent(attempt_id="1", status=UsageStatus.AVOIDED)], [], [], 0),
        ([UsageEvent(attempt_id="1", status=UsageStatus.STARTED)], [LINE], [], 0),
    ],
)
def test_every_difference_has_its_name(
    entries: list[UsageEvent], lines: list[InvoiceLine], kinds: list[Kind], error: int
) -> None:
    result = reconcile(entries, lines)
    assert [item.kind for item in result.differences] == kinds
    assert result.error_nanousd == error
    assert result.agreed == (0 if kinds or entries[0].status is not UsageStatus.SETTLED else 1)


def test_differences_do_not_cancel_out() -> None:
    lines = [InvoiceLine(attempt_id="1", cost_nanousd=50), InvoiceLine(attempt_id="2", cost_nanousd=40)]
    result = reconcile([_settled("1"), _settled("2")], lines)
    assert result.ledger_nanousd == result.invoice_nanousd
    assert result.error_nanousd == 10


def test_what_nobody_saw_end_is_open_with_its_worst_case_and_its_bill() -> None:
    opened = UsageEvent(attempt_id="1", status=UsageStatus.STARTED, cost_nanousd=900)
    declared = UsageEvent(attempt_id="2", status=UsageStatus.UNSETTLED, cost_nanousd=800)
    result = reconcile([opened, declared], [LINE])
    assert [(item.worst_case_nanousd, item.billed_nanousd) for item in result.open] == [(900, 45), (800, None)]


def test_the_order_of_entries_does_not_matter() -> None:
    opened = UsageEvent(attempt_id="1", status=UsageStatus.STARTED)
    for entries in ([opened, _settled("1")], [_settled("1"), opened]):
        assert newest_entries(entries)["1"].status is UsageStatus.SETTLED


def test_a_period_cuts_both_sides() -> None:
    early, late = _settled("1", started_at=1_000), _settled("2", started_at=2_000)
    lines = [LINE, InvoiceLine(attempt_id="2", cost_nanousd=45), InvoiceLine(attempt_id="9", cost_nanousd=1)]
    entries, kept = Period(since=1_500, until=None).cut([early, late], lines)
    assert entries == [late]
    assert [line.attempt_id for line in kept] == ["2", "9"], "a call that the ledger lacks belongs to every period"


def test_periods_are_times_or_ages() -> None:
    assert Period.of("2h", "", now_ms=10_000_000).since == 2_800_000
    assert Period.of("1970-01-01T00:01", "").since == 60_000
    assert Period.of("1970-01-01T01:00+01:00", "").since == 0
    with pytest.raises(InvalidChoiceError):
        Period.of("yesterday", "")


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_invoice_is_read_line_by_line(tmp_path: Path, form: str) -> None:
    head = "attempt_id,cost_usd\n" if form == "csv" else ""
    line = "a-{},0.5\n" if form == "csv" else '{{"attempt_id": "a-{}", "cost_usd": 0.5}}\n'
    path = tmp_path / "invoice"
    path.write_bytes((head + "".join(line.format(number) for number in range(50_000))).encode() + b"\xff\n")
    lines = read_invoice(path)
    assert next(lines).attempt_id == "a-0", "before the end is known, which is no text"
    with pytest.raises(InvoiceError, match="not UTF-8"):
        list(lines)


def test_rows_may_be_shorter_or_longer_than_the_header_and_blank_lines_stand_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "invoice.csv"
    path.write_bytes(b"\r\n\nattempt_id,cost_usd,model\r\na,1\r\n\r\n,,\r\nb,2,m,more\r\nc,x\r\n")
    lines = read_invoice(path)
    assert [(line.attempt_id, line.cost_nanousd, line.model) for line in (next(lines), next(lines))] == [
        ("a", 1_000_000_000, None),
        ("b", 2_000_000_000, "m"),
    ]
    with pytest.raises(InvoiceError, match="line 8"):
        next(lines)
