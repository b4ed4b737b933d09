"""A stream by HTTP from pieces of a call: names restored across any cutting, and never two answers in one."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from forebay.client.pieces import HeardPieces
from forebay.contract.records import Delta
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.vault import Owner
from tests.unit.edge.bench import Bench, bench, failed
from tests.unit.edge.test_streams import STREAM, Fed, events, text_of

WRITTEN = "Dear <PERSON_1>, the ferry to LOCATION_1 leaves at nine. Greetings, <PERSON_1>"
WHOLE = "Dear Åse Lunde, the ferry to Ilulissat leaves at nine. Greetings, Åse Lunde"
ENDED = "forebay_edge_first_piece_seconds_count"


class Maps:
    async def load(self, ref: str, owner: Owner, request_id: str) -> PseudonymMap:
        assert (ref, owner, bool(request_id)) == ("v-1", Owner(tenant_id="acme", user_id="u_1"), True)
        return PseudonymMap(originals={"<PERSON_1>": "Åse Lunde", "<LOCATION_1>": "Ilulissat"})


def cut(text: str, size: int, attempt: str = "a-1") -> list[Delta]:
    places = range(0, len(text), size)
    return [
        Delta(attempt_id=attempt, at=at, text=text[at : at + size], user_id="u_1", vault_ref="v-1") for at in places
    ]


async def streamed(door: Bench, heard: HeardPieces, pieces: Sequence[Delta], **answer: Any) -> list[Any]:
    """Events of a stream whose first text was sent before its record came."""
    call = asyncio.create_task(door.streamed(STREAM))
    request = await door.asked()
    while not heard.wanted(request.request_id):
        await asyncio.sleep(0)
    heard.arrived([(request.request_id, piece) for piece in pieces])
    while not door.metrics.get_sample_value(ENDED):
        await asyncio.sleep(0.001)
    door.channel.answer(request, **answer)
    return events((await call)[1])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 200])
async def test_a_name_is_restored_wherever_its_pseudonym_is_cut(size: int) -> None:
    heard = HeardPieces(3, Maps())
    async with bench(heard) as door:
        found = await streamed(door, heard, cut(WRITTEN, size), content=WHOLE)
    assert (text_of(found), found[-1]) == (WHOLE, "[DONE]")
    assert "PERSON" not in str(found)
    assert "LOCATION" not in str(found)


async def test_a_second_call_that_writes_the_same_goes_on() -> None:
    heard = HeardPieces(3, Maps())
    async with bench(heard) as door:
        pieces = [*cut(WRITTEN, 7)[:4], *cut(WRITTEN, 11, "a-2")]
        found = await streamed(door, heard, pieces, content=WHOLE)
    assert (text_of(found), found[-1]) == (WHOLE, "[DONE]")


async def test_a_second_call_that_writes_something_else_is_an_error_and_no_mixture() -> None:
    heard = HeardPieces(3, Maps())
    async with bench(heard) as door:
        pieces = [*cut(WRITTEN, 7)[:5], *cut("Nobody goes to LOCATION_1 any more.", 9, "a-2")]
        found = await streamed(door, heard, pieces, content="Nobody goes to Ilulissat any more.")
    assert found[-1]["error"]["code"] == "stream_restarted"
    assert "[DONE]" not in found
    assert WHOLE.startswith(text_of(found))
    assert text_of(found)


async def test_a_stream_whose_model_broke_off_ends_with_its_error() -> None:
    heard = HeardPieces(3, Maps())
    async with bench(heard) as door:
        found = await streamed(door, heard, cut(WRITTEN, 7)[:5], **failed("retries_exhausted"))
    assert found[-1]["error"]["code"] == "retries_exhausted"
    assert WHOLE.startswith(text_of(found))
    assert "[DONE]" not in found


async def test_two_clients_of_one_request_get_the_same() -> None:
    heard = HeardPieces(3, Maps())
    async with bench(heard) as door:
        named = {"idempotency-key": "once"}
        first = asyncio.create_task(door.streamed(STREAM, headers=named))
        request = await door.asked()
        while not heard.wanted(request.request_id):
            await asyncio.sleep(0)
        begun, *others = [(request.request_id, piece) for piece in cut(WRITTEN, 30)]
        heard.arrived([begun])
        while not door.metrics.get_sample_value(ENDED):
            await asyncio.sleep(0.001)
        second = asyncio.create_task(door.streamed(STREAM, headers=named))
        while door.metrics.get_sample_value(ENDED) != 2:
            await asyncio.sleep(0.001)
        heard.arrived(others)
        door.channel.answer(request, content=WHOLE)
        texts = [text_of(events(lines)) for _, lines in (await first, await second)]
    assert (texts, len(door.channel.requests)) == ([WHOLE, WHOLE], 1)


@pytest.mark.parametrize(
    ("asked", "stream", "told"), [("early", True, b"early"), ("early", False, None), ("", True, None)]
)
async def test_who_wants_to_hear_early_says_so(asked: str, stream: bool, told: bytes | None) -> None:
    async with bench(Fed()) as door:
        call = asyncio.create_task(door.streamed({**STREAM, "stream": stream}, headers={"x-forebay-stream": asked}))
        request = await door.asked()
        assert door.channel.published[0][3].get("forebay-stream") == told
        door.channel.answer(request, content="Hello!")
        assert (await call)[0] == 200


async def test_there_is_no_other_way_to_stream() -> None:
    async with bench(Fed()) as door:
        status, body, _ = await door.call(STREAM, headers={"x-forebay-stream": "late"})
        assert (status, body["error"]["param"]) == (400, "x-forebay-stream")
        assert door.channel.published == []
