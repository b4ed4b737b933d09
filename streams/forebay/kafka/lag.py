"""How far behind is each stage? One calculation, for ``forebay status``, the gauges, ``/readyz`` and the alerts.

Records that a group has not finished, and seconds since the oldest of them was written. What is no record is no lag:
markers of transactions, and what was in transactions that were aborted. A stage that has finished nothing yet has all
before it.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import entry_points

from forebay.contract.clock import now_ms
from forebay.contract.names import group_on_broker
from forebay.kafka.group_offsets import CHANGELOG, Offsets, begun, read_offsets
from forebay.kafka.queries import Place
from forebay.settings import KafkaSettings, Settings, StageSettings

Lag = dict[str, dict[str, int]]
"""Stage to logical topic to unfinished records."""

RECORDER = "recorder"
"""The worker that is no stage and reads topics."""

_POLL_S = 0.3

_VERSION = re.compile(r"-v\d+$")
"""What ``stage.version`` appends to a group (:func:`forebay.contract.names.group_on_broker`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """What a group has not finished of a partition: records, and seconds since the oldest was written."""

    records: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Sight:
    at: int
    since_ms: int


class Sightings:
    """Since when is each first unfinished record known to wait? For those whose own time says nothing.

    A producer may give any time, and clocks differ: a record of tomorrow would not wait at all. Who looks once knows
    only what the record says; who looks again and again knows better.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Place], _Sight] = {}

    def since(self, group: str, place: Place, at: int, now_ms: int) -> int:
        """When ``at`` was first seen to be what the group has to finish next, in ms."""
        known = self._seen.get((group, place))
        if known is None or known.at != at:
            known = self._seen[group, place] = _Sight(at, now_ms)
        return known.since_ms

    def gone(self, group: str, place: Place) -> None:
        """Nothing waits there."""
        self._seen.pop((group, place), None)


def left(offsets: Offsets) -> dict[str, dict[Place, tuple[int, int]]]:
    """By group: places with offsets that it has not finished: the first of them, and the end."""
    found: dict[str, dict[Place, tuple[int, int]]] = {}
    for group, places in sorted(offsets.finished.items()):
        found[group] = {
            place: (begun(offsets, place, at), offsets.end[place])
            for place, at in sorted(places.items(), key=lambda item: item[0])
            if place in offsets.end and not place[0].endswith(CHANGELOG)
        }
    return found


def waiting(
    offsets: Offsets, times: Mapping[Place, Mapping[int, int | None]], now: int, seen: Sightings | None = None
) -> dict[str, dict[Place, Waiting]]:
    """What each group has not finished.

    Args:
        offsets: as the brokers have them.
        times: place to first unfinished offset to its time in ms (:mod:`forebay.kafka.direct`): ``None``: no record
            follows; 0 or no entry: nobody knows.
        now: ms since the epoch.
        seen: of earlier looks.
    """
    seen = seen or Sightings()
    found: dict[str, dict[Place, Waiting]] = {}
    for group, places in left(offsets).items():
        found[group] = {}
        for place, (at, end) in places.items():
            written = times.get(place, {}).get(at, 0)
            if at >= end or written is None:
                seen.gone(group, place)
                found[group][place] = Waiting()
                continue
            since = min(written or now, seen.since(group, place, at, now))
            found[group][place] = Waiting(records=end - at, seconds=max(0.0, (now - since) / 1000))
    return found


def by_topic(found: Mapping[str, Mapping[Place, Waiting]], prefix: str) -> dict[str, dict[str, Waiting]]:
    """Stage to logical topic to what waits there: records of all partitions, seconds of the worst."""
    stages: dict[str, dict[str, Waiting]] = {}
    for group, places in found.items():
        topics: dict[str, Waiting] = {}
        for (topic, _), one in places.items():
            so_far = topics.get(name := topic.removeprefix(prefix), Waiting())
            topics[name] = Waiting(records=so_far.records + one.records, seconds=max(so_far.seconds, one.seconds))
        stages[_VERSION.sub("", group.removeprefix(prefix))] = topics
    return stages


def read_waiting(settings: Settings, timeout_s: float = 15.0) -> tuple[Offsets, dict[str, dict[str, Waiting]]]:
    """What every stage that has ever run has not finished, by logical topic, and the offsets behind it; blocks.

    Raises:
        BrokerUnavailableError: no broker answers.
    """
    kafka = settings[KafkaSettings]
    offsets = read_offsets(kafka, stage_groups(settings), timeout_s)
    places = [one for places in left(offsets).values() for one in places.items() if one[1][0] < one[1][1]]
    times: dict[Place, dict[int, int | None]] = {}
    if places:
        # In a thread: whoever calls may be in an event loop of their own.
        with ThreadPoolExecutor(1) as pool:
            times = pool.submit(asyncio.run, ask_times(kafka, places)).result()
    return offsets, by_topic(waiting(offsets, times, now_ms()), kafka.topic_prefix)


async def ask_times(
    kafka: KafkaSettings, places: list[tuple[Place, tuple[int, int]]]
) -> dict[Place, dict[int, int | None]]:
    """Times of the first records; several groups may ask about one place."""
    from forebay.kafka.direct import Direct

    times: dict[Place, dict[int, int | None]] = {}
    async with Direct(kafka) as direct:
        todo = list(dict.fromkeys(places))
        while todo:
            once = dict(todo)  # one question a place and round
            for place, time_ms in (await direct.times(once)).items():
                times.setdefault(place, {})[once[place][0]] = time_ms
            todo = [one for one in todo if once[one[0]] != one[1]]
    return times


def consumer_lag(settings: Settings, timeout_s: float = 15.0) -> Lag:
    """Unfinished records of every stage that has ever run; a stage that has not is left out."""
    _, found = read_waiting(settings, timeout_s)
    return {stage: {topic: one.records for topic, one in topics.items()} for stage, topics in found.items()}


def stage_groups(settings: Settings) -> list[str]:
    """Consumer groups of the installed stages, and that to which the recorder tells how far it is."""
    # Not forebay.runtime.worker.stage_names(), which imports Faust: 0.6 s that `forebay status` need not take.
    kafka, version = settings[KafkaSettings], settings[StageSettings].version
    names = [*(entry.name for entry in entry_points(group="forebay.stages")), RECORDER]
    return [group_on_broker(name, kafka, version) for name in names]


def wait_until_idle(settings: Settings, timeout_s: float) -> bool:
    """Wait until no stage has anything left to do; whether that came within ``timeout_s`` seconds.

    Looks twice: between two stages a record is in neither's lag.
    """
    deadline = time.monotonic() + timeout_s
    quiet = 0
    while quiet < 2:
        if time.monotonic() > deadline:
            return False
        busy = any(records for topics in consumer_lag(settings).values() for records in topics.values())
        quiet = 0 if busy else quiet + 1
        time.sleep(_POLL_S)
    return True
