"""A stage that needs long to load joins its group meanwhile, handles nothing before it can, and says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from forebay.contract.handlers import Context, Route
from forebay.contract.names import topic_on_broker
from forebay.contract.wire import Delivered
from forebay.kafka.connection import confluent_options
from forebay.runtime.runner import StageApp
from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings, Settings, StageSettings

pytestmark = pytest.mark.embedded


@asynccontextmanager
async def _assigned(settings: Settings, seen: list[bytes], warming: "asyncio.Future[None]") -> AsyncIterator[StageApp]:
    """A stage that has its partitions, with a record in one of them."""
    from confluent_kafka import Producer

    async def handle(source: Delivered, _context: Context) -> list[object]:
        seen.append(source.value or b"")
        return []

    kafka = settings[KafkaSettings]
    producer = Producer(confluent_options(kafka))
    producer.produce(topic_on_broker("alerts", kafka), b"waits")
    assert producer.flush(30) == 0
    routes = [Route(topic="alerts", handle=handle, raw=True)]
    app = StageApp(Stage(name="warm", routes=routes, limits=StageSettings(), warming=warming), settings)
    await app.start()
    try:
        while not app.faust.consumer.assignment():
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        yield app
    finally:
        await app.stop()


async def test_records_wait_until_the_stage_is_warm(settings: Settings, topics: object) -> None:
    seen: list[bytes] = []
    warming: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with _assigned(settings, seen, warming) as app:
        assert (seen, app.ready) == ([], False)
        warming.set_result(None)
        while not seen:
            await asyncio.sleep(0.05)
        assert app.ready


async def test_a_stage_that_cannot_warm_up_fails(settings: Settings, topics: object) -> None:
    seen: list[bytes] = []
    warming: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with _assigned(settings, seen, warming) as app:
        warming.set_exception(RuntimeError("no library"))
        with pytest.raises(RuntimeError, match="no library"):
            await app.wait_failed()
    assert seen == []
