"""What a channel gets, and what becomes of a message that it does not take. On real sockets of this machine."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from forebay.contract.failures import Failure, Permanent, Transient
from forebay.contract.records import Alert, AlertState, Notification, Severity
from forebay_agents.notify.channels import open_channels
from forebay_agents.notify.messages import slack_body
from forebay_agents.notify.settings import Channel

KEY = "0123456789abcdef0123"
BAD = Alert(
    kind="provider_auth", severity=Severity.CRITICAL, tenant_id="acme", subject="gpt <!channel>",
    summary="gpt refuses us",
    message="gpt refuses our key (HTTP 401)", action="Renew it.", starts_at=1_700_000_000_000, labels={"window": "day"},
)  # fmt: skip
FINE = Alert(
    kind="quality_drop", subject="m", state=AlertState.RESOLVED, starts_at=1_700_000_000_000,
    ends_at=1_700_000_060_000,
)  # fmt: skip
MESSAGE = Notification(notification_id="n-1", channel="ops", alerts=(BAD, FINE))


@asynccontextmanager
async def serving(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/{tail:.*}", answer)
    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def sent(url: str, kind: str = "webhook", **fields: object) -> None:
    channel = Channel(**{"type": kind, "url": url, "key": KEY} | fields)  # type: ignore[arg-type]  # any key
    await open_channels({"ops": channel})["ops"].send(MESSAGE)


async def test_a_webhook_gets_json_that_says_who_said_it() -> None:
    got: list[tuple[bytes, str]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((await request.read(), request.headers["forebay-signature"]))
        return web.Response(status=204)

    async with serving(take) as url:
        await sent(f"{url}/hook")
    [(body, signed)] = got
    at, _, digest = signed.removeprefix("t=").partition(",v1=")
    assert hmac.compare_digest(digest, hmac.new(KEY.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest())
    content = json.loads(body)
    assert (content["version"], content["id"], content["channel"]) == (1, "n-1", "ops")
    first, second = content["alerts"]
    assert (first["kind"], first["state"], first["severity"], first["tenant_id"]) == (
        "provider_auth", "firing", "critical", "acme",
    )  # fmt: skip
    assert (first["starts_at"], first["ends_at"], first["labels"]) == ("2023-11-14T22:13:20Z", None, {"window": "day"})
    assert (second["state"], second["ends_at"]) == ("resolved", "2023-11-14T22:14:20Z")
    assert first["fingerprint"] == BAD.fingerprint


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, Transient), (503, Transient), (429, Transient), (408, Transient), (400, Permanent), (404, Permanent),
     (410, Permanent), (301, Permanent), (307, Permanent), (304, Permanent)],
)  # fmt: skip
async def test_what_is_not_taken_is_tried_again_or_not(status: int, kind: type[Failure]) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"location": "/elsewhere", "retry-after": "7"})

    async with serving(answer) as url:
        with pytest.raises(kind) as failed:
            await sent(f"{url}/hook")
    assert asked == ["/hook"], "no redirect is followed"
    assert str(status) in failed.value.message
    assert "hook" not in failed.value.message, "its address may be a secret"
    if isinstance(failed.value, Transient):
        assert failed.value.retry_after_s == 7.0


async def test_a_webhook_that_hangs_is_tried_later() -> None:
    async def hang(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with serving(hang) as url:
        with pytest.raises(Transient) as failed:
            await sent(url, timeout_s=0.2)
    assert failed.value.code == "channel_unavailable"


def nobody() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def test_where_nobody_listens_is_tried_later() -> None:
    with pytest.raises(Transient):
        await sent(f"http://127.0.0.1:{nobody()}/hook")
    with pytest.raises(Transient):
        await sent("", "smtp", host="127.0.0.1", port=nobody(), sender="f@x.test", to=["o@x.test"], starttls=False)


def test_in_slack_an_alert_is_text() -> None:
    text = json.loads(
        slack_body(Notification(alerts=(Alert(subject="x", summary="<!channel> & <http://evil.test|x>"),)))
    )
    assert "&lt;!channel&gt; &amp; &lt;http://evil.test|x&gt;" in text["text"]
    assert "<" not in text["text"]


@asynccontextmanager
async def mailing(to: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A mail server that answers a recipient with ``to``; what it was told."""
    told: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        in_data = False
        while line := await reader.readline():
            told.append(line.strip())
            word = line[:4].upper()
            if in_data:
                in_data = line != b".\r\n"
                if not in_data:
                    writer.write(b"250 taken\r\n")
            elif word == b"RCPT":
                writer.write(to + b"\r\n")
            elif word == b"DATA":
                in_data = True
                writer.write(b"354 go on\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                await writer.drain()
                break
            else:
                writer.write(b"250 ok\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], told


async def mailed(port: int) -> None:
    await sent("", "smtp", host="127.0.0.1", port=port, sender="f@x.test", to=["o@x.test"], starttls=False)


async def test_a_mail_says_it_in_plain_words() -> None:
    async with mailing(b"250 ok") as (port, told):
        await mailed(port)
    assert b"Subject: [forebay] critical: gpt refuses us (and 1 more)" in told
    assert b"What to do: Renew it." in told


@pytest.mark.parametrize(("to", "kind"), [(b"550 unknown", Permanent), (b"450 busy", Transient)])
async def test_a_mail_server_that_refuses_for_good_or_for_now(to: bytes, kind: type[Failure]) -> None:
    async with mailing(to) as (port, _):
        with pytest.raises(kind):
            await mailed(port)


async def test_a_mail_server_that_does_not_encrypt_gets_nothing() -> None:
    async with mailing(b"250 ok") as (port, told):
        with pytest.raises(Permanent):
            await sent("", "smtp", host="127.0.0.1", port=port, sender="f@x.test", to=["o@x.test"])
    assert not [line for line in told if line.startswith(b"MAIL")]
