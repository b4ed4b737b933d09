"""The store in memory, a channel that notes what it got, and a bench of workers that share them."""

from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from forebay.contract.failures import Transient
from forebay.contract.handlers import Output
from forebay.contract.records import Alert, Notification, Silence
from forebay.testing import context
from forebay_agents.notify.handler import NotifyHandler
from forebay_agents.notify.metrics import NotifyMetrics
from forebay_agents.notify.settings import NotifySettings
from forebay_agents.notify.store import LEASE_MS

HOOK = {"type": "webhook", "url": "https://example.test/hook", "key": "k" * 32}


class MemoryStore:
    """See :class:`forebay_agents.notify.store.Store`."""

    def __init__(self) -> None:
        self.open: dict[str, str] = {}
        self.due: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        self.silent: dict[str, Silence] = {}
        self.notified: set[str] = set()
        self.down = False

    async def get(self, fingerprint: str) -> str:
        if self.down:
            raise Transient("redis_unavailable", "notify: gone")
        return self.open.get(fingerprint, "")

    async def swap(self, fingerprint: str, seen: str, known: str, due_ms: int) -> bool:
        if self.open.get(fingerprint, "") != seen:
            return False
        if known:
            self.open[fingerprint], self.due[fingerprint] = known, due_ms
        else:
            self.open.pop(fingerprint, None)
            self.due.pop(fingerprint, None)
        return True

    async def take(self, now_ms: int) -> Sequence[tuple[str, str]]:
        if self.down:
            raise Transient("redis_unavailable", "notify: gone")
        found = [one for one, at_ms in sorted(self.due.items(), key=lambda pair: pair[1]) if at_ms <= now_ms]
        self.due |= dict.fromkeys(found, now_ms + LEASE_MS)
        return [(one, self.open[one]) for one in found]

    async def wake(self, now_ms: int) -> None:
        self.due = dict.fromkeys(self.open, now_ms)

    async def told_at(self, group: str) -> int:
        return self.groups.get(group, 0)

    async def told(self, group: str, at_ms: int, keep_ms: int) -> None:
        self.groups[group] = at_ms

    async def silences(self) -> Sequence[Silence]:
        return list(self.silent.values())

    async def silence(self, silence: Silence, now_ms: int) -> None:
        self.silent[silence.silence_id] = silence

    async def sent(self, notification_id: str) -> bool:
        return notification_id in self.notified

    async def sending_done(self, notification_id: str) -> None:
        self.notified.add(notification_id)


class Noting:
    """A channel."""

    def __init__(self) -> None:
        self.got: list[Notification] = []
        self.fails: Exception | None = None

    async def send(self, notification: Notification) -> None:
        if self.fails is not None:
            raise self.fails
        self.got.append(notification)

    @property
    def said(self) -> list[list[tuple[str, str]]]:
        return [[(alert.subject, alert.state.value) for alert in one.alerts] for one in self.got]


class Bench:
    """Workers of the stage, and time that passes as a test says."""

    def __init__(self, workers: int = 1, store: Any = None, **fields: Any) -> None:
        self.now_ms = 1_700_000_000_000
        self.store = store or MemoryStore()
        self.channel, self.other = Noting(), Noting()
        settings = NotifySettings(**{"channels": {"ops": HOOK}, **fields})
        senders = {"ops": self.channel, "other": self.other}
        self.metrics = NotifyMetrics(CollectorRegistry())
        self.workers = [
            NotifyHandler(settings, self.store, senders, lambda: self.now_ms, self.metrics) for _ in range(workers)
        ]
        self.published: list[Notification] = []

    async def hears(self, alert: Alert, worker: int = 0) -> None:
        assert await self.workers[worker].alert(alert, context("alerts")) == ()

    async def publish(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            assert output.topic == "notifications"
            assert isinstance(output.value, Notification)
            self.published.append(output.value)

    async def passes(self, seconds: float = 0.0) -> None:
        """Time goes by; every worker looks, and what is to be sent is."""
        self.now_ms += round(1000 * seconds)
        for worker in self.workers:
            await worker.tell(self.publish)
        waiting, self.published = self.published, []
        for notification in waiting:
            await self.workers[0].send(notification, context("notifications"))
