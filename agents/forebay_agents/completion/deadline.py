"""How long may a call take, so that others can still be made after it?

What a request's deadline leaves is split over attempts by halves: a deployment that hangs takes half of it, the next
half of the rest, and the last all that there is. The one that is asked first, which mostly answers, has the most time.
"""

from forebay.contract.failures import Expired
from forebay.contract.records import RedactedRequest
from forebay_agents.models.settings import Deployment


def left_s(request: RedactedRequest, now_ms: int) -> float | None:
    """Seconds until the request's deadline, below 0 when it passed; ``None``: it has none."""
    if request.deadline_ms is None:
        return None
    return (request.accepted_at + request.deadline_ms - now_ms) / 1000


def is_late(request: RedactedRequest, now_ms: int) -> bool:
    """Whether more than half of the request's time is over before any model was asked: it queued somewhere."""
    left = left_s(request, now_ms)
    return left is not None and request.deadline_ms is not None and 2_000 * left < request.deadline_ms


def timeout_s(deployment: Deployment, request: RedactedRequest, now_ms: int, *, others: bool) -> float:
    """Seconds for a call of ``deployment``.

    Args:
        others: whether others may be asked after it.

    Raises:
        Expired: the deadline passed.
    """
    left = left_s(request, now_ms)
    if left is None:
        return deployment.timeout_s
    if left <= 0:
        raise Expired("deadline_exceeded", "the deadline passed while models were tried")
    return min(deployment.timeout_s, left / 2 if others else left)
