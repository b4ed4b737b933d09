"""A door that is stopped goes in order: it says so first, takes nothing new, and leaves nobody without a word."""

import asyncio
from dataclasses import dataclass
from typing import Any

from forebay.edge.run import Door, drain
from forebay.edge.settings import EdgeSettings
from forebay.settings import Settings
from tests.unit.edge.bench import HELLO, bench
from tests.unit.edge.test_streams import STREAM, events


def soon(**seconds: float) -> EdgeSettings:
    return EdgeSettings(**{"lame_duck_s": 0.3, "drain_s": 0.3, **seconds})


async def test_what_is_open_has_its_time_and_then_a_word_and_what_is_new_is_sent_elsewhere() -> None:
    async with bench(open_after_s=0.0) as door:
        quick, slow = asyncio.create_task(door.call(HELLO)), asyncio.create_task(door.call(HELLO))
        quick_one, slow_one = await door.asked(1), await door.asked(2)
        streaming = asyncio.create_task(door.streamed(STREAM))
        streamed = await door.asked(3)
        told = Door(Settings({}))
        going = asyncio.create_task(drain(door.app, told, soon()))
        await asyncio.sleep(0)
        assert set(told.readiness().problems["edge"]) == {"draining"}, "at once, while it still listens"
        status, body, headers = await door.call(HELLO)
        assert (status, body["error"]["code"], headers["connection"]) == (503, "draining", "close")
        assert headers["retry-after"] == "1"
        assert len(door.channel.requests) == 3
        door.channel.answer(quick_one, content="Just in time.")
        await going
        answers = await asyncio.gather(quick, slow)
        assert sorted(status for status, _, _ in answers) == [200, 504]
        [late] = [headers for status, _, headers in answers if status == 504]
        assert late["location"].removeprefix("/v1/requests/") in {quick_one.request_id, slow_one.request_id}
        error = events((await streaming)[1])[-1]["error"]
        assert (error["code"], error["id"]) == ("draining", f"chatcmpl-{streamed.request_id}")


async def test_nobody_is_waited_for_where_nobody_waits() -> None:
    async with bench() as door:
        await drain(door.app, Door(Settings({})), soon(lame_duck_s=0.0, drain_s=3_600.0))
        assert (await door.call(HELLO))[1]["error"]["code"] == "draining"


@dataclass
class Silent:
    """Brokers that said something so long ago."""

    silent_s: float
    caught_up: bool = True


def test_a_door_without_brokers_is_not_ready() -> None:
    door: Any = Door(Settings({}))
    assert not door.readiness().started
    door.listening, door.channel = True, Silent(1.0, caught_up=False)
    assert not door.readiness().started, "it does not know yet what was answered before"
    door.channel = Silent(1.0)
    assert (door.readiness().started, door.readiness().problems) == (True, {})
    door.channel = Silent(9.0)
    assert set(door.readiness().problems["edge"]) == {"no_broker"}
