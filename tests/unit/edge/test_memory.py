"""A request that waits takes little, whatever was asked: thousands wait at one door."""

import asyncio
import gc

from forebay.contract.records import Message
from tests.unit.edge.bench import HELLO, bench


async def test_who_waits_for_an_answer_keeps_none_of_what_was_asked() -> None:
    text = "How long is a piece of string? " * 9
    async with bench() as door:
        asking = asyncio.create_task(door.call({**HELLO, "messages": [{"role": "user", "content": text}]}))
        request = await door.asked()
        door.channel.published.clear()
        await asyncio.sleep(0)
        kept = [one for one in gc.get_objects() if isinstance(one, Message) and one.content == text]
        assert [one for one in kept if one is not request.messages[0]] == []
        door.channel.answer(request, content="Twice as long as half of it.")
        assert (await asking)[0] == 200, "the answer is known by the fingerprint of what was asked"
