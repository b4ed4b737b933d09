"""``forebay spend``: what was recorded is what is printed."""

import json

import pytest
from typer.testing import CliRunner

from forebay.contract.handlers import Output
from forebay.contract.records import Spend, WindowKind
from forebay.kafka.publisher import publish
from forebay.settings import Settings
from forebay_agents.cost.cli import app

pytestmark = pytest.mark.embedded

MIDNIGHT_MS = 1_793_750_400_000  # 2026-11-04 00:00 UTC
DAY_MS = 86_400_000
MONTH_MS = 1_793_491_200_000  # 2026-11-01 00:00 UTC


def row(model: str, **fields: object) -> Spend:
    known = {"tenant_id": "acme", "user_id": "ann", "window": WindowKind.DAY, "window_start": MIDNIGHT_MS}
    return Spend(model=model, **(known | fields))  # type: ignore[arg-type]  # any field of the record


ROWS = (
    row("openai/small", calls=1, prompt_tokens=5, cost_nanousd=10, revision=1),
    row("openai/small", calls=3, prompt_tokens=1_200, completion_tokens=34, cost_nanousd=1_234_500_000, revision=2),
    row("openai/small", calls=2, prompt_tokens=9, cost_nanousd=20, revision=1),  # late: an older revision
    row("local/large", calls=1, failed=1, cost_nanousd=1_500, pending_nanousd=2_500_000_000, revision=1),
    row("local/large", calls=7, avoided=7, saved_nanousd=70_000_000, tenant_id="other", revision=1),
    row("local/large", calls=2, cost_nanousd=40_000, window_start=MIDNIGHT_MS - DAY_MS, user_id="bob", revision=1),
    row("local/large", calls=4, cost_nanousd=99, window=WindowKind.HOUR, window_start=MIDNIGHT_MS + 3_600_000),
    row("openai/small", calls=9, cost_nanousd=98, window=WindowKind.MONTH, window_start=MONTH_MS),
)


@pytest.fixture(scope="module")
def recorded(shared_settings: Settings) -> None:
    outputs = []
    for one in ROWS:
        key = json.dumps([one.tenant_id, one.user_id, one.model, one.window.value, one.window_start])
        outputs.append(Output(topic="spend", key=key, value=one))
    publish(shared_settings, outputs)


def spend(*options: str) -> str:
    done = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"}).invoke(app, list(options))
    assert done.exit_code == 0, done.output
    return done.stdout


def as_json(*options: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in spend("--json", *options).splitlines()]


def table(*options: str) -> list[list[str]]:
    """Cells of each line that has any, but of the last, which says as of when."""
    return [line.split() for line in spend(*options).splitlines() if any(map(str.isalnum, line))][:-1]


@pytest.mark.usefixtures("recorded")
def test_json_has_the_newest_row_of_each_key_newest_window_first_and_the_total() -> None:
    *found, total = as_json()
    assert [(line["tenant"], line["user"], line["model"], line["day"]) for line in found] == [
        ("acme", "ann", "local/large", "2026-11-04T00:00:00Z"),
        ("acme", "ann", "openai/small", "2026-11-04T00:00:00Z"),
        ("other", "ann", "local/large", "2026-11-04T00:00:00Z"),
        ("acme", "bob", "local/large", "2026-11-03T00:00:00Z"),
    ]
    assert found[1]["calls"] == 3
    assert (total["total"], total["cost_nanousd"]) == (True, 1_234_500_000 + 1_500 + 40_000)


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("options", "calls"),
    [
        (["--tenant", "acme"], [1, 3, 2, 6]),
        (["--user", "bob"], [2, 2]),
        (["--tenant", "other", "--user", "bob"], [0]),
        (["--window", "hour"], [4, 4]),
        (["--window", "month"], [9, 9]),
        (["--by", "month"], [9, 9]),
        (["--top", "1"], [3, 13]),
        (["--since", "2026-11-04T01:00", "--until", "2026-11-04T02:00", "--by", "tenant"], [4, 4]),
    ],
)
def test_only_what_was_asked_for(options: list[str], calls: list[int]) -> None:
    assert [line["calls"] for line in as_json(*options)] == calls


@pytest.mark.usefixtures("recorded")
def test_people_get_a_table_with_its_total_and_since_when() -> None:
    head, *rows = table("--tenant", "acme")
    assert head == ["day", "tenant", "user", "model", "calls", "failed", "tokens", "US$", "pending"]
    assert rows == [
        ["2026-11-04", "acme", "ann", "local/large", "1", "1", "0", "0.0000015", "2.50"],
        ["2026-11-04", "acme", "ann", "openai/small", "3", "0", "1,234", "1.23", "0.00"],
        ["2026-11-03", "acme", "bob", "local/large", "2", "0", "0", "0.00004", "0.00"],
        ["total", "6", "1", "1,234", "1.23", "2.50"],
    ]
    assert "as of 20" in spend().splitlines()[-1]


@pytest.mark.usefixtures("recorded")
def test_nothing_spent_is_a_total_of_nothing() -> None:
    assert table("--tenant", "nobody")[-1] == ["total", "0", "0", "0.00"]
    assert [line["calls"] for line in as_json("--tenant", "nobody")] == [0]
