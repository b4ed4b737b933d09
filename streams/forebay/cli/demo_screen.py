"""What does one see of the demo? A progress bar, a line for each response, live what streams, and a closing summary."""

import time
from collections.abc import Iterable
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from forebay.cli.send import response_line
from forebay.cli.terminal.bars import Bar
from forebay.cli.terminal.saying import say, say_part
from forebay.cli.terminal.tables import Styled, print_table
from forebay.contract.records import Response
from forebay.demo.examples import Question
from forebay.demo.summary import Summary

_CONTENT_CHARS = 70


class Screen:
    """Shows the demo; ``total`` requests are expected."""

    def __init__(self, total: int) -> None:
        self._bar = Bar("responses", total, err=False, show=True)
        self._lines: list[dict[str, Any]] = []
        self._by_http: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """One line above the bar."""
        self._bar.say(text)

    def response(self, response: Response, latency_ms: float) -> None:
        """A response came; called on the client's thread."""
        line = response_line(response, round(latency_ms, 1))
        self._lines.append(line)
        colour = {"ok": "green", "rejected": "yellow", "failed": "red"}[line["status"]]
        text = line["content"] if response.error is None else f"{response.error.code}: {response.error.message}"
        self._bar.say(
            Styled(f"{line['status']:8}", colour),
            f" {line['request_id'][:18]:18} {line['tier'] or '-':6} {line['source']:14} "
            f"{line['cost_nanousd'] / 1e9:10.7f} $ {latency_ms:7.0f} ms  ",
            f"{sum(response.redactions.values())} redacted  ",
            Styled(" ".join(text.split())[:_CONTENT_CHARS], "dim"),
        )
        self._bar.advance()

    @property
    def asked_by_http(self) -> int:
        """Questions that were answered by HTTP."""
        return len(self._by_http)

    def by_http(self, question: Question, parts: Iterable[str]) -> None:
        """A question by HTTP, and its answer as it comes."""
        self._bar.stop()
        begun, first_ms, text = time.monotonic(), 0.0, ""
        say_part(f"by HTTP  {question.question}  → ")
        for part in parts:
            first_ms = first_ms or 1000 * (time.monotonic() - begun)
            text += part
            say_part(" ".join(part.split("\n")))
        took_ms = 1000 * (time.monotonic() - begun)
        say(f"  ({first_ms:.0f} ms to the first text, {took_ms:.0f} ms in all)")
        shown = {"question": question.question, "model": question.model, "stream": question.stream, "content": text}
        self._by_http.append(shown | {"first_ms": round(first_ms, 1), "latency_ms": round(took_ms, 1)})

    def summary(self, summary: Summary, start_s: float) -> None:
        """The closing summary; ``start_s``: seconds that the stack took to start."""
        self._bar.stop()
        rows = (
            ("stack was ready after", f"{start_s:.1f} s"),
            ("responses", f"{summary.responses} of {summary.requests} ({_counts(summary.statuses)})"),
            ("answered by", _counts(summary.sources)),
            ("escalated to a dearer tier", str(summary.escalations)),
            ("dead letters", _counts(summary.dead_letters)),
            ("redacted", _counts(summary.redactions)),
            ("cost", f"{summary.cost_nanousd / 1e9:.7f} $, {_priced(summary)}"),
            ("saved", _saved(summary)),
            ("ledger", f"{summary.ledger_nanousd / 1e9:.7f} $, judging {summary.judge_nanousd / 1e9:.7f} $"),
            ("spend per user", ", ".join(f"{u} {c / 1e9:.7f} $" for u, c in summary.spend_per_user.items())),
            ("judge scores", _counts(summary.judge_scores)),
            ("for people to review", str(summary.reviews)),
            ("in the history", f"{summary.recorded} of {summary.requests} requests"),
            ("personal data outside", f"{len(summary.leaks)} places" if summary.leaks else "none found"),
        )
        print_table(("", ""), rows, title="What came out", titles=False)

    def report(self, summary: Summary) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "responses": self._lines,
            "by_http": self._by_http,
            "summary": asdict(summary) | {"problems": summary.problems},
        }


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _priced(summary: Summary) -> str:
    return f"{summary.unpriced_calls} calls without a price" if summary.unpriced_calls else "every call priced"


def _saved(summary: Summary) -> str:
    kinds = {
        "the cache": summary.saved_nanousd,
        "cheaper tiers": summary.saved_tier_nanousd,
        "compression": summary.saved_compression_nanousd,
    }
    return ", ".join(f"by {kind} {amount / 1e9:.7f} $" for kind, amount in kinds.items())
