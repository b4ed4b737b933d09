"""How is one chat call played out? Fault or answer, at the scripted pace, and billed by the rule."""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from forebay.contract.clock import now_ms
from loadtest.simulator import shaping, timing, wire
from loadtest.simulator.answers import Answer, answer_of, unit, wanted_tool
from loadtest.simulator.invoice import ATTEMPT_HEADER, Invoice, recorded_headers
from loadtest.simulator.script import Model, Script

_SEQUENCE = itertools.count()


class Reply(Protocol):
    """How a call answers; a client that went away shows as :class:`ConnectionError` or as cancellation."""

    async def whole(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """The complete response."""
        ...

    async def open_stream(self) -> None:
        """Headers of a server-sent event stream."""
        ...

    async def send(self, data: bytes, *, last: bool = False) -> None:
        """Bytes of the stream."""
        ...

    def abort(self) -> None:
        """Close the connection rudely."""
        ...


@dataclass(kw_only=True)
class Call:
    """One chat request, and how far its answer got (that is what an interrupted call is billed by)."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]
    name: str
    model: Model
    script: Script
    started_ms: int
    prompt_tokens: int
    generated: int = 0
    begun: bool = False
    billed: bool = False

    def bill(self, invoice: Invoice, status: str) -> None:
        """Put the call on the invoice, once."""
        if self.billed:
            return
        self.billed = True
        cost = self.prompt_tokens * self.model.input_nanousd + self.generated * self.model.output_nanousd
        invoice.bill(
            {
                "attempt_id": self.headers.get(ATTEMPT_HEADER),
                "headers": recorded_headers(self.headers),
                "model": self.name,
                "prompt_tokens": self.prompt_tokens,
                "completion_tokens": self.generated,
                "cost_nanousd": cost,
                "status": status,
                "started_ms": self.started_ms,
                "finished_ms": now_ms(),
            }
        )

    def bill_interrupted(self, invoice: Invoice, status: str, rule: str) -> None:
        """Bill a call that did not reach its client, if ``rule`` says so."""
        if rule == "always" or (rule == "generated" and self.begun):
            self.bill(invoice, status)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What will be said: the tokens, and what goes around them."""

    tokens: Sequence[str]
    answer: Answer
    finish: str
    tool_calls: Sequence[Mapping[str, Any]]
    logprobs: Sequence[Any] | None
    identity: str

    def logprobs_of(self, start: int, stop: int | None) -> dict[str, Any] | None:
        """``choices[].logprobs`` for some of the tokens."""
        return None if self.logprobs is None else {"content": self.logprobs[start:stop], "refusal": None}


async def play(
    call: Call,
    reply: Reply,
    invoice: Invoice,
    rng: random.Random,
    forced_fault: str | None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> str:
    """Answer ``call``; returns the outcome for the statistics. Cancellation bills what was generated."""
    kind = forced_fault or timing.fault(call.model, rng)
    if kind == "refuse":
        reply.abort()
        return kind
    if kind == "hang":
        await sleep(call.script.hang_s)
        reply.abort()
        return kind
    if kind is not None and wire.is_error(kind):
        status, body = wire.error_body(kind)
        headers = {"retry-after": f"{call.model.retry_after_s:g}"} if kind in ("429", "503", "529") else None
        await reply.whole(status, body, headers)
        return kind
    plan = _plan(call)
    speed = timing.pace(call.model.latency, rng)
    try:
        await sleep(speed.first_token_s)
        call.begun = True
        speak = _stream if call.body.get("stream") else _whole
        return await speak(call, plan, speed, reply, invoice, kind, sleep)
    except (asyncio.CancelledError, ConnectionError):
        call.bill_interrupted(invoice, "client_gone", call.script.bill_client_gone)
        raise


def _plan(call: Call) -> _Plan:
    script, body = call.script, call.body
    prompt = wire.prompt_of(body.get("messages") or [])
    answer = answer_of(call.name, call.model, prompt, script.seed, script.default_difficulty)
    identity = f"{next(_SEQUENCE):x}"
    last = (body.get("messages") or [{}])[-1]
    free = None if last.get("role") == "tool" else wanted_tool(prompt)  # what was called has answered
    tool = wire.tool_call(body.get("tools") or [], body.get("tool_choice"), answer, identity, free)
    if tool:
        tokens = wire.pieces(tool["function"]["arguments"])
        return _Plan(
            tokens=tokens, answer=answer, finish="tool_calls", tool_calls=[tool], logprobs=None, identity=identity
        )
    text = f"You said: {prompt}. {answer.text}" if call.model.repeats else answer.text
    wanted = body.get("response_format")
    if isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema"):
        broken = unit(script.seed, "broken", call.name, prompt) < call.model.quality.broken_json
        text = wire.structured(answer, wanted, broken)
    tokens = wire.pieces(text, call.model.token_chars)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    cut = isinstance(limit, int) and len(tokens) > limit
    tokens = tokens[:limit] if cut else tokens
    top = int(body.get("top_logprobs") or 0)
    return _Plan(
        tokens=tokens,
        answer=answer,
        finish="length" if cut else "stop",
        tool_calls=(),
        logprobs=wire.logprobs(tokens, answer, top) if body.get("logprobs") else None,
        identity=identity,
    )


async def _whole(
    call: Call, plan: _Plan, speed: timing.Pace, reply: Reply, invoice: Invoice, kind: str | None, sleep: Any
) -> str:
    total_s = speed.token_s * len(plan.tokens) + speed.stall_s
    if kind in ("disconnect", "cut"):
        await sleep(total_s / 2)
        call.generated = len(plan.tokens) // 2
        call.bill_interrupted(invoice, kind, call.script.bill_disconnect)
        reply.abort()
        return kind
    begun = time.monotonic()
    try:
        await sleep(total_s)
    except asyncio.CancelledError:
        share = (time.monotonic() - begun) / total_s if total_s else 1.0
        call.generated = min(len(plan.tokens), round(share * len(plan.tokens)))
        raise
    call.generated = len(plan.tokens)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(plan.tokens)}
    if plan.tool_calls:
        message |= {"content": None, "tool_calls": plan.tool_calls}
    choice = {"index": 0, "message": message, "finish_reason": plan.finish, "logprobs": plan.logprobs_of(0, None)}
    counted = wire.usage(call.prompt_tokens, call.generated)
    body = shaping.whole(_envelope(call, plan, "chat.completion"), choice, counted, call.model.shape)
    outcome = kind or "ok"
    call.bill(invoice, outcome)
    await reply.whole(200, body[: len(body) // 2] if kind == "malformed" else body)
    return outcome


async def _stream(
    call: Call, plan: _Plan, speed: timing.Pace, reply: Reply, invoice: Invoice, kind: str | None, sleep: Any
) -> str:
    shape = call.model.shape
    size = call.script.chunk_tokens if speed.token_s or speed.stall_s or kind else max(1, len(plan.tokens))
    starts = range(0, len(plan.tokens), size)
    stall_before = starts[int(speed.stall_at * len(starts))] if speed.stall_s and starts else None
    break_at = starts[len(starts) // 2] if kind in ("disconnect", "cut", "malformed") and starts else None
    await reply.open_stream()
    if shape.body is not None:
        call.bill(invoice, "ok")
        await reply.send(shape.body.encode(), last=True)
        return kind or "ok"
    await reply.send(wire.event(_chunk(call, plan, {"role": "assistant", "content": ""})))
    for counted in shaping.early(shape):
        await reply.send(wire.event(_counting(call, plan, counted)))
    for start in starts:
        if start == stall_before:
            await sleep(speed.stall_s)
        if start == break_at and kind in ("disconnect", "cut"):
            call.bill_interrupted(invoice, kind, call.script.bill_disconnect)
            if kind == "cut":
                await reply.send(b": that was all\n\n", last=True)
            else:
                reply.abort()
            return kind
        if start == break_at:
            await reply.send(b'data: {"id": "chatcmpl-broken", "choi\n\n')
        part = plan.tokens[start : start + size]
        call.generated += len(part)
        delta = _tool_delta(plan, part, first=start == 0) if plan.tool_calls else {"content": "".join(part)}
        chunk = _chunk(call, plan, delta, logprobs=plan.logprobs_of(start, start + size), said=True)
        await reply.send(wire.event(chunk | shaping.beside(shape, start // size)))
        if speed.token_s:
            await sleep(speed.token_s * len(part))
    outcome = kind or "ok"
    call.bill(invoice, outcome)
    end = b"" if shape.no_end else wire.event(_chunk(call, plan, {}, finish=plan.finish))
    if shape.broken_end:
        await reply.send(end)
        await sleep(0.05)  # so that it is not thrown away with the connection
        reply.abort()
        return outcome
    if (call.body.get("stream_options") or {}).get("include_usage"):
        for counted in shaping.late(shape, wire.usage(call.prompt_tokens, call.generated)):
            end += wire.event(_counting(call, plan, counted))
    await reply.send(end + b"data: [DONE]\n\n", last=True)
    return outcome


def _tool_delta(plan: _Plan, part: Sequence[str], *, first: bool) -> dict[str, Any]:
    tool = plan.tool_calls[0]
    function: dict[str, Any] = {"arguments": "".join(part)}
    entry: dict[str, Any] = {"index": 0, "function": function}
    if first:
        entry |= {"id": tool["id"], "type": "function"}
        function["name"] = tool["function"]["name"]
    return {"tool_calls": [entry]}


def _envelope(call: Call, plan: _Plan, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{plan.identity}",
        "object": kind,
        "created": call.started_ms // 1000,
        "model": call.name,
        "system_fingerprint": "fp_simulator",
    }


def _chunk(
    call: Call,
    plan: _Plan,
    delta: Mapping[str, Any],
    *,
    finish: str | None = None,
    logprobs: Any = None,
    said: bool = False,
) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": logprobs}
    choices = shaping.choices(choice, call.model.shape, said=said)
    return _envelope(call, plan, "chat.completion.chunk") | {"choices": choices}


def _counting(call: Call, plan: _Plan, counted: Any) -> dict[str, Any]:
    return _envelope(call, plan, "chat.completion.chunk") | {"choices": [], "usage": counted}
