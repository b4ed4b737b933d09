"""How are the examples sent? In their order, a few at once, those that wait for another's answer after it."""

import threading
import time
from collections.abc import Callable, Sequence

from forebay.client.client import ForebayClient
from forebay.contract.records import Response
from forebay.demo.examples import Example
from forebay.settings import Settings

_AT_ONCE = 4  # two local models with two slots each: more would only wait in their queues
_SETTLE_S = 1.0  # between an answer and questions that should find it in the cache


class NoResponseError(Exception):
    """Requests got no response in time."""


def send_all(
    settings: Settings, examples: Sequence[Example], on_response: Callable[[Response, float], None], timeout_s: float
) -> list[Response]:
    """Send every example; their responses in the order of arrival.

    Args:
        on_response: called with each response and its latency in ms.

    Raises:
        NoResponseError: some are missing after ``timeout_s`` seconds.
    """
    responses: dict[str, Response] = {}
    sent: dict[str, float] = {}
    answered_at: dict[str, float] = {}
    answered = {example.request_id: threading.Event() for example in examples}
    room = threading.Semaphore(_AT_ONCE)

    def arrived(response: Response) -> None:
        responses[response.request_id] = response
        answered_at[response.request_id] = time.monotonic()
        on_response(response, 1000 * (time.monotonic() - sent[response.request_id]))
        answered[response.request_id].set()
        room.release()

    deadline = time.monotonic() + timeout_s
    with ForebayClient(settings, on_response=arrived) as client:
        for example in examples:
            if example.after is not None:
                answered[example.after].wait(max(0.0, deadline - time.monotonic()))
                since = time.monotonic() - answered_at.get(example.after, 0.0)
                time.sleep(max(0.0, _SETTLE_S - since))
            room.acquire(timeout=max(0.0, deadline - time.monotonic()))
            sent[example.request_id] = time.monotonic()
            if example.request is not None:
                client.submit(example.request)
            else:
                client.submit_raw(example.request_id, example.raw or b"")
        for event in answered.values():
            event.wait(max(0.0, deadline - time.monotonic()))
    missing = [request_id for request_id, event in answered.items() if not event.is_set()]
    if missing:
        raise NoResponseError(f"no response to {', '.join(missing)} within {timeout_s:g} s")
    return list(responses.values())
