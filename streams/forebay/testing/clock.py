"""What time is it in a test? What the test says; whoever sleeps on this clock moves it, and waits for nobody."""

import asyncio

BEGINNING_MS = 1_700_000_000_000
"""A time like those of real records: 2023-11-14, 22:13:20 UTC."""


class VirtualClock:
    """A :data:`forebay.contract.clock.Clock` that only tests move.

    Attributes:
        now_ms: ms since 1970; set it as you like.
        slept: seconds of each :meth:`sleep`, in order.
    """

    def __init__(self, now_ms: int = BEGINNING_MS) -> None:
        self.now_ms = now_ms
        self.slept: list[float] = []

    def __call__(self) -> int:
        """Milliseconds since 1970."""
        return self.now_ms

    def seconds(self) -> float:
        """Seconds since 1970, for rules that count in these."""
        return self.now_ms / 1000

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ms += round(1000 * seconds)

    async def sleep(self, seconds: float) -> None:
        """In place of ``asyncio.sleep``: the time has passed at once, and others had their turn."""
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)
