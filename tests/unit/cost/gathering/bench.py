"""Tables of the stage without brokers: what was sent is on a disk once the test says so, and is read at the start."""

import asyncio
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import faust

from forebay_agents.cost.gathering.tables import AttemptsTable, ChangelogTable, SumsTable


@dataclass
class Disk:
    """Changelogs: of each table its records in order, as partition, key and JSON."""

    records: dict[str, list[tuple[int, str, str]]] = field(default_factory=lambda: {"attempts": [], "spend": []})

    def write(self, table: str, partition: int, key: str, value: Any) -> None:
        """A record that the brokers have."""
        self.records[table].append((partition, key, json.dumps(value)))

    def compacted(self) -> None:
        """Only the newest record of each key stays, where it is."""
        for table, records in self.records.items():
            last = {key: number for number, (_, key, _) in enumerate(records)}
            self.records[table] = [one for number, one in enumerate(records) if last[one[1]] == number]


@dataclass
class Sent:
    """A record that was handed to the producer."""

    table: ChangelogTable
    partition: int
    key: str
    value: Any
    delivery: "asyncio.Future[None]"


class Tables:
    """Both tables of one worker, in one partition; ``sent``: what is under way, oldest first."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.sent: list[Sent] = []
        app = faust.App("cost", broker="kafka://nowhere.invalid", store="memory://", autodiscover=False)
        self.attempts = self._opened(_Attempts(app, name="attempts", key_type=str, value_type=None))
        self.spend = self._opened(_Sums(app, name="spend", key_type=str, value_type=None))

    def _opened(self, table: Any) -> Any:
        table.bench = self
        self.recover(table)
        return table

    def recover(self, table: Any) -> None:
        """Read the whole changelog, as Faust does after an assignment."""
        table.apply_changelog_batch(
            SimpleNamespace(
                key=key,
                value=json.loads(value),
                message=SimpleNamespace(partition=partition, value=None if value == "null" else value.encode()),
            )
            for partition, key, value in self.disk.records[table.name]
        )

    def deliver(self, one: Sent) -> None:
        """The brokers have it."""
        self.sent.remove(one)
        self.disk.write(one.table.name, one.partition, one.key, one.value)
        one.delivery.set_result(None)

    def fail(self, one: Sent, *, written: bool) -> None:
        """Nobody knows whether the brokers have it; ``written``: they do."""
        self.sent.remove(one)
        if written:
            self.disk.write(one.table.name, one.partition, one.key, one.value)
        one.delivery.set_exception(ConnectionError())


class _Written:
    bench: Tables

    @property
    def size(self) -> int | None:
        """One partition."""
        return 1

    def send(self, partition: int, key: str, value: Any) -> Any:
        """See :class:`ChangelogTable`."""
        delivery: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        table: Any = self
        self.bench.sent.append(Sent(table, partition, key, value, delivery))
        return delivery


class _Attempts(_Written, AttemptsTable):
    pass


class _Sums(_Written, SumsTable):
    pass
