"""What does the stage do with its records? Alerts are noted, silences too, and messages are sent.

What is to be told is a record of its own for each channel (``notifications``): a channel that fails holds up nobody,
its messages go through the retry topics to a dead letter. A message is noted as sent, so that one that is read twice
goes out once, unless a worker ends between the two.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from forebay.contract.clock import Clock, now_ms
from forebay.contract.failures import Permanent
from forebay.contract.handlers import Context, Output, WriteAhead
from forebay.contract.records import Alert, AlertState, Notification, Silence
from forebay.state.keys import digest_of
from forebay_agents.notify.metrics import METRICS, NotifyMetrics
from forebay_agents.notify.routing import channels_of, silenced_until
from forebay_agents.notify.settings import NotifySettings
from forebay_agents.notify.store import Store
from forebay_agents.notify.telling import Known, Verdict, due, group_of, heard, judged, since

log = structlog.get_logger(__name__)

_MOST = 50
"""Alerts in one message."""


class Sender(Protocol):
    """A channel."""

    async def send(self, notification: Notification) -> None:
        """Raises ``Transient("channel_unavailable")`` or ``Permanent("channel_refused")``."""
        ...


class NotifyHandler:
    """See the module.

    Args:
        senders: name of a channel to the channel.
        now_ms: ms since the epoch.
    """

    def __init__(
        self,
        settings: NotifySettings,
        store: Store,
        senders: Mapping[str, Sender],
        now_ms: Clock = now_ms,
        metrics: NotifyMetrics = METRICS,
    ) -> None:
        self._settings = settings
        self._store = store
        self._senders = senders
        self._now_ms = now_ms
        self._metrics = metrics

    async def alert(self, alert: Alert, _context: Context) -> Sequence[Output]:
        """``alerts``: note what is new; it is told by :meth:`tell`."""
        if not self._settings.channels:
            return ()
        while True:
            now = self._now_ms()
            seen = await self._store.get(alert.fingerprint)
            known = heard(Known.of(seen) if seen else None, alert, now)
            if known is None:
                return ()
            told_at = await self._store.told_at(group_of(known.alert))
            if await self._store.swap(alert.fingerprint, seen, known.text(), due(known, told_at, now, self._settings)):
                return ()

    async def silence(self, silence: Silence, _context: Context) -> Sequence[Output]:
        """``alerts.silences``: for whom nobody is to hear, and until when."""
        now = self._now_ms()
        await self._store.silence(silence, now)
        if silence.ends_at <= now:
            await self._store.wake(now)
        return ()

    async def send(self, notification: Notification, _context: Context) -> Sequence[Output]:
        """``notifications``: send a message, once."""
        sender = self._senders.get(notification.channel)
        if sender is None or not notification.alerts:
            raise Permanent("channel_refused", "there is no such channel any more, or nothing to say")
        if await self._store.sent(notification.notification_id):
            return ()
        try:
            await sender.send(notification)
        except Exception:
            self._metrics.failed(notification.channel)
            raise
        self._metrics.sent(notification.channel)
        await self._store.sending_done(notification.notification_id)
        return ()

    async def tell(self, publish: WriteAhead) -> None:
        """Have people told of all that is due."""
        now = self._now_ms()
        if not (taken := await self._store.take(now)):
            return
        silences = await self._store.silences()
        verdicts: list[tuple[str, str, Known, Verdict]] = []
        for fingerprint, text in taken:
            known = Known.of(text)
            verdict = judged(known, silenced_until(known.alert, silences, now), now, self._settings)
            verdicts.append((fingerprint, text, known, verdict))
        telling = [known for _, _, known, verdict in verdicts if verdict.tell]
        notifications = self._notifications(telling, now)
        if notifications:
            await publish([Output(topic="notifications", key=one.channel, value=one) for one in notifications])
        for group in {group_of(known.alert) for known in telling}:
            await self._store.told(group, now, round(1000 * self._settings.group_s))
        for fingerprint, text, _, verdict in verdicts:
            await self._settle(fingerprint, text, verdict)

    async def _settle(self, fingerprint: str, text: str, verdict: Verdict) -> None:
        """What is known from now on; if more was heard meanwhile, that, and that people were told."""
        after = verdict.known.text() if verdict.known else ""
        while not await self._store.swap(fingerprint, text, after, verdict.due_ms):
            text = await self._store.get(fingerprint)
            if not text or not verdict.tell or verdict.known is None:
                return  # what came meanwhile is due by itself
            newer = replace(Known.of(text), told_at=verdict.known.told_at)
            after = newer.text()
            now = self._now_ms()
            told_at = now if newer.alert.state is AlertState.RESOLVED else 0
            verdict = replace(verdict, due_ms=due(newer, told_at, now, self._settings))

    def _notifications(self, telling: Sequence[Known], now: int) -> list[Notification]:
        groups: defaultdict[tuple[str, str], list[Known]] = defaultdict(list)
        for known in telling:
            for channel in channels_of(known.alert, self._settings):
                groups[channel, group_of(known.alert)].append(known)
        found = []
        for (channel, _), of_group in groups.items():
            of_group.sort(key=lambda one: (since(one.alert), one.alert.fingerprint))
            for start in range(0, len(of_group), _MOST):
                part = of_group[start : start + _MOST]
                # Of what is told, so that a message that is made once more has the same one.
                facts = [f"{o.alert.fingerprint} {o.alert.state} {since(o.alert)} {o.told_at}" for o in part]
                found.append(
                    Notification(
                        notification_id=digest_of(channel, *facts),
                        channel=channel,
                        alerts=tuple(one.alert for one in part),
                        created_at=now,
                    )
                )
        return found
