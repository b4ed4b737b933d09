"""``forebay spend reconcile`` of an invoice that has only sums: each day and model that differs is named."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from forebay.contract.json_lines import to_json
from forebay.contract.records import UsageEvent, UsageStatus
from forebay_agents.cost.cli import app


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def line(attempt: str, at: str, nanousd: int, status: UsageStatus = UsageStatus.SETTLED, **fields: Any) -> str:
    known = {"model": "openai/m", "booked_at": ms(at), "started_at": ms(at), "cost_nanousd": nanousd}
    return json.dumps(
        {"topic": "usage", "value": to_json(UsageEvent(attempt_id=attempt, status=status, **known | fields))}
    )  # type: ignore[arg-type]  # by name


LEDGER = [
    line("a", "2026-11-01T09:00", 1_000_000_000),
    line("b", "2026-11-01T23:30", 500_000_000),
    line("c", "2026-11-02T10:00", 7, model="acme/other"),
    line("d", "2026-11-02T10:00", 250_000_000),
    line("e", "2026-11-02T10:00", 900, UsageStatus.STARTED),
    line("f", "2026-11-02T10:00", 0, UsageStatus.FAILED),
    line("g", "2026-11-03T10:00", 0, UsageStatus.AVOIDED, saved_nanousd=5),
]
GOOD = "day,model,cost_usd\n2026-11-01,m,1.5\n2026-11-02,other,0.000000007\n2026-11-02,m,0.25\n"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "usage.jsonl"
    path.write_text("\n".join(LEDGER), "utf-8")
    return path


def reconcile(ledger: Path, invoice: str | bytes, *options: str) -> tuple[int, Any, str]:
    path = ledger.with_name("invoice.csv")
    path.write_bytes(invoice if isinstance(invoice, bytes) else invoice.encode())
    arguments = ["reconcile", "--invoice", str(path), "--from", str(ledger), "--json", *options]
    done = CliRunner().invoke(app, arguments)
    assert not isinstance(done.exception, Exception) or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout) if done.stdout else None, done.stderr


def kinds(found: Any) -> list[tuple[Any, ...]]:
    return [(one["kind"], one["day"], one["model"], one["difference_nanousd"]) for one in found["differences"]]


@pytest.mark.parametrize(
    "invoice",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace(",", ";"),
        GOOD + "Total,,1.750000007\n",
        GOOD + ",Grand total,1.750000007\n",
        GOOD.replace("2026-11-01,m,1.5", "2026-11-01T00:00:00Z,m,1.0\n2026-11-01,m,0.5"),
        json.dumps([{"day": "2026-11-01", "model": "m", "cost_usd": 1.5},
                    {"day": 1793577600, "model": "other", "cost_nanousd": 7},
                    {"day": "2026-11-02 00:00:00 UTC", "model": "m", "cost_usd": "$0.25"}]),
    ],
)  # fmt: skip
def test_sums_that_agree_do_in_whatever_form_they_come(ledger: Path, invoice: str | bytes) -> None:
    status, found, _ = reconcile(ledger, invoice)
    assert (status, found["differences"], found["cells"], found["agreed"]) == (0, [], 3, 3)
    assert found["ledger_nanousd"] == found["invoice_nanousd"] == 1_750_000_007
    assert found["unsettled"] == 1


def test_each_cell_that_differs_is_named_with_both_sums(ledger: Path) -> None:
    invoice = "day,model,cost_usd\n2026-11-01,m,1.6\n2026-11-02,m,0.25\n2026-11-04,m,3\n"
    status, found, _ = reconcile(ledger, invoice)
    assert status == 1
    assert kinds(found) == [
        ("different", "2026-11-01", "m", 100_000_000),
        ("ledger_only", "2026-11-02", "acme/other", -7),
        ("invoice_only", "2026-11-04", "m", 3_000_000_000),
    ]
    first = found["differences"][0]
    assert (first["ledger_nanousd"], first["invoice_nanousd"], first["percent"]) == (
        1_500_000_000,
        1_600_000_000,
        6.667,
    )


@pytest.mark.parametrize(("tolerance", "status"), [("7%", 0), ("6.24%", 1), ("0%", 1), ("0", 1)])
def test_a_sum_may_be_off_by_a_share_of_the_larger_one(ledger: Path, tolerance: str, status: int) -> None:
    invoice = GOOD.replace("1.5", "1.6")
    assert reconcile(ledger, invoice, "--tolerance", tolerance)[0] == status


def test_days_are_those_of_the_invoices_zone(ledger: Path) -> None:
    invoice = "day,model,cost_usd\n2026-11-01,m,1\n2026-11-02,m,0.75\n2026-11-02,other,0.000000007\n"
    assert reconcile(ledger, invoice)[0] == 1
    assert reconcile(ledger, invoice, "--zone", "Europe/Berlin")[0] == 0


def test_an_invoice_of_many_lines_is_summed_while_it_is_read(ledger: Path) -> None:
    one = 1_500_000_000 // 50_000
    invoice = (
        "day,model,cost_nanousd\n" + f"2026-11-01,m,{one}\n" * 50_000 + "2026-11-02,other,7\n2026-11-02,m,250000000\n"
    )
    status, found, _ = reconcile(ledger, invoice, "--tolerance", "0")
    assert (status, found["cells"], found["invoice_nanousd"]) == (0, 3, 1_750_000_007)


def test_columns_may_have_any_names(ledger: Path) -> None:
    columns = ledger.with_name("columns.yaml")
    columns.write_text("{day: Usage Date, model: Product, cost_usd: Net}", "utf-8")
    invoice = GOOD.replace("day,model,cost_usd", "Usage Date,Product,Net")
    assert reconcile(ledger, invoice)[0] == 2
    assert reconcile(ledger, invoice, "--columns", str(columns))[0] == 0
    columns.write_text("{colour: Net}", "utf-8")
    assert reconcile(ledger, invoice, "--columns", str(columns))[0] == 2


ACTIVITY = {
    "data": [
        {"date": "2026-11-01", "model": "m", "model_permaslug": "m-2026-10-01", "endpoint_id": "e-1",
         "provider_name": "Acme", "usage": 1.25, "byok_usage_inference": 0.5, "requests": 2, "prompt_tokens": 50,
         "completion_tokens": 125, "reasoning_tokens": 25},
        {"date": "2026-11-01", "model": "m", "endpoint_id": "e-2", "provider_name": "Globex", "usage": 0.25},
        {"date": "2026-11-02", "model": "m", "endpoint_id": "e-1", "provider_name": "Acme", "usage": 0.2},
        {"date": "2026-11-02", "model": "other", "endpoint_id": "e-3", "provider_name": "Acme", "usage": 7e-9},
    ]
}  # fmt: skip


@pytest.mark.parametrize("indent", [None, 2])
def test_the_answer_of_openrouters_activity_is_an_invoice(ledger: Path, indent: int | None) -> None:
    status, found, _ = reconcile(ledger, json.dumps(ACTIVITY, indent=indent), "--columns", "openrouter")
    assert (status, kinds(found)) == (1, [("different", "2026-11-02", "m", -50_000_000)])
    assert found["agreed"] == 2


def test_an_answer_without_its_list_is_no_invoice(ledger: Path) -> None:
    for invoice in ('{"data":\n[{"date": "2026-11-01"', '{\n"data": 7\n}', '{"data": [7]}'):
        status, found, said = reconcile(ledger, invoice, "--columns", "openrouter")
        assert (status, found) == (2, None)
        assert "line 1" in said


def test_a_period_cuts_both_sides(ledger: Path) -> None:
    invoice = "day,model,cost_usd\n2026-10-31,m,9\n2026-11-01,m,1.5\n"
    options = ("--since", "2026-11-01", "--until", "2026-11-02")
    assert reconcile(ledger, invoice, *options)[0] == 0


def test_keys_tell_cells_apart_where_the_invoice_has_them(ledger: Path) -> None:
    ledger.write_text("\n".join([line("a", "2026-11-01", 10, key_id="k1"), line("b", "2026-11-01", 20)]), "utf-8")
    status, found, _ = reconcile(ledger, "day,model,key,cost_nanousd\n2026-11-01,m,k1,10\n2026-11-01,m,k2,20\n")
    assert status == 1
    assert [(one["kind"], one["key"]) for one in found["differences"]] == [("ledger_only", ""), ("invoice_only", "k2")]


def test_an_invoice_with_attempts_is_compared_by_sums_on_request(ledger: Path) -> None:
    invoice = "attempt_id,day,model,cost_nanousd\nx,2026-11-01,m,1500000000\ny,2026-11-02,m,250000007\n"
    assert "error_nanousd" in reconcile(ledger, invoice)[1]
    status, found, _ = reconcile(ledger, invoice, "--by", "day,model", "--since", "2026-11-01")
    assert (status, kinds(found)) == (1, [("ledger_only", "2026-11-02", "acme/other", -7)])


@pytest.mark.parametrize(
    "invoice",
    [
        "day,model,cost_usd,currency\n2026-11-01,m,1.5,EUR\n",
        "day,model,cost_usd\n2026-11-01,m,€1.5\n",
        "day;model;cost_usd\n2026-11-01;m;1,5\n",
        "day;model;cost_usd\n2026-11-01;m;1,500\n",
        "day,model,cost_usd\nsoon,m,1.5\n",
        "day,model\n2026-11-01,m\n",
        "day,day,model,cost_usd\n2026-11-01,2026-11-01,m,1\n",
        "[1, 2]",
        b"\xff\xfe\x00",
        "day,model,cost_usd\n2026-11-01,m,1e999999999\n",
    ],
)
def test_what_is_no_invoice_is_refused_in_a_line(ledger: Path, invoice: str | bytes) -> None:
    status, found, told = reconcile(ledger, invoice)
    assert (status, found) == (2, None)
    assert told.startswith("forebay: ")


@pytest.mark.parametrize(
    "options", [("--tolerance", "some"), ("--tolerance", "-1%"), ("--by", "user"), ("--zone", "+05:30")]
)
def test_a_wrong_option_ends_with_status_2(ledger: Path, options: tuple[str, str]) -> None:
    assert reconcile(ledger, GOOD, *options)[0] == 2


@pytest.mark.parametrize("invoice", ["", "\n\n", "day,model,cost_usd\n"])
def test_an_empty_invoice_has_none_of_the_ledgers_sums(ledger: Path, invoice: str) -> None:
    status, found, _ = reconcile(ledger, invoice)
    assert (status, {one["kind"] for one in found["differences"]}) == (1, {"ledger_only"})
