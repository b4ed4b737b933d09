"""Requests that go out when they are due, whatever became of the ones before, and what each of them saw."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from loadtest.measurements.chain import question


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request: when it was due and how long its response took, in seconds; ``None``: it got none."""

    request_id: str
    tenant: str
    due_s: float
    latency_s: float | None
    status: str = ""
    tier: str | None = None
    degraded: bool = False


def send(
    settings: Any,
    plan: Sequence[tuple[float, str]],
    kind: str,
    patience_s: float,
    events: Sequence[tuple[float, Callable[[], None]]] = (),
    *,
    text: Callable[[int], str] | None = None,
) -> list[Seen]:
    """Send a request at each time of ``plan`` (seconds from now, and tenant); also do ``events`` when they are due.

    Args:
        kind: makes ids and questions of this run its own, so that the cache has nothing.
        patience_s: after the last request, for the responses that are missing.
        text: of the request of a number; by default a question that no other of the run resembles.
    """
    from forebay.client.client import ForebayClient
    from forebay.contract.records import Message, Request, Response

    sent: dict[str, float] = {}
    arrived: dict[str, tuple[float, Response]] = {}

    def note(response: Response) -> None:
        arrived.setdefault(response.request_id, (time.perf_counter(), response))

    agenda: list[tuple[float, int, Any]] = [(at, 0, event) for at, event in events]
    agenda += [(at, 1, (number, tenant)) for number, (at, tenant) in enumerate(plan)]
    with ForebayClient(settings, on_response=note) as client:
        begun = time.perf_counter()
        for at, what, item in sorted(agenda, key=lambda one: one[:2]):
            time.sleep(max(0.0, begun + at - time.perf_counter()))
            if what == 0:
                item()
                continue
            number, tenant = item
            content = question(kind, number) if text is None else text(number)
            sent[f"{kind}-{number}"] = time.perf_counter()
            messages = (Message(content=content),)
            client.submit(Request(request_id=f"{kind}-{number}", tenant_id=tenant, messages=messages))
        deadline = time.monotonic() + patience_s
        while client.outstanding and time.monotonic() < deadline:
            time.sleep(0.05)
    return [_seen(f"{kind}-{number}", tenant, at, sent, arrived) for number, (at, tenant) in enumerate(plan)]


def _seen(identity: str, tenant: str, at: float, sent: dict[str, float], arrived: dict[str, Any]) -> Seen:
    if identity not in arrived:
        return Seen(request_id=identity, tenant=tenant, due_s=at, latency_s=None)
    when, response = arrived[identity]
    return Seen(
        request_id=identity,
        tenant=tenant,
        due_s=at,
        latency_s=when - sent[identity],
        status=response.status.value,
        tier=response.tier,
        degraded=response.degraded,
    )


def summary(seen: Sequence[Seen]) -> dict[str, Any]:
    """How many were sent and answered, and in which time."""
    took = [one.latency_s for one in seen if one.latency_s is not None]
    found: dict[str, Any] = {
        "requests": len(seen),
        "answered": len(took),
        "ok": sum(one.status == "ok" for one in seen),
    }
    if len(took) > 1:
        cuts = quantiles(took, n=100, method="inclusive")
        found |= {"p50_s": round(cuts[49], 3), "p99_s": round(cuts[98], 3), "longest_s": round(max(took), 3)}
    return found
