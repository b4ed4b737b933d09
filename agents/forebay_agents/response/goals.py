"""Was what requesters are promised kept? Answered in time, answered at all; what they asked wrongly does not count."""

from enum import StrEnum

from forebay.contract.error_codes import CODES, FailureClass
from forebay.contract.records import Response, ResponseStatus

_OURS = frozenset({"overloaded"})
"""Rejections that are no fault of the requester, nor a limit that somebody has set for him."""


class Goal(StrEnum):
    """What is promised."""

    FAST = "fast"
    OK = "ok"


def kept(response: Response, answer_s: float) -> dict[Goal, bool]:
    """Goal to whether this response keeps it; empty: it says nothing of us.

    Args:
        answer_s: how long an answer may take, from the request's acceptance, in seconds.
    """
    if response.supersedes or _askers_own(response):
        return {}
    answered = response.status is ResponseStatus.OK
    took_ms = response.responded_at - response.accepted_at
    return {Goal.FAST: answered and took_ms <= 1_000 * answer_s, Goal.OK: answered}


def _askers_own(response: Response) -> bool:
    code = response.error.code if response.error is not None else ""
    if response.status is ResponseStatus.REJECTED:
        return code not in _OURS
    known = CODES.get(code)
    return known is not None and known.failure_class is FailureClass.CONTRACT
