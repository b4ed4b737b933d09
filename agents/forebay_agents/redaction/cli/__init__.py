"""``forebay redact``: redact lines as the stage would, score labelled texts, and report what was redacted."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from forebay.cli.terminal.saying import complain, print_json

if TYPE_CHECKING:
    from forebay_agents.redaction.offline.lines import Redactor
    from forebay_agents.redaction.offline.scoring import Labelled


class _WithDefault(TyperGroup):
    """What is no command is a file to redact: ``forebay redact FILE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["lines", *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(
    cls=_WithDefault,
    add_completion=False,
    help="Redact lines as the stage would: forebay redact [FILE|-]; or score labelled texts, or report.",
)

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
Tenant = Annotated[str, typer.Option(help="Whose rules apply.")]
_PROFILES = ("", "strict", "balanced")


@app.command(help="Redact lines of text, or JSON lines {id?, text, language?}; the default: forebay redact [FILE|-].")
def lines(
    file: Annotated[str, typer.Argument(help="Lines to redact; - is standard input.", metavar="[FILE|-]")] = "-",
    as_json: Annotated[bool, typer.Option("--json", help="Output is JSON lines in any case.")] = False,
    show_text: Annotated[bool, typer.Option("--show-text", help="Put what was found into the output.")] = False,
    tenant: Tenant = "default",
    profile: Annotated[str, typer.Option(help="strict or balanced; the tenant's unless given.")] = "",
) -> None:
    """Needs no broker and no Redis; exit status 1 when a line could not be redacted."""
    del as_json
    _known(profile)
    _there(file)
    from forebay_agents.redaction.cli.progress import counted
    from forebay_agents.redaction.offline.lines import redact_lines

    records = True if file.endswith((".jsonl", ".ndjson")) else None
    good = True
    redactor = _redactor(profile)
    with _opened(file) as raw, counted(raw, "redacting", _size(file)) as counting:
        for result in redact_lines(counting, redactor, records=records, show_text=show_text, tenant_id=tenant):
            good = good and "error" not in result
            print_json(result)
    if not good:
        raise typer.Exit(1)


@app.command(
    help="Score labelled JSON lines {text, spans: [{start, end, type}]}: leak rate, recall, precision, F2, speed."
)
def evaluate(
    files: Annotated[list[str], typer.Argument(help="Labelled JSON lines; - is standard input.", metavar="FILE…")],
    as_json: Json = False,
    baseline: Annotated[str, typer.Option(help="stock: Presidio as it comes, on the same texts.")] = "",
    tenant: Tenant = "default",
    profile: Annotated[str, typer.Option(help="strict, balanced, or both side by side.")] = "strict",
) -> None:
    """Exit status 1 when a line is no labelled text; nothing is scored then."""
    both = profile == "both"
    if not both:
        _known(profile)
    if baseline not in ("", "stock"):
        complain("--baseline knows only stock")
        raise typer.Exit(2)
    for file in files:
        _there(file)
    from forebay_agents.redaction.cli.progress import bar
    from forebay_agents.redaction.offline.evaluating import evaluation

    rows = _labelled(files)
    chosen = {one: one for one in _PROFILES[1:]} if both else {"forebay": profile or "strict"}
    redactors = {name: _redactor(one) for name, one in chosen.items()}
    found = evaluation(rows, redactors, tenant, baseline=bool(baseline), progress=bar)
    if as_json:
        print_json(found)
        return
    from forebay_agents.redaction.cli.tables import show

    show(found)


@app.command(help="Findings by entity and action of each tenant and day, from the stage's counts in Redis.")
def report(
    tenant: Annotated[str, typer.Option(help="Only of this tenant.")] = "",
    days: Annotated[int, typer.Option(min=1, max=400, help="Days, today included.")] = 7,
    as_json: Json = False,
) -> None:
    """Counts only: no value is kept."""
    import asyncio
    from dataclasses import asdict

    from forebay.contract.failures import Transient
    from forebay.embedded.installation import installation
    from forebay_agents.redaction import operations

    async def read() -> list[dict[str, Any]]:
        async with operations.open_daily(installation()) as daily:
            query = operations.ReportQuery(days=days, tenant=tenant)
            return [asdict(row) for row in await operations.report(daily, query)]

    try:
        rows = asyncio.run(read())
    except Transient as failure:
        complain(failure.message)
        raise typer.Exit(2) from None
    if as_json:
        for row in rows:
            print_json(row)
        return
    from forebay_agents.redaction.cli.tables import show_report

    show_report(rows)


@app.command(help="Say of each name and place in a text on standard input why it stays or goes.")
def explain(
    show_text: Annotated[bool, typer.Option("--show-text", help="Put what was found into the output.")] = False,
    tenant: Tenant = "default",
    profile: Annotated[str, typer.Option(help="strict or balanced; the tenant's unless given.")] = "",
) -> None:
    """One text, however many lines; exit status 1 when it could not be redacted."""
    _known(profile)
    from forebay.contract.failures import Failure
    from forebay_agents.redaction.offline.lines import explained

    text = sys.stdin.read().rstrip("\n")
    try:
        redacted = _redactor(profile).redact(text, tenant)
    except Failure as failure:
        complain(f"{failure.code}: {failure.message}")
        raise typer.Exit(1) from None
    print_json(explained(text, redacted, show_text=show_text))


def _known(profile: str) -> None:
    if profile not in _PROFILES:
        complain("--profile knows strict and balanced")
        raise typer.Exit(2)


def _redactor(profile: str) -> "Redactor":
    """With ``profile`` for all tenants, where one is named: whoever runs the command may have either."""
    from forebay.settings import load
    from forebay_agents.redaction.detection.detector import Detector
    from forebay_agents.redaction.offline.lines import Redactor
    from forebay_agents.redaction.policy import Policies
    from forebay_agents.redaction.settings import Profile, RedactionSettings

    loaded = load()
    if loaded.file.shipped:
        complain(f"no forebay.yaml here; the rules are those that are shipped: {loaded.file.name}")
    settings = loaded[RedactionSettings]
    if profile:
        settings = settings.read_with(Profile(profile))
    return Redactor(Detector(settings), Policies(settings), settings.max_chars)


def _labelled(files: list[str]) -> "list[Labelled]":
    from forebay_agents.redaction.offline.evaluating import labelled_of
    from forebay_agents.redaction.offline.lines import LineError

    rows, good = [], True
    for file in files:
        with _opened(file) as raw:
            for number, line in enumerate(raw, start=1):
                if not line.strip():
                    continue
                try:
                    rows.append(labelled_of(line, Path(file).stem))
                except LineError as error:
                    good = False
                    complain(f"{file}, line {number}: {error}")
    if not rows and good:
        complain("there is nothing to score")
    if not rows or not good:
        raise typer.Exit(1)
    return rows


def _there(file: str) -> None:
    if file != "-" and not Path(file).is_file():
        complain(f"there is no file {file}")
        raise typer.Exit(2)


def _size(file: str) -> int | None:
    return None if file == "-" else Path(file).stat().st_size


@contextmanager
def _opened(file: str) -> Iterator[Iterator[str]]:
    """The lines of a file; only a line feed ends one, and bytes that are no UTF-8 make it a bad line, not a crash."""
    if file == "-":
        yield _decoded(sys.stdin.buffer)
        return
    with Path(file).open("rb") as stream:
        yield _decoded(stream)


def _decoded(stream: Any) -> Iterator[str]:
    for line in stream:
        yield line.decode("utf-8", "surrogateescape")
