"""How does an ``instant`` model answer? With prepared bytes: the cost of a call is HTTP and one line of invoice."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from forebay.contract.clock import now_ms
from loadtest.simulator import wire
from loadtest.simulator.invoice import ATTEMPT_HEADER, Invoice, Stats, recorded_headers
from loadtest.simulator.script import Model

_TEXT = "The answer is instant."
_TOKENS = 4
_JSON = {"content-type": "application/json"}
_EVENTS = {"content-type": "text/event-stream"}


class Instant:
    """Answers of instant models; bodies are made once for each model and prompt length."""

    def __init__(self, invoice: Invoice, stats: Stats) -> None:
        self._invoice = invoice
        self._stats = stats
        self._bodies: dict[tuple[str, bool, int], bytes] = {}

    def answer(self, request: web.BaseRequest, body: Mapping[str, Any], name: str, model: Model) -> web.Response:
        """The response, billed."""
        stream = bool(body.get("stream"))
        prompt = wire.prompt_tokens(body["messages"])
        prepared = self._bodies.get((name, stream, prompt))
        if prepared is None:
            if len(self._bodies) > 4096:
                self._bodies.clear()
            prepared = self._bodies[name, stream, prompt] = _prepare(name, stream, prompt)
        now = now_ms()
        self._stats.begin(name)
        self._invoice.bill(
            {
                "attempt_id": request.headers.get(ATTEMPT_HEADER),
                "headers": recorded_headers(request.headers),
                "model": name,
                "prompt_tokens": prompt,
                "completion_tokens": _TOKENS,
                "cost_nanousd": prompt * model.input_nanousd + _TOKENS * model.output_nanousd,
                "status": "ok",
                "started_ms": now,
                "finished_ms": now,
            }
        )
        self._stats.end(name, "ok")
        return web.Response(body=prepared, headers=_EVENTS if stream else _JSON)


def _prepare(name: str, stream: bool, prompt: int) -> bytes:
    base = {"id": "chatcmpl-instant", "created": 0, "model": name}
    usage = wire.usage(prompt, _TOKENS)
    if not stream:
        message = {"role": "assistant", "content": _TEXT}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return orjson.dumps(base | {"object": "chat.completion", "choices": [choice], "usage": usage})
    chunk = base | {"object": "chat.completion.chunk"}
    delta = {"index": 0, "delta": {"role": "assistant", "content": _TEXT}, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return b"".join(
        [
            wire.event(chunk | {"choices": [delta]}),
            wire.event(chunk | {"choices": [end]}),
            wire.event(chunk | {"choices": [], "usage": usage}),
            b"data: [DONE]\n\n",
        ]
    )
