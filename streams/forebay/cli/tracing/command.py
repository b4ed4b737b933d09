"""``forebay trace REQUEST_ID``."""

from dataclasses import asdict
from typing import Annotated

import typer

from forebay.cli.terminal.saying import print_json, say
from forebay.embedded.discovery import apply_to_environment
from forebay.history.views import Call, Story
from forebay.operations.tracing.trace import Trace, open_desk, trace
from forebay.operations.tracing.waterfall import bars, drawn
from forebay.settings import load

app = typer.Typer(add_completion=False)

_NANO = 1_000_000_000


@app.command(help="What became of a request, and where its time went; or where it is now. Status 1: nobody knows it.")
def show(
    request_id: Annotated[str, typer.Argument(help="The request's id.", metavar="REQUEST_ID")],
    seconds: Annotated[float, typer.Option(min=1, help="Longest search of the topics, in seconds.")] = 60.0,
    records: Annotated[int, typer.Option(min=1, help="Records of the topics that are looked at, at most.")] = 2_000_000,
    json: Annotated[bool, typer.Option("--json", help="As JSON, in one line.")] = False,
) -> None:
    """Print what is known of a request."""
    apply_to_environment()
    found = trace(open_desk(load(), most=records, longest_s=seconds), request_id)
    if json:
        print_json({**asdict(found), "known": found.known})
    else:
        for line in text(found):
            say(line)
    if not found.known:
        raise typer.Exit(1)


def text(found: Trace) -> list[str]:
    """What is printed: what became of it, the waterfall, and the sentence."""
    lines = [f"request {found.request_id}"]
    accepted_at, total_ms, calls = 0, 0, list[Call]()
    if found.story is not None:
        lines += _of(found.story)
        accepted_at, total_ms = found.story.accepted_at or 0, found.story.request.total_ms or 0
        spans, calls = found.story.spans, list(found.story.calls)
    else:
        spans = found.spans
        if spans:
            accepted_at = spans[0].accepted_ms - spans[0].waited_ms
            total_ms = spans[-1].ended_ms - accepted_at
    if drawing := list(drawn(bars(accepted_at, spans, calls), total_ms)):
        lines += ["", *drawing]
        if found.story is not None and found.story.spans_left_out:
            lines.append(f"and {found.story.spans_left_out} more, between the first and the others")
    for letter in found.letters:
        lines.append(f"dead letter {letter.letter_id}: {letter.stage}, {letter.code}, {letter.state or 'open'}")
    return [*lines, "", found.said, found.searched]


def _of(story: Story) -> list[str]:
    one = story.request
    took = "an unknown time" if one.total_ms is None else f"{one.total_ms / 1_000:.3f} s"
    by = " ".join(part for part in (one.source, one.tier, one.model) if part)
    code = f" ({one.error_code})" if one.error_code else ""
    money = f"US$ {one.cost_nanousd / _NANO:.7f}, saved {story.saved_nanousd / _NANO:.7f}"
    lines = [
        f"{one.status}{code} after {took}, by {by}; {money}",
        f"tenant {one.tenant_id}, user {one.user_id}" + (f", key {story.key_id}" if story.key_id else ""),
    ]
    why = [f"cache {story.cache}"] if story.cache else []
    why += [f"confidence {story.confidence:.4f}"] if story.confidence is not None else []
    why += [f"similarity {story.similarity:.4f}"] if story.similarity is not None else []
    why += ["escalated"] if story.escalated else []
    why += ["degraded"] if story.degraded else []
    why += [f"compression {story.compression}"] if story.compression else []
    why += [f"{count} {label}" for label, count in story.redactions.items()]
    why += [f"makes good {story.supersedes}"] if story.supersedes else []
    why += [f"replay of {story.replayed_letter}"] if story.replayed_letter else []
    why += [f"{story.seen} outcomes, the newest is shown"] if story.seen > 1 else []
    lines.append(", ".join(why))
    lines += [f"judged {verdict.score:g} of 5 by {verdict.judge_model}" for verdict in story.verdicts]
    lines += [f"corrected: {action}" for action in story.corrections]
    return [line for line in lines if line]
