"""Whatever happens to a worker, its sums are those of the ledger, and the last that was told of a key is what it has.

Deliveries come late, fail though they were written, and not at all; partitions are taken for a while; workers are
killed with their entries applied, sent, delivered or told.
"""

import asyncio
import random
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from forebay.contract.handlers import Output
from forebay.contract.records import Spend, UsageEvent, WindowKind
from forebay_agents.cost.gathering.gathering import Gathering, Hands
from forebay_agents.cost.gathering.telling import Telling
from forebay_agents.cost.projection import record_of
from tests.unit.cost.gathering.bench import Disk, Tables
from tests.unit.cost.ledgers import expected, folded_by, ledgers, sums_of, taken_ms


@dataclass
class World:
    """What outlives a worker."""

    ledger: list[UsageEvent]
    disk: Disk = field(default_factory=Disk)
    committed: int = 0
    told: dict[str, list[Spend]] = field(default_factory=dict)
    now_s: float = 0.0
    keys: int = 0

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def tell(self, outputs: list[Output]) -> None:
        for output in outputs:
            assert isinstance(output.value, Spend)
            assert isinstance(output.key, str)
            self.told.setdefault(output.key, []).append(output.value)


class Life:
    """A worker, from its start to its end."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.chance = world, chance
        self.tables = Tables(world.disk)
        self.ready = True
        self.numbers = 0
        self.gathering = Gathering(
            self.tables.attempts,
            self.tables.spend,
            Hands(ready=lambda: self.ready, mine=lambda: {0}),
            key=self.key,
            telling=Telling(lambda: world.now_s),
            clock_ms=lambda: 1,
            sleep=lambda _s: asyncio.sleep(0),
        )
        self.done: set[int] = set()
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.next = world.committed

    def key(self) -> str:
        return self.world.key()

    async def run(self, steps: int) -> None:
        self.gathering.remember_open()
        for _ in range(steps):
            self.step(self.chance.random())
            for _ in range(self.chance.randint(1, 4)):
                await asyncio.sleep(0)

    async def finish(self) -> None:
        """Until all is told, with nothing in its way."""
        self.ready = True
        while len(self.done) < len(self.world.ledger) - self.world.committed or self.next < len(self.world.ledger):
            self.begin()
            for one in list(self.tables.sent):
                self.tables.deliver(one)
            self.world.now_s += 0.3
            await asyncio.sleep(0)
        self.gathering.remember_open()
        self.world.now_s += 10
        self.world.tell(self.gathering.late())

    def step(self, what: float) -> None:
        if what < 0.45:
            self.begin()
        elif what < 0.7 and self.tables.sent:
            # Each changelog in its own order.
            table = self.chance.choice(self.tables.sent).table
            oldest = next(one for one in self.tables.sent if one.table is table)
            if self.chance.random() < 0.1:
                self.tables.fail(oldest, written=self.chance.random() < 0.5)
            else:
                self.tables.deliver(oldest)
        elif what < 0.85:
            self.world.now_s += self.chance.uniform(0, 1.2)
        elif what < 0.9:
            self.world.tell(self.gathering.late())
        else:
            self.ready = not self.ready

    def begin(self) -> None:
        if self.next < len(self.world.ledger):
            self.tasks[self.next] = asyncio.ensure_future(self.handle(self.next))
            self.next += 1

    async def handle(self, offset: int) -> None:
        outputs = await self.gathering.book(
            self.world.ledger[offset], partition=0, offset=offset, taken_ms=taken_ms(offset)
        )
        self.world.tell(list(outputs))
        self.done.add(offset)

    async def kill(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        await self.gathering.close()
        for table in (self.tables.attempts, self.tables.spend):  # a part of what is under way arrives
            under_way = [one for one in self.tables.sent if one.table is table]
            for one in under_way[: self.chance.randint(0, len(under_way))]:
                self.world.disk.write(table.name, one.partition, one.key, one.value)
        if self.chance.random() < 0.5:
            self.world.disk.compacted()
        head = self.world.committed
        while head in self.done:
            head += 1
        self.world.committed = self.chance.randint(self.world.committed, head)


async def lives(ledger: list[UsageEvent], chance: random.Random) -> None:
    world = World(ledger)
    for _ in range(chance.randint(0, 3)):
        life = Life(world, chance)
        await life.run(chance.randint(0, 40))
        await life.kill()
    last = Life(world, chance)
    await last.run(chance.randint(0, 40))
    await last.finish()
    rows = {key: record_of(row) for key, row in last.tables.spend.rows.items()}
    for kind in WindowKind:
        assert sums_of(rows.values(), kind) == folded_by(expected(ledger), kind)
    newest = {key: max(told, key=lambda row: row.revision) for key, told in world.told.items()}
    assert newest == rows
    again = Tables(world.disk)
    assert again.spend.rows == last.tables.spend.rows
    assert again.attempts.rows == last.tables.attempts.rows


@given(ledger=ledgers(), seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_sums_and_what_is_told_are_those_of_the_ledger_whatever_happens(ledger: list[UsageEvent], seed: int) -> None:
    asyncio.run(lives(ledger, random.Random(seed)))
