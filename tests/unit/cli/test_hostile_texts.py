"""Does any table of any command let a text do more than be read? Each function that prints one gets texts that try.

One that is not in the list below fails the first test.
"""

import ast
import io
import json
import unicodedata
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from rich.console import Console

import forebay
import forebay_agents
from forebay.cli import demo_screen, rights, send, topics, up_display
from forebay.cli.audit import commands as audit
from forebay.cli.dead_letters import printing
from forebay.cli.keys import printing as keys
from forebay.cli.people import commands as people
from forebay.cli.terminal import saying, tables
from forebay.cli.terminal.bars import Bar
from forebay.cli.terminal.live import LiveTable
from forebay.contract.records import (
    Alert,
    ApiKey,
    AuditEvent,
    Completion,
    Error,
    Message,
    RedactedRequest,
    Response,
    ReviewTask,
    Silence,
    UsageStatus,
)
from forebay.contract.wire import Delivered
from forebay.demo.summary import Summary
from forebay.kafka.topic_admin import Difference, Found
from forebay.observability.plain import shown
from forebay.operations.dead_letters.letters import DeadLetter, Group
from forebay.operations.dead_letters.preview import Fate, Preview
from forebay.operations.people.person import Row
from forebay.operations.rights import Grant, Operation, Resource
from forebay.operations.topics import TopicsReport
from forebay_agents.cache import cli as cache
from forebay_agents.completion.quotas import cli as budget
from forebay_agents.completion.quotas.operations import AccountState
from forebay_agents.completion.routing import cli as tiers
from forebay_agents.completion.routing.cli.status import _show as show_tiers
from forebay_agents.completion.routing.status import DeploymentReport, RouterReport, TierReport, TiersReport
from forebay_agents.cost import cli as cost
from forebay_agents.cost.cells import CellDifference, CellKind, CellReconciliation
from forebay_agents.cost.cli import invoices as reconciling
from forebay_agents.cost.reconciliation import Difference as Deviation
from forebay_agents.cost.reconciliation import Kind, OpenAttempt, Reconciliation
from forebay_agents.cost.spending.facts import Amounts
from forebay_agents.cost.spending.grouping import Group as SpendGroup
from forebay_agents.cost.spending.grouping import Spending
from forebay_agents.models.prices import cli as prices
from forebay_agents.models.prices.operations import Listed
from forebay_agents.notify import cli as notify
from forebay_agents.notify.operations import Firing
from forebay_agents.redaction.cli import tables as redaction
from forebay_agents.review import cli as review

HOSTILE = {
    "closing markup": "u[/red]",
    "link markup": "[link=https://x.example]y[/link]",
    "markup of a table": "[bold on red]!",
    "emoji code": ":smile:",
    "screen": "\x1b[2J\x1b[1;1H",
    "title": "\x1b]0;owned\x07",
    "OSC 8 link": "\x1b]8;;https://x.example\x1b\\click\x1b]8;;\x1b\\",
    "C1": "\x9b31m\x85",
    "overwriting": "good\rbad\x08\x08",
    "tab and lines": "a\tb\nc\x0bd\x0ce",
    "other lines": "a\u2028b\u2029c",
    "bidirectional": "\u202egnp.exe\u2066x\u2069",
    "unseen": "a\u200bb\ufeffc\xadd\U000e0041",
    "half a pair": "\ud800",
    "pile of marks": "Z" + "\u0336" * 12,
    "delete": "\x7f",
}


def letter(text: str) -> DeadLetter:
    return DeadLetter(
        letter_id=text,
        source=Delivered(topic="t", partition=0, offset=0, key=b"", value=b"", headers={}, timestamp_ms=0),
        stage=text, code=text, message=text, attempts=1, failed_at=10**20, first_failed_at=0, origin_topic=text,
        request_id=text, tenant_id=text, replays=0, replay_id=text, note=None,
    )  # fmt: skip


def scores(text: str) -> dict[str, Any]:
    rates = {"leak_rate": 0.1, "over_redaction": 0.1, "recall": 0.1, "precision": 0.1, "f2": 0.1}
    source = rates | {"texts": 1, "leak_by_entity": {text: 0.1}}
    one = rates | {
        "ms_per_text": 1, "p99_ms": 1, "mb_per_s": 1, "sources": {text: source, "another": source},
        "entities": {text: rates | {"labelled": 1}},
    }  # fmt: skip
    return {"texts": 1, "forebay": one, "stock": one}


def pairs(text: str) -> dict[str, Any]:
    row = {
        "wrong_hit_interval": (0.0, 0.1), "wrong_hit_rate": 0.0, "threshold": 0.5, "hits": 1, "wrong_hits": 0,
        "recall": None,
    }  # fmt: skip
    part = {"best": row, "recall_at_wrong_share": {"0.01": 0.5}, "area": None}
    return {"decision": row, "score": part, "cosine": part, "pairs": text, "duplicates": 0}


TABLES: dict[Callable[..., None], Callable[[str], tuple[Any, ...]]] = {
    printing.print_groups: lambda text: ([Group(
        stage=text, code=text, failure_class=text, count=1, open=1, first_failed_at=0, last_failed_at=0, new=True)],),
    printing.print_letters: lambda text: ([letter(text)],),
    printing.print_table: lambda text: ((text,), [(text,)]),
    topics.print_report: lambda text: (TopicsReport(
        topics={text: Found(partitions=1, replication=1, config={"cleanup.policy": text})},
        differences=[Difference(topic=text, key=text, wanted=text, found=text)]),),
    up_display.print_status: lambda text: ({
        "processes": [{"name": text, "state": "ready", "pid": 1, "restarts": 0}],
        "topics": {text: {"partitions": 1, "records": 1}}, "lag": {text: {text: 1}}, "lag_seconds": {text: {text: 1.0}},
    },),
    demo_screen.Screen.summary: lambda text: (demo_screen.Screen(1), Summary(
        requests=1, responses=1, statuses={text: 1}, sources={text: 1}, escalations=0, redactions={text: 1},
        dead_letters={text: 1}, cost_nanousd=1, saved_nanousd=0, saved_tier_nanousd=0,
        saved_compression_nanousd=0, unpriced_calls=0, ledger_nanousd=1, judge_nanousd=0,
        spend_per_user={text: 1}, judge_scores={text: 1}, reviews=0, alerts=0, leaks=[{"where": text}]), 1.0),
    review.print_tasks: lambda text: ([ReviewTask(review_id=text, tenant_id=text, completion=Completion(
        content=text, model=text, request=RedactedRequest(messages=(Message(content=text),))))],),
    notify.print_firing: lambda text: ([Firing(
        alert=Alert(kind=text, tenant_id=text, subject=text, summary=text), silenced_until=1)],),
    notify.print_silences: lambda text: ([Silence(
        silence_id=text, matchers={text: text}, by=text, reason=text)],),
    cost._print: lambda text: (Spending(
        by=("tenant", "user"), total=Amounts(), groups=[SpendGroup(keys=(text, text), amounts=Amounts())]),
        UTC),
    reconciling.print_cells: lambda text: (CellReconciliation(
        cells=1, agreed=0, ledger_nanousd=0, invoice_nanousd=1, unsettled=0, differences=[CellDifference(
            kind=CellKind.INVOICE_ONLY, day=text, model=text, key=text, ledger_nanousd=0, invoice_nanousd=1,
            difference_nanousd=1, percent=None, unsettled=0, ledger_tokens=0, invoice_tokens=None)]),),
    reconciling.print_calls: lambda text: (Reconciliation(
        attempts=1, lines=1, agreed=0, ledger_nanousd=0, invoice_nanousd=0,
        differences=[Deviation(kind=Kind.MODEL, attempt_id=text, request_id=text, ledger=text, invoice=text)],
        open=[OpenAttempt(
            attempt_id=text, request_id=text, status=UsageStatus.STARTED, worst_case_nanousd=1,
            billed_nanousd=None)]),),
    prices._print_listed: lambda text: ([Listed(
        deployment=text, tier=text, model=text, source=text, since=text, until=text, prices={})],),
    prices._print: lambda text: ({
        "parts": [{"kind": text, "tokens": 1, "usd_per_million": 1.0, "nanousd": 1, "as": text}],
        "from": text, "step": None, "off_peak": False, "cost_nanousd": 1, "source": text, "service_tier": text},),
    budget.print_accounts: lambda text: (
        [AccountState(whose=text, window=text, limit_nanousd=1, spent_nanousd=0, common=True)],),
    cache._print_evaluation: lambda text: (pairs(text),),
    tiers._show: lambda text: ({
        "rows": 1, "folds": 1, "quality_floor": None, "wasted_cheap_calls": 0.0,
        "policies": [{"name": text, "quality": 1.0, "cost": 1.0, "calls": {text: 1.0}}],
        "saving_at_equal_quality": {"value": 0.1, "ci95": (0.0, 0.2)}},),
    show_tiers: lambda text: (TiersReport(
        workers=1, router=RouterReport(versions=[text], first_tier={}), tiers=[TierReport(
            name=text, accept=0.5, deployments=[DeploymentReport(
                name=text, model=text, region=text, breaker=text, limit=1, max_in_flight=1, in_flight=1,
                recent_error_share=0.1, p95_s=1.0, calls=1, failed_calls=0, cost_usd=0.1)])]),),
    audit.print_events: lambda text: ([AuditEvent(
        audit_id=text, action=text, by=text, subject=text, reason=text, at=10**20, details={"outcome": text})],),
    keys.print_keys: lambda text: ([ApiKey(key_id=text, tenant_id=text, user_id=text, name=text)],),
    keys.print_key: lambda text: ({"user_id": text, "models": [text], "expires_at": 0},),
    people.print_rows: lambda text: ([Row(place=text, removed=1, left=1, until=0, how=text)],),
    rights.print_grants: lambda text: (
        [Grant(user=text, resource=Resource.TOPIC, name=text, operation=Operation.READ)],),
    redaction.show: lambda text: (scores(text),),
    redaction.show_report: lambda text: (
        [{"day": text, "tenant_id": text, "entity": text, "action": text, "count": 1}],),
}  # fmt: skip
"""Each function that prints a table, and what it is called with."""


def printers() -> set[str]:
    """``module:name`` of every function of the code that prints a table."""
    found = set()
    for package in (forebay, forebay_agents):
        root = Path(str(package.__file__)).parent
        for file in root.rglob("*.py"):
            module = ".".join((root.name, *file.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
            source = file.read_text("utf-8")
            if "print_table" in source and not module.startswith("forebay.cli.terminal"):
                found |= {f"{module}:{name}" for name in calling(ast.parse(source))}
    return found


def calling(tree: ast.AST, inside: str = "") -> set[str]:
    found = set()
    for node in ast.iter_child_nodes(tree):
        named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        name = f"{inside}.{node.name}".lstrip(".") if named else inside
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "print_table":
            found.add(name)
        found |= calling(node, name)
    return found


def test_every_function_that_prints_a_table_is_tried_here() -> None:
    tried = {f"{each.__module__}:{each.__qualname__}" for each in TABLES if isinstance(each, FunctionType)}
    assert printers() == tried


def is_text_only(output: str) -> bool:
    """Whether a terminal does nothing with ``output`` but show it, line by line."""
    bad = [char for char in output if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    return not bad and "\u0336" * 7 not in output


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("function", TABLES, ids=lambda each: f"{each.__module__}.{each.__qualname__}")
def test_a_table_shows_texts_as_texts(
    function: Callable[..., None],
    text: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "12000")
    function(*TABLES[function](text))
    output = capsys.readouterr().out
    assert is_text_only(output)
    assert shown(text).rstrip() in output


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_titles_and_styled_cells_too_and_on_a_terminal_that_obeys(text: str) -> None:
    screen = io.StringIO()
    built = tables.table((text, tables.Column(title=text)), [(text, tables.Styled(text, "bold red"))], title=text)
    Console(file=screen, force_terminal=True, width=9000, color_system=None).print(built)
    assert is_text_only(screen.getvalue())
    assert screen.getvalue().count(shown(text)) == 5


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_lines_are_shown_as_texts(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    saying.say(text)
    saying.complain(text)
    live = LiveTable()
    live.say(text, tables.Styled(text, "dim"))
    with Bar(text, 2, err=False, show=True) as bar:
        bar.say(text)
        bar.update(done=1, note=text)
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{shown(text)}\n")
    assert captured.err.startswith(f"forebay: {shown(text, lines=True)}\n")
    assert is_text_only(captured.out)
    assert is_text_only(captured.err)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_send_and_dlq_say_of_one_record_is_text(text: str) -> None:
    answer = Response(request_id=text, content=text, tier=text)
    failure = Response(request_id=text, error=Error(code=text, message=text))
    assert is_text_only(send._text(answer, 1.0))
    assert is_text_only(send._text(failure, 1.0))
    assert "\n" not in send._text(failure, 1.0)
    preview = Preview(letter=letter(text), fate=Fate.LEAVE, diff=text, problem=text)
    assert is_text_only(shown(printing.preview_text(preview), lines=True))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_json_is_exact_and_does_nothing_to_a_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    content = {"id": text, "big": 2**70, text: [text, None, 0.5]}
    saying.print_json(content)
    line = capsys.readouterr().out
    assert is_text_only(line.replace("\u0336", ""))
    assert line.count("\n") == 1
    assert json.loads(line) == content
