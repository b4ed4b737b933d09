"""What did it take? CPU and memory of each process, records written, commands to Redis: two looks and a difference."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil

from forebay.kafka.group_offsets import read_offsets, topic_sizes
from forebay.settings import KafkaSettings, RedisSettings, Settings

GENERATOR, PROVIDER = "generator", "provider"
_NOT_FOREBAY = frozenset({GENERATOR, PROVIDER})


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """Everything that only grows, at one moment; CPU in ms by process."""

    at_s: float
    cpu_ms: Mapping[str, float]
    records: Mapping[str, int] = field(default_factory=dict)
    commands: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What lies between two looks.

    Attributes:
        cpu_ms: by process; the load's own (``generator`` and ``provider``) beside those of Forebay.
        records: by topic, changelogs too.
        commands: that Redis carried out, those within scripts too.
    """

    seconds: float
    cpu_ms: Mapping[str, float]
    records: Mapping[str, int]
    commands: int

    @property
    def forebay_ms(self) -> float:
        """CPU of everything but the load itself."""
        return sum(ms for name, ms in self.cpu_ms.items() if name not in _NOT_FOREBAY)


def spent(before: Look, after: Look) -> Spent:
    """The difference; a process that was started again counts from its new begin."""
    return Spent(
        seconds=after.at_s - before.at_s,
        cpu_ms={
            name: ms - then if ms >= (then := before.cpu_ms.get(name, 0.0)) else ms for name, ms in after.cpu_ms.items()
        },
        records={topic: end - before.records.get(topic, 0) for topic, end in after.records.items()},
        commands=after.commands - before.commands,
    )


class Watch:
    """Looks at the processes of one stack.

    Args:
        pids: of its processes, by name.
    """

    def __init__(self, settings: Settings, pids: Mapping[str, int]) -> None:
        self._settings = settings
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}

    def look(self) -> Look:
        """How things stand now."""
        kafka = self._settings[KafkaSettings]
        cpu = {name: ms for name, one in self._processes.items() if (ms := _cpu_ms(one)) is not None}
        sizes = topic_sizes(read_offsets(kafka, ()), kafka.topic_prefix)
        return Look(
            at_s=time.monotonic(),
            cpu_ms=cpu,
            records={topic: size["records"] for topic, size in sizes.items()},
            commands=self._commands(),
        )

    def pss_mb(self) -> dict[str, float]:
        """Proportional set size of each process but those of the load, in MB: what is shared counts once."""
        found = {}
        for name, process in self._processes.items():
            if name not in _NOT_FOREBAY:
                try:
                    found[name] = round(process.memory_full_info().pss / 1e6, 1)
                except psutil.Error:
                    continue
        return found

    def _commands(self) -> int:
        import asyncio

        redis = self._settings[RedisSettings]
        urls = {redis.url.get_secret_value(), redis.cache_url.get_secret_value()} - {""}
        return asyncio.run(_commands_at(urls))


async def _commands_at(urls: set[str]) -> int:
    from forebay.state.redis_client import open_redis_at

    total = 0
    for url in urls:
        async with open_redis_at(url, timeout_s=5.0) as client:
            found: Mapping[str, Any] = await client.info("stats")
            total += int(found["total_commands_processed"])
    return total


def _cpu_ms(process: psutil.Process) -> float | None:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return None
    return 1000 * float(times.user + times.system)
