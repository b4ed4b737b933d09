"""What would the stage do to a text on a line? Found, replaced and numbered by the stage's own code, without servers.

A line is a text, or a JSON object with ``text`` and, where known, ``id`` and ``language``. Each line is a request of
its own: its pseudonyms begin at 1.
"""

import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from forebay.contract.failures import Failure, Rejected
from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.pseudonymise import pseudonymise
from forebay_agents.redaction.public.deciding import Decision
from forebay_agents.redaction.request_parts import Part

_BROKEN = re.compile("[\ud800-\udfff]")
"""What bytes that are no UTF-8 were read as."""
INVALID = "invalid_request"


class LineError(ValueError):
    """A line that cannot be read; its message never quotes the line.

    Args:
        record_id: the line's id, if it could be told.
    """

    def __init__(self, message: str, record_id: Any = None) -> None:
        super().__init__(message)
        self.record_id = record_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A text to redact; without an id of its own it has its number, from 1."""

    record_id: Any
    text: str
    language: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Redacted:
    """What becomes of a text: what the next stage would see, where that differs, and how long it took.

    Attributes:
        public: why names and places stay or go, with the profile balanced.
    """

    text: str
    spans: tuple[Span, ...]
    ms: float
    public: tuple[Decision, ...] = ()


class Redactor:
    """The rules of the stage for single texts.

    Args:
        detector: finds.
        policies: say what happens to findings.
        max_chars: most characters of a text.
    """

    def __init__(self, detector: Detector, policies: Policies, max_chars: int) -> None:
        self._detector = detector
        self._policies = policies
        self._max_chars = max_chars

    def redact(self, text: str, tenant_id: str = "default", language: str | None = None) -> Redacted:
        """Redact one text.

        Raises:
            Rejected: the text is too long, or the policy does not accept what is in it.
            Permanent: ``redaction_failed``.
        """
        if len(text) > self._max_chars:
            raise Rejected(INVALID, f"a text must have at most {self._max_chars} characters")
        started = time.perf_counter()
        found = self._detector.find(Asked(parts=[Part(text=text, said=True)], tenant_id=tenant_id, language=language))
        policy = self._policies.of(tenant_id)
        policy.refuse(found.spans)
        result = pseudonymise([text], found.spans, {}, policy)
        return Redacted(
            text=result.texts[0],
            spans=tuple(found.spans[0]),
            ms=round(1000 * (time.perf_counter() - started), 3),
            public=found.public,
        )


def read_line(line: str, number: int, *, records: bool) -> Line | None:
    """The text of a line; ``None`` for an empty line between records.

    Args:
        number: of the line, from 1.
        records: whether the input is JSON lines; in plain text a line that looks like a record is taken for one.

    Raises:
        LineError: the line is no record, but should be.
    """
    if not line.isascii() and _BROKEN.search(line):
        raise LineError("the line is not UTF-8")
    stripped = line.strip()
    if not stripped.startswith("{"):
        if not records:
            return Line(record_id=str(number), text=line.rstrip("\r\n"))
        if not stripped:
            return None
        raise LineError("not a JSON object")
    try:
        content = json.loads(stripped)
    except json.JSONDecodeError as error:
        if not records:
            return Line(record_id=str(number), text=line.rstrip("\r\n"))
        raise LineError(f"not JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError):
        raise LineError("not JSON that can be read: nested too deeply, or a number too long") from None
    if not records and "text" not in content:
        return Line(record_id=str(number), text=line.rstrip("\r\n"))
    return line_of(content, number)


def line_of(content: dict[str, Any], number: int) -> Line:
    """The text of a parsed record. Raises :class:`LineError`."""
    record_id = content.get("id")
    if record_id is not None and not isinstance(record_id, str | int | float):
        raise LineError("id must be a string or a number")
    text, language = content.get("text"), content.get("language")
    if not isinstance(text, str):
        raise LineError("text is missing" if text is None else "text must be a string", record_id)
    if language is not None and not isinstance(language, str):
        raise LineError("language must be a string", record_id)
    return Line(record_id=str(number) if record_id is None else record_id, text=text, language=language)


def redact_lines(
    lines: Iterable[str],
    redactor: Redactor,
    *,
    records: bool | None,
    show_text: bool,
    tenant_id: str = "default",
) -> Iterator[dict[str, Any]]:
    """One result for each line, in order: what became of it, or ``{"id"?, "error": {"code", "message"}}``.

    Args:
        records: whether the input is JSON lines; ``None`` lets the first line that is not empty decide.
        show_text: put what was found into the spans.
    """
    for number, raw in enumerate(lines, start=1):
        if records is None and raw.strip():
            records = raw.lstrip().startswith("{")
        try:
            line = read_line(raw, number, records=bool(records))
        except LineError as error:
            yield failed(error.record_id, INVALID, str(error))
            continue
        if line is None:
            continue
        try:
            yield shown(line, redactor.redact(line.text, tenant_id, line.language), show_text=show_text)
        except Failure as failure:
            yield failed(line.record_id, failure.code, failure.message)


def shown(line: Line, redacted: Redacted, *, show_text: bool) -> dict[str, Any]:
    """The result for one line."""
    spans = []
    for span in redacted.spans:
        entry: dict[str, Any] = {"start": span.start, "end": span.end, "type": span.kind, "score": span.score}
        if show_text:
            entry["text"] = line.text[span.start : span.end]
        spans.append(entry)
    return {"id": line.record_id, "redacted": redacted.text, "spans": spans, "ms": redacted.ms}


def failed(record_id: Any, code: str, message: str) -> dict[str, Any]:
    """The result for a line that failed."""
    error = {"error": {"code": code, "message": message}}
    return error if record_id is None else {"id": record_id} | error


def explained(text: str, redacted: Redacted, *, show_text: bool) -> dict[str, Any]:
    """What goes, and of each name and place why it stays or goes (:mod:`forebay_agents.redaction.public.reasons`)."""
    names = []
    for one in redacted.public:
        entry: dict[str, Any] = {"start": one.span.start, "end": one.span.end, "type": one.span.kind}
        entry |= {"stays": one.stays, "reason": one.judged.value, "listed": one.kind or None}
        names.append(entry | ({"text": text[one.span.start : one.span.end]} if show_text else {}))
    spans = [{"start": span.start, "end": span.end, "type": span.kind} for span in redacted.spans]
    return {"redacted": redacted.text, "spans": spans, "names": names}
