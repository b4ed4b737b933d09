"""One row a peer: the highest rate that holds, what it adds, what a request costs there, what a kill loses."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loadtest.door.driving import asking, at_rate, session, spread
from loadtest.measurements.chain import question
from loadtest.peers.asking import Tried, killed, tried
from loadtest.peers.starting import KEY, MODEL, SLOW, Shape, provider, proxy, slow_down
from loadtest.users.finding import highest
from loadtest.users.hits import Hits
from loadtest.users.mix import Users

_THINK_S = 60.0
_QUIET_RATE = 5.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is compared.

    Attributes:
        rate: the highest with p95 < 3 s, in requests a second; ``None``: the lowest that was tried is too much.
        added_ms: p50 at 5 requests a second, less the provider's own.
        cpu_ms: a request at that rate, of all processes; ``mib`` likewise.
        lost: of the requests in flight when it was killed.
        tried: rate to p95 in ms of every rate that was tried.
    """

    name: str
    rate: float | None
    added_ms: float
    cpu_ms: float
    mib: float
    in_flight: int
    lost: int
    yardstick_ms: float
    tried: dict[float, int]


def of_litellm(
    shape: Shape, folder: Path, executable: Path, *, seconds: float, seed: int, start: float, say: Callable[[str], None]
) -> Row:
    """The proxy in this shape under the users' mix; with Redis under questions that it has all answered before."""
    hits = Hits.ALL if shape is Shape.REDIS else Hits.MIX
    trials: list[Tried] = []
    folder.mkdir(parents=True)
    with provider(folder) as behind, proxy(folder, executable, behind["base_url"], shape) as running:
        say(f"LiteLLM {shape}: ready after {running.ready_s:g} s")
        if hits is Hits.ALL:
            tried(running, list(_users(10.0, hits, seed).known()))

        def holds(rate: float) -> bool:
            trials.append(last := tried(running, list(_users(rate, hits, seed).asking(seconds, f"try {len(trials)}"))))
            say(f"LiteLLM {shape}: {rate:g}/s {'holds' if last.holds else 'does not hold'}: {dict(last.latency_ms)} ms")
            return last.holds

        added = asyncio.run(_added(behind["base_url"], running.url, seconds, repeated=hits is Hits.ALL))
        rate = highest(holds, start)
        asyncio.run(slow_down(behind["admin_url"], SLOW))
        end = asyncio.run(killed(running))
    best = max((one for one in trials if one.holds), key=lambda one: one.rate, default=trials[-1])
    return Row(
        name=f"LiteLLM, {shape}",
        rate=rate,
        added_ms=added,
        cpu_ms=best.cpu_ms,
        mib=best.mib,
        in_flight=end["in_flight"],
        lost=end["lost"],
        yardstick_ms=best.yardstick_ms,
        tried={one.rate: one.latency_ms["p95"] for one in trials},
    )


async def _added(direct: str, url: str, seconds: float, *, repeated: bool) -> float:
    """p50 in ms above the provider's own; ``repeated``: of one question that was answered before."""

    def text(number: int) -> str:
        return question("added", 0 if repeated else number)

    async with session() as client:
        found = [
            spread(await at_rate(asking(client, base, KEY, text, MODEL), _QUIET_RATE, seconds))["p50_ms"]
            for base in (direct, url)
        ]
    return round(found[1] - found[0], 1)


def _users(rate: float, hits: Hits, seed: int) -> Users:
    return Users(max(1, round(rate * _THINK_S)), think_s=_THINK_S, hits=hits, seed=seed)
