"""What do operators type for a time, and what is said to one who asks for something that there is not?"""

import re
from datetime import UTC, datetime

_AGE = re.compile(r"([0-9]{1,15})([smhd])")
_AGE_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class InvalidChoiceError(ValueError):
    """What was asked for does not exist or means nothing; nothing was done. The message says what there is instead.

    Args:
        message: for the operator.
        field: the name of the argument that is meant, where one is.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def moment(text: str, now_ms: int) -> int | None:
    """Milliseconds since the epoch of an ISO 8601 time (UTC unless it says otherwise) or of an age; ``None``: neither.

    Raises:
        InvalidChoiceError: ``text`` is no time.
    """
    if not text:
        return None
    if age := _AGE.fullmatch(text):
        return now_ms - int(age[1]) * _AGE_MS[age[2]]
    try:
        found = datetime.fromisoformat(text)
        return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise InvalidChoiceError(f"{text!r} is neither a time such as 2026-11-23T10:00 nor an age such as 6h") from None
