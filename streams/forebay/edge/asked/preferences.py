"""How long would a client wait? ``prefer`` (RFC 7240), and ``?wait=``."""

from dataclasses import dataclass

from forebay.edge.errors import Refused

LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferred:
    """What ``prefer`` says; ``wait_s`` in seconds."""

    respond_async: bool
    wait_s: float | None


def preferred(text: str) -> Preferred:
    """What the header says; what cannot be read is no preference."""
    words = [word.strip().lower() for word in text.replace(";", ",").split(",")]
    waits = [word.removeprefix("wait=") for word in words if word.startswith("wait=")]
    wait_s = min(float(waits[0][:6]), LONGEST_WAIT_S) if waits and waits[0].isdecimal() else None
    return Preferred(respond_async="respond-async" in words, wait_s=wait_s)


def wait_s(text: str) -> float:
    """Seconds of ``?wait=``. Raises :class:`Refused`."""
    if not (text.isascii() and text.isdigit()):
        raise Refused("invalid_value", "wait: seconds, up to 60", "wait")
    return min(float(text[:6]), LONGEST_WAIT_S)
