"""How do Forebay, with one profile or several, and beside it Presidio as it comes do on the same labelled texts?"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.offline.lines import LineError, Redactor
from forebay_agents.redaction.offline.scoring import Labelled, score

Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Title and number of texts to what is told how many more are done."""


def silent(_title: str, _total: int) -> AbstractContextManager[Callable[[int], None]]:
    """For whom nobody watches."""
    return nullcontext(lambda _done: None)


def labelled_of(line: str, source: str) -> Labelled:
    """A labelled text from a JSON line. Raises :class:`LineError`; the message never quotes the line.

    Args:
        source: counts for lines that do not name their ``source``.
    """
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        raise LineError("not JSON") from None
    if not isinstance(content, dict) or not isinstance(content.get("text"), str):
        raise LineError("not an object with a text")
    text, spans = content["text"], content.get("spans", [])
    if not isinstance(spans, list):
        raise LineError("spans must be an array")
    return Labelled(
        text=text,
        spans=tuple(sorted(_span(span, len(text)) for span in spans)),
        source=str(content.get("source") or source),
    )


def _span(span: Any, length: int) -> tuple[int, int, str]:
    if not isinstance(span, dict):
        raise LineError("a span must be an object")
    start, end, kind = span.get("start"), span.get("end"), span.get("type", "PII")
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start <= end <= length:
        raise LineError("a span must have start and end within the text")
    if not isinstance(kind, str):
        raise LineError("the type of a span must be a string")
    return start, end, kind


def evaluation(
    rows: Sequence[Labelled],
    redactors: Mapping[str, Redactor],
    tenant_id: str,
    *,
    baseline: bool,
    progress: Progress = silent,
) -> dict[str, Any]:
    """The figures of each of ``redactors`` by its name and, with ``baseline``, of stock Presidio on ``rows``."""
    found: dict[str, Any] = {"texts": len(rows)}
    for name, redactor in redactors.items():
        with progress(name, len(rows)) as advance:
            found[name] = score(rows, partial(_ours, redactor, tenant_id), partial(advance, 1)).summary()
    if baseline:
        from forebay_agents.redaction.detection.stock import Stock

        stock = Stock()

        def theirs(text: str) -> tuple[Sequence[Span], float]:
            started = time.perf_counter()
            spans = stock.spans(text)
            return spans, 1000 * (time.perf_counter() - started)

        theirs("Warm, as ours is.")
        with progress("stock Presidio", len(rows)) as advance:
            found["stock"] = score(rows, theirs, partial(advance, 1)).summary()
    return found


def _ours(redactor: Redactor, tenant_id: str, text: str) -> tuple[Sequence[Span], float]:
    redacted = redactor.redact(text, tenant_id)
    return redacted.spans, redacted.ms
