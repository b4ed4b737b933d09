"""``forebay send``: publish requests from a file or standard input, and wait for the responses."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import nullcontext
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from threading import Lock, Semaphore
from typing import Annotated, Any, TextIO

import orjson
import typer

from forebay.cli.terminal.bars import Bar
from forebay.cli.terminal.saying import complain, print_json, say
from forebay.contract.json_lines import InvalidLineError, request_from_line
from forebay.contract.records import Response
from forebay.observability.plain import shown

app = typer.Typer(add_completion=False)

_OUTSTANDING = 2_000  # more would only fill the client's memory


@app.command(help="Publish requests (JSON lines or plain text) from FILE or standard input.")
def send(
    file: Annotated[str, typer.Argument(help="A file, or - for standard input.")] = "-",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the responses and print them as they come.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a response.")] = False,
    progress: Annotated[bool, typer.Option("--progress", help="A progress bar on standard error.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the last response.")] = 300.0,
    tenant: Annotated[str, typer.Option(help="Tenant of requests that name none.")] = "",
    user: Annotated[str, typer.Option(help="User of requests that name none.")] = "",
) -> None:
    """Exit status 0 when every line was a request and, with ``--wait``, every request got its response."""
    from forebay.client.client import ForebayClient, RequestTooLargeError
    from forebay.embedded.installation import installation

    defaults = {name: value for name, value in (("tenant_id", tenant), ("user_id", user)) if value}
    stream = _opened(file)
    printer = _Printer(as_json, progress, timeout)
    with (
        stream if file != "-" else nullcontext(),
        printer,
        ForebayClient(installation(), on_response=printer.response if wait else None) as client,
    ):
        for line in _lines(stream):
            try:
                request = request_from_line(line, defaults)
                client.encode(request)  # before it counts as sent
            except InvalidLineError as error:
                printer.invalid(error.record_id, "invalid_request", str(error))
            except RequestTooLargeError as error:
                printer.invalid(request.request_id, "request_too_large", str(error))
            except ValueError as error:
                printer.invalid(request.request_id, "invalid_request", str(error))
            else:
                printer.sent(request.request_id, wait=wait)
                outcome = client.submit(request)
                outcome.add_done_callback(partial(printer.ended, request.request_id))
        deadline = time.monotonic() + timeout
        while wait and client.outstanding and time.monotonic() < deadline and not printer.unread:
            time.sleep(0.02)
        outstanding = client.outstanding if wait else 0
    if printer.unread:
        raise BrokenPipeError
    printer.finish(outstanding)
    raise typer.Exit(printer.status)


def _opened(file: str) -> TextIO:
    """The input; bytes that are not UTF-8 become surrogates, so that only their own line is invalid."""
    if file == "-":
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
        return sys.stdin
    return Path(file).open(encoding="utf-8", errors="surrogateescape")


def _lines(stream: TextIO) -> Iterator[str]:
    for line in stream:
        if line.strip():
            yield line.rstrip("\n")


class _Printer:
    """Prints responses as they come, on the client's thread, and counts."""

    def __init__(self, as_json: bool, progress: bool, patience_s: float) -> None:
        self.status = 0
        self.unread = False
        """Whether the reader of our output went away."""
        self._as_json = as_json
        self._patience_s = patience_s
        self._sent: dict[str, float] = {}
        self._open: set[str] = set()
        self._lock = Lock()
        self._output = Lock()
        self._room = Semaphore(_OUTSTANDING)
        self._crowded = False
        self._answered = 0
        self._progress: Bar | None = None
        if progress:
            self._progress = Bar("responses", 0, show=True)

    def __enter__(self) -> "_Printer":
        if self._progress is not None:
            self._progress.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def sent(self, request_id: str, *, wait: bool) -> None:
        """A request is about to be published; blocks while too many are outstanding, but not for ever."""
        if not wait:
            self._line({"request_id": request_id} if self._as_json else shown(request_id))
            return
        with self._lock:
            waits = request_id in self._open  # a repeated id has one response
            self._open.add(request_id)
        if not waits and not self._crowded:
            # Nobody answers: then what is left is published all the same, and the last wait is the end.
            self._crowded = not self._room.acquire(timeout=self._patience_s)
        self._sent[request_id] = time.monotonic()
        if self._progress is not None:
            self._progress.update(total=len(self._sent))

    def response(self, response: Response) -> None:
        """A response came."""
        latency_ms = round(1000 * (time.monotonic() - self._sent[response.request_id]), 1)
        self._close(response.request_id)
        self._line(response_line(response, latency_ms) if self._as_json else _text(response, latency_ms))

    def ended(self, request_id: str, outcome: "Future[Response]") -> None:
        """A request ended; without a response when the brokers did not take it, or nobody can read what came."""
        error = None if outcome.cancelled() else outcome.exception()
        if error is None:
            return
        self._close(request_id)
        self.invalid(request_id, getattr(error, "code", "not_delivered"), str(error), what=f"request {request_id}")

    def invalid(self, record_id: str | None, code: str, message: str, what: str = "invalid line") -> None:
        """A line is no request, or its request was not taken."""
        self.status = 1
        error = {"error": {"code": code, "message": message}}
        self._line(({"id": record_id} if record_id else {}) | error if self._as_json else shown(f"{what}: {message}"))

    def _close(self, request_id: str) -> None:
        with self._lock:
            if request_id not in self._open:
                return
            self._open.discard(request_id)
            self._answered += 1
        self._room.release()
        if self._progress is not None:
            self._progress.update(done=self._answered)

    def finish(self, outstanding: int) -> None:
        """All is said; ``outstanding`` requests got no response in time."""
        if outstanding:
            self.status = 1
            complain(f"{outstanding} of {len(self._sent)} requests got no response in time")

    def _line(self, content: dict[str, Any] | str) -> None:
        with self._output:  # lines come from this thread and from the client's
            try:
                if isinstance(content, str):
                    say(content, lines=True)
                else:
                    print_json(content)
            except BrokenPipeError:
                self.unread = True  # on the client's thread there is nobody to raise to


def response_line(response: Response, latency_ms: float) -> dict[str, Any]:
    """What ``--json`` prints of a response; ``latency_ms`` from publication to arrival."""
    return {
        "request_id": response.request_id,
        "status": response.status.value,
        "content": response.content,
        "tool_calls": None if response.tool_calls is None else _json_or_text(response.tool_calls),
        "finish_reason": response.finish_reason,
        "error": {"code": response.error.code, "message": response.error.message} if response.error else None,
        "tier": response.tier,
        "model": response.model,
        "source": response.source.value,
        "cost_nanousd": response.cost_nanousd,
        "saved_nanousd": response.saved_nanousd,
        "attempts": response.attempts,
        "redactions": dict(response.redactions),
        "confidence": response.confidence,
        "latency_ms": latency_ms,
        "timings_us": dict(response.timings),
        "tenant_id": response.tenant_id,
        "user_id": response.user_id,
    }


def _json_or_text(value: str) -> Any:
    """Tool calls as requests may have them: the array itself; what is none (of another producer) stays text."""
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _text(response: Response, latency_ms: float) -> str:
    if response.error is not None:
        return shown(f"[{response.status.value}: {response.error.code}] {response.error.message}")
    head = shown(f"[{response.source.value} {response.tier or '-'} {latency_ms:.0f} ms]")
    return f"{head} {shown(response.content, lines=True)}"
