"""How does a message reach people? By HTTP or mail, in a few seconds or later: nothing here waits for ever.

A redirect is not followed: where a message goes says the configuration, and nobody who answers there.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Callable, Mapping

import aiohttp

from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Permanent, Transient
from forebay.contract.records import Notification
from forebay_agents.notify.messages import SIGNATURE, mail, signature, slack_body, webhook_body
from forebay_agents.notify.settings import Channel

_LATER = frozenset({408, 425, 429})
"""Statuses below 500 that get better by themselves."""
_LONGEST_WAIT_S = 3_600.0


class HttpChannel:
    """A webhook, or Slack's.

    Args:
        body: what is posted.
        clock_ms: ms since the epoch, for the signature.
    """

    def __init__(
        self,
        name: str,
        channel: Channel,
        body: Callable[[Notification], bytes],
        clock_ms: Clock = now_ms,
    ) -> None:
        self._name = name
        self._channel = channel
        self._body = body
        self._clock_ms = clock_ms

    async def send(self, notification: Notification) -> None:
        """See :class:`forebay_agents.notify.handler.Sender`."""
        body = self._body(notification)
        headers = {"content-type": "application/json"}
        if key := self._channel.key.get_secret_value():
            headers[SIGNATURE] = signature(key, body, self._clock_ms() // 1000)
        timeout = aiohttp.ClientTimeout(total=self._channel.timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(
                    self._channel.url.get_secret_value(), data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                self._judge(response.status, response.headers.get("retry-after", ""))
        except TimeoutError:
            raise Transient("channel_unavailable", f"{self._name}: no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # the address is in its text, and may be a secret
            raise Transient("channel_unavailable", f"{self._name}: {type(error).__name__}") from None

    def _judge(self, status: int, retry_after: str) -> None:
        if 200 <= status < 300:
            return
        if status >= 500 or status in _LATER:
            wait_s = min(float(retry_after), _LONGEST_WAIT_S) if retry_after.isdecimal() else None
            raise Transient("channel_unavailable", f"{self._name}: HTTP {status}", retry_after_s=wait_s)
        raise Permanent("channel_refused", f"{self._name}: HTTP {status}")


class MailChannel:
    """A mail server. The library blocks, so it runs in a thread."""

    def __init__(self, name: str, channel: Channel) -> None:
        self._name = name
        self._channel = channel

    async def send(self, notification: Notification) -> None:
        """See :class:`forebay_agents.notify.handler.Sender`."""
        try:
            await asyncio.to_thread(self._send, notification)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise self._failure(min(codes, default=0)) from None
        except smtplib.SMTPResponseException as error:
            raise self._failure(error.smtp_code) from None
        except smtplib.SMTPNotSupportedError as error:
            raise Permanent("channel_refused", f"{self._name}: {type(error).__name__}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Transient("channel_unavailable", f"{self._name}: {type(error).__name__}") from None

    def _failure(self, code: int) -> Transient | Permanent:
        """What the server says with 5xx it will say again; 4xx, and what is no code (it hung up), not."""
        if 500 <= code < 600:
            return Permanent("channel_refused", f"{self._name}: SMTP {code}")
        return Transient("channel_unavailable", f"{self._name}: SMTP {code}")

    def _send(self, notification: Notification) -> None:
        channel = self._channel
        with smtplib.SMTP(channel.host, channel.port, timeout=channel.timeout_s) as server:
            if channel.starttls:
                server.starttls(context=ssl.create_default_context())
            if channel.user:
                server.login(channel.user, channel.password.get_secret_value())
            server.send_message(mail(notification, channel))


def open_channels(channels: Mapping[str, Channel]) -> dict[str, HttpChannel | MailChannel]:
    """Name to channel."""
    return {name: _opened(name, channel) for name, channel in channels.items()}


def _opened(name: str, channel: Channel) -> HttpChannel | MailChannel:
    if channel.type == "smtp":
        return MailChannel(name, channel)
    return HttpChannel(name, channel, slack_body if channel.type == "slack" else webhook_body)
