"""``forebay demo``: the main job on the embedded stack, shown and checked."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.terminal.saying import say
from forebay.resources import data_path

if TYPE_CHECKING:
    from forebay.cli.demo_screen import Screen

app = typer.Typer(add_completion=False)

_TIMEOUT_S = 240.0


@app.command(help="Run the embedded stack, push the examples through all stages, show what came out, check it, stop.")
def demo(
    examples: Annotated[Path | None, typer.Option(help="JSON lines; those of examples/requests.jsonl if none.")] = None,
    personal_data: Annotated[
        Path | None,
        typer.Option(help="Values that may appear nowhere but at the edges; examples/personal-data.txt if none."),
    ] = None,
    data_dir: Annotated[Path, typer.Option(help="Where the stack keeps its data; emptied first.")] = Path(
        ".forebay/demo"
    ),
    report: Annotated[Path, typer.Option(help="Where the result is written as JSON.")] = Path(".forebay/demo.json"),
) -> None:
    """Exit status 0 only if every request was answered, nothing leaked, and the ledger equals the responses' costs."""
    shutil.rmtree(data_dir, ignore_errors=True)
    # So many of the examples that there is something to see, so few that it ends soon; in production it is 5 %.
    environment = {"FOREBAY_EVALUATION_SAMPLE_RATE": "0.25", **os.environ}
    started = time.monotonic()
    if status := _forebay(environment, "up", "--detach", "--data-dir", str(data_dir)):
        raise typer.Exit(status)
    shipped = data_path("examples")
    examples, personal_data = examples or shipped / "requests.jsonl", personal_data or shipped / "personal-data.txt"
    try:
        problems = _run(examples, personal_data, data_dir, report, time.monotonic() - started)
    finally:
        _forebay(environment, "down", "--data-dir", str(data_dir))
    for problem in problems:
        say(f"demo failed: {problem}", err=True)
    raise typer.Exit(1 if problems else 0)


def _forebay(environment: dict[str, str], *arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "forebay", *arguments], env=environment, check=False).returncode  # noqa: S603 - ourselves


def _ask_by_http(data_dir: Path, screen: "Screen") -> list[str]:
    """Ask the door of the stack as any client does; what went wrong."""
    from forebay.cli.asking.by_http import AnswerError, asked
    from forebay.demo.examples import read_questions
    from forebay.embedded.supervision.state import live

    state = live(data_dir)
    door = None if state is None else state.edge(data_dir)
    if door is None:
        return ["there is no HTTP door"]
    key = Path(door["key_file"]).read_text("utf-8").strip()
    for one in read_questions(data_path("examples") / "by-http.jsonl"):
        parts = asked(
            door["base_url"],
            key,
            one.model,
            one.question,
            stream=one.stream,
            timeout_s=_TIMEOUT_S,
            max_tokens=one.max_tokens,
        )
        try:
            screen.by_http(one, parts)
        except AnswerError as error:
            return [f"asked by HTTP: {error}"]
    return []


def _run(examples: Path, personal_data: Path, data_dir: Path, report: Path, start_s: float) -> list[str]:
    from forebay.cli.demo_screen import Screen
    from forebay.demo.examples import read_examples, read_personal_data
    from forebay.demo.leaks import find_leaks
    from forebay.demo.sending import NoResponseError, send_all
    from forebay.demo.summary import summarise
    from forebay.embedded.discovery import apply_to_environment
    from forebay.kafka.lag import wait_until_idle
    from forebay.kafka.reader import read_topic
    from forebay.settings import load

    apply_to_environment(data_dir)
    settings = load()
    wanted = read_examples(examples)
    with Screen(len(wanted)) as screen:
        try:
            responses = send_all(settings, wanted, screen.response, _TIMEOUT_S)
        except NoResponseError as error:
            return [str(error)]
        if problems := _ask_by_http(data_dir, screen):
            return problems
        screen.say("waiting for the judge and the ledger …")
        wait_until_idle(settings, _TIMEOUT_S)
        known = {response.request_id for response in responses}
        by_http = {found.request_id: found for record in read_topic(settings, "responses") if (found := record.value)}
        responses += [response for name, response in by_http.items() if name not in known]
        leaks = find_leaks(settings, read_personal_data(personal_data), (data_dir / "logs").glob("*.log*"))
        summary = summarise(settings, len(wanted) + screen.asked_by_http, responses, leaks)
        screen.summary(summary, start_s)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(screen.report(summary), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return summary.problems
