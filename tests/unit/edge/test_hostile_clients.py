"""Who dawdles is closed, whatever it wants, and the others are served meanwhile; nobody learns what serves them."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.unit.edge.bench import HELLO, SECRET, Bench, bench
from tests.unit.edge.test_bad_input import raw

HEAD = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {SECRET}\r\n"
SHORT = 0.3
"""Seconds that a client may take here, instead of ten or thirty."""
LONG = b"x" * 16_000_000
"""More than all the buffers between a door and its client take."""


@asynccontextmanager
async def connection(
    door: Bench, receive: int | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a door; ``receive``: bytes of its buffer."""
    plain = socket.socket()
    if receive is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    plain.setblocking(False)
    host, _, port = door.url.removeprefix("http://").partition(":")
    await asyncio.get_running_loop().sock_connect(plain, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=plain, limit=1 << 12)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What is said until the connection ends, in whichever way."""
    text = b""
    try:
        while more := await reader.read(65_536):
            text += more
    except ConnectionError:
        pass
    return text


def told(answer: bytes) -> tuple[bytes, Any]:
    """Status line and error of an answer."""
    head, _, content = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], json.loads(content)["error"]


async def test_a_head_that_comes_byte_by_byte_is_cut_off_and_others_are_served() -> None:
    async with bench(head_s=SHORT) as door, connection(door) as (reader, writer):

        async def dawdle() -> None:
            for byte in b"GET /v1/models HTTP/1.1\r\nx-padding: " + b"y" * 100_000:
                writer.write(bytes([byte]))
                await asyncio.sleep(SHORT / 10)

        dawdling = asyncio.create_task(dawdle())
        served = 0
        answer = asyncio.create_task(rest(reader))
        while not answer.done():
            assert (await door.answered())[0] == 200
            served += 1
        line, error = told(answer.result())
        dawdling.cancel()
        assert (line, error["code"]) == (b"HTTP/1.1 408 Request Timeout", "request_timeout")
        assert len(door.channel.requests) == served > 0


async def test_a_second_head_has_no_more_time_than_the_first() -> None:
    async with bench(head_s=SHORT) as door, connection(door) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert b'{"status":"alive"}' in await reader.readuntil(b"}")
        await asyncio.sleep(2 * SHORT)  # it may rest as long as it likes
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert b'{"status":"alive"}' in await reader.readuntil(b"}")
        writer.write(b"GET /heal")
        assert told(await rest(reader))[1]["code"] == "request_timeout"


async def test_a_body_that_stops_is_no_request() -> None:
    async with bench(body_s=SHORT) as door:
        for head in (f"{HEAD}content-length: 500\r\n\r\n{{", f"{HEAD}transfer-encoding: chunked\r\n\r\n1\r\n{{\r\n"):
            async with connection(door) as (reader, writer):
                writer.write(head.encode())
                line, error = told(await rest(reader))
                assert (line, error["code"]) == (b"HTTP/1.1 408 Request Timeout", "request_timeout")
        assert (await door.answered())[0] == 200
        assert len(door.channel.published) == 1


async def test_two_hundred_connections_that_say_nothing_are_closed_and_others_are_served() -> None:
    async with bench(head_s=SHORT) as door:
        idle = [connection(door) for _ in range(200)]
        opened = [await one.__aenter__() for one in idle]
        assert (await door.answered())[0] == 200
        assert await asyncio.gather(*(rest(reader) for reader, _ in opened)) == [b""] * 200
        for one in idle:
            await one.__aexit__(None, None, None)
        assert (await door.answered())[0] == 200


async def test_a_connection_rests_so_long_between_two_requests() -> None:
    async with bench(idle_s=SHORT) as door, connection(door) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert (await rest(reader)).endswith(b'{"status":"alive"}')


@pytest.mark.parametrize("stream", [False, True])
async def test_a_reader_that_takes_nothing_is_dropped(stream: bool) -> None:
    async with bench(reader_s=SHORT) as door, connection(door, receive=4_096) as (reader, writer):
        content = json.dumps({**HELLO, "stream": stream}).encode()
        writer.write(f"{HEAD}content-length: {len(content)}\r\n\r\n".encode() + content)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport
        door.channel.answer(await door.asked(), content=LONG.decode())
        while not door.unread:
            await asyncio.sleep(SHORT / 100)
        while door.unread:
            assert (await door.call(path="/healthz"))[0] == 200
            await asyncio.sleep(SHORT / 10)
        writer.transport.resume_reading()  # type: ignore[attr-defined]  # a socket's transport
        assert len(await rest(reader)) < len(LONG)
        assert door.app.busy == 0


async def test_a_reader_that_takes_its_time_gets_all_of_it() -> None:
    async with bench(reader_s=4 * SHORT) as door, connection(door, receive=65_536) as (reader, writer):
        content = json.dumps(HELLO).encode()
        writer.write(f"{HEAD}connection: close\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content)
        door.channel.answer(await door.asked(), content=LONG.decode())
        taken = 0
        for _ in range(20):
            taken += len(await reader.read(65_536))
            await asyncio.sleep(SHORT / 3)
        assert taken + len(await rest(reader)) > len(LONG)


async def test_a_head_of_many_small_lines_has_an_end_too() -> None:
    async with bench() as door, connection(door) as (reader, writer):
        answer = asyncio.create_task(rest(reader))
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        number = 0
        while not answer.done():
            number += 1
            writer.write(b"x-%d: %s\r\n" % (number, b"y" * 900))
            await asyncio.sleep(0.001)
        line, error = told(answer.result())
        assert (line.split(b" ")[1], error["code"]) == (b"431", "headers_too_large")


async def test_nobody_learns_what_serves() -> None:
    async with bench(cors_origins=("https://app.example",)) as door:
        _, _, answered = await door.answered()
        _, _, unknown = await door.call(path="/v1/nothing")
        _, _, preflight = await door.call(method="OPTIONS", key=None, headers={"origin": "https://app.example"})
        assert [one.getall("server") for one in (answered, unknown, preflight)] == [["forebay"]] * 3
        streaming = asyncio.create_task(
            door.session.post(
                door.url + "/v1/chat/completions",
                json={**HELLO, "stream": True},
                headers={"authorization": f"Bearer {SECRET}"},
            )
        )
        door.channel.answer(await door.asked(2), content="Hello!")
        assert (await streaming).headers.getall("server") == ["forebay"]
        assert b"aiohttp" not in await raw(door.url, b"hello\r\n\r\n")
    async with bench(head_s=SHORT) as door, connection(door) as (reader, writer):
        writer.write(b"GET /")
        assert b"aiohttp" not in await rest(reader)
