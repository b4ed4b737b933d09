"""A stage that falls back tells how long records wait, and a gate turns away what cannot be answered in time."""

import asyncio
import time

import pytest

from forebay.contract.failures import Rejected
from forebay.contract.handlers import Context, Output, Route, Urgency
from forebay.contract.names import topic_on_broker
from forebay.contract.wire import Delivered
from forebay.kafka.connection import confluent_options
from forebay.kafka.lag import consumer_lag
from forebay.runtime.load.deadlines import Gate
from forebay.runtime.runner import StageApp
from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings, Settings, StageSettings
from forebay.state.waits import RedisWaits

pytestmark = pytest.mark.embedded

WORK_S = 0.2
RECORDS = 200
"""Two at once: 20 s of work."""


def _fill(settings: Settings, key: bytes, records: int) -> None:
    from confluent_kafka import Producer

    kafka = settings[KafkaSettings]
    producer = Producer(confluent_options(kafka))
    for _ in range(records):
        producer.produce(topic_on_broker("alerts", kafka), b"waits", key)
    assert producer.flush(30) == 0


async def test_who_has_too_little_time_is_turned_away_while_a_stage_behind_is_full(
    settings: Settings, topics: object
) -> None:
    async def handle(_source: Delivered, _context: Context) -> list[Output]:
        await asyncio.sleep(WORK_S)
        return []

    _fill(settings, b"k", RECORDS)
    route = Route(topic="alerts", handle=handle, raw=True, in_flight=2)
    app = StageApp(Stage(name="cache", routes=[route], limits=StageSettings(), awaited="alerts"), settings)
    waits = RedisWaits(settings)
    gate = Gate(waits, ["cache"])
    await app.start()
    try:
        end = time.monotonic() + 60
        while not (told := await waits.told()) or told["cache"].queued_ms < 1_000:
            assert time.monotonic() < end
            await asyncio.sleep(0.1)
        await gate.listen()
        with pytest.raises(Rejected) as refused:
            gate.check(Urgency(waited_ms=0, left_ms=1_000))
        assert refused.value.code == "overloaded"
        gate.check(Urgency(waited_ms=0, left_ms=600_000))
    finally:
        await app.stop()
        await waits.close()


async def test_what_is_passed_over_is_committed(settings: Settings, topics: object) -> None:
    handled: list[bytes | None] = []

    async def handle(source: Delivered, _context: Context) -> list[Output]:
        handled.append(source.key)
        return []

    _fill(settings, b"others", RECORDS)
    _fill(settings, b"mine", 1)
    route = Route(topic="alerts", handle=handle, raw=True, skip=lambda key: key == b"others")
    app = StageApp(Stage(name="evaluation", routes=[route], limits=StageSettings()), settings)
    await app.start()
    try:
        end = time.monotonic() + 60
        while not handled or consumer_lag(settings)["evaluation"]["alerts"]:
            assert time.monotonic() < end
            await asyncio.sleep(0.2)
        assert handled == [b"mine"]
    finally:
        await app.stop()
