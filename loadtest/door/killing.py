"""What do clients see when something is killed under them, and what became of the money? Judged by the oracle.

Fifty whole answers and twenty streams are open; a second door is there, at which clients ask again under their keys.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forebay.contract.clock import now_ms
from forebay.kafka.lag import wait_until_idle
from forebay.kafka.reader import read_topic
from loadtest.chaos.faults import Traces
from loadtest.chaos.gathering import gather, mark
from loadtest.chaos.stack import Stack
from loadtest.door.clients import Clients, Seen
from loadtest.measurements.chain import question
from loadtest.oracle import Verdict, judge

WHOLES, STREAMS = 50, 20
_PATIENCE_S = 150.0
_UNSETTLED_S = 30.0
"""Above ``cost.unsettled_after_s`` and a sweep: by then the ledger has declared what it does not know."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What clients saw, and the oracle's verdict.

    Attributes:
        false_ends: streams that ended as if whole and say another thing than their record.
    """

    seen: Sequence[Seen]
    false_ends: Sequence[str]
    verdict: Verdict

    @property
    def broken(self) -> list[str]:
        """Promises that were not kept."""
        lost = [f"{one.name} ({', '.join(one.cut[-3:])})" for one in self.seen if not one.answered]
        found = [f"{len(lost)} have no answer under their key: {'; '.join(lost[:5])}"] if lost else []
        if self.false_ends:
            found.append(f"{len(self.false_ends)} ended as if whole: {', '.join(self.false_ends[:5])}")
        return found + list(self.verdict.violations)

    @property
    def cut(self) -> int:
        """Clients whose first try did not end well."""
        return sum(bool(one.cut) for one in self.seen)

    @property
    def longest_s(self) -> float:
        """Of the tries that had an end."""
        return max(one.took_s for one in self.seen)


def kill(stack: Stack, second: str, name: str, strike: Callable[[], None]) -> Outcome:
    """Ask at the stack's door, do ``strike`` once half the streams have begun; ``second``: the other door's URL."""
    first, key = stack.door()
    since, begun_ms = mark(stack.settings, stack.invoice), now_ms()
    seen = asyncio.run(_asked([first, second], key, f"{name}-{begun_ms}", strike))
    stack.wait_ready()
    wait_until_idle(stack.settings, _PATIENCE_S)
    accepted = {one.request_id: begun_ms for one in seen if one.request_id}
    evidence = gather(stack.settings, stack.invoice, since, accepted, Traces())
    verdict = judge(evidence)
    deadline = time.monotonic() + 2 * _UNSETTLED_S
    while verdict.violations and time.monotonic() < deadline:  # calls that were lost are declared by a sweep
        time.sleep(2.0)
        verdict = judge(gather(stack.settings, stack.invoice, since, accepted, Traces()))
    said = {
        record.value.request_id: record.value.content
        for record in read_topic(stack.settings, "responses")
        if record.value is not None
    }
    false = [one.name for one in seen if any(text != said.get(one.request_id) for text in one.wholes)]
    return Outcome(seen=seen, false_ends=false, verdict=verdict)


async def _asked(doors: Sequence[str], key: str, name: str, strike: Callable[[], None]) -> Sequence[Seen]:
    async with Clients(doors, key) as clients:
        waiting = [
            asyncio.create_task(
                clients.ask(
                    f"{name}-{number}",
                    question(name, number),
                    stream=number < STREAMS,
                    patience_s=_PATIENCE_S,
                )
            )
            for number in range(STREAMS + WHOLES)
        ]
        async with asyncio.timeout(_PATIENCE_S):
            for _ in range(STREAMS // 2):
                await clients.begun.get()
        await asyncio.to_thread(strike)
        return await asyncio.gather(*waiting)
