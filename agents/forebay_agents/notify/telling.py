"""When are people told of an alert, told again, and told that it is over? Pure: what is known in, what to do out.

The first alert of a kind and tenant is told at once, as minutes count; what follows within ``group_s`` of a message is
collected for the next. A condition that ended before anybody was told of it is told as ended: it was there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from forebay.contract.json_lines import record_from_json, to_json
from forebay.contract.records import Alert, AlertState
from forebay_agents.notify.settings import NotifySettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """An alert that is not over for everybody; ``told_at``: when people heard last that it fires, 0: never."""

    alert: Alert
    told_at: int = 0

    def text(self) -> str:
        """As it is kept."""
        return json.dumps({"alert": to_json(self.alert), "told_at": self.told_at}, ensure_ascii=True, sort_keys=True)

    @classmethod
    def of(cls, text: str) -> "Known":
        """Inverse of :meth:`text`."""
        kept: Mapping[str, Any] = json.loads(text)
        return cls(alert=record_from_json(Alert, kept["alert"]), told_at=kept["told_at"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What becomes of a known alert that is due.

    Attributes:
        tell: whether people hear of it now.
        known: what is known of it then; ``None``: nothing any more.
        due_ms: when to look at it again.
    """

    tell: bool
    known: Known | None
    due_ms: int = 0


def group_of(alert: Alert) -> str:
    """What is told in one message."""
    return json.dumps([alert.kind, alert.tenant_id])


def heard(known: Known | None, alert: Alert, now_ms: int) -> Known | None:
    """What is known once ``alert`` was read; ``None``: it says nothing new."""
    if alert.state is AlertState.RESOLVED:
        if known is None or known.alert.state is AlertState.RESOLVED:
            return None
        return replace(known, alert=alert)
    if alert.ends_at is not None and alert.ends_at <= now_ms:
        return None
    if known is None:
        return Known(alert=alert)
    return None if known.alert.state is AlertState.FIRING else replace(known, alert=alert)


def due(known: Known, group_told_ms: int, now_ms: int, settings: NotifySettings) -> int:
    """When people are to hear of ``known``, ms since the epoch, if nothing else happens."""
    alert = known.alert
    if known.told_at and alert.state is AlertState.FIRING:
        return known.told_at + _ms(settings.repeat_s) if alert.ends_at is None else alert.ends_at
    return max(now_ms, group_told_ms + _ms(settings.group_s))


def judged(known: Known, silent_until: int | None, now_ms: int, settings: NotifySettings) -> Verdict:
    """What to do with ``known``, which is due.

    Args:
        silent_until: nobody is to hear of it until then.
    """
    alert = known.alert
    if alert.state is AlertState.RESOLVED:
        return Verdict(tell=silent_until is None, known=None)
    over = alert.ends_at is not None and alert.ends_at <= now_ms
    forgotten = known.told_at and now_ms - since(alert) > _ms(settings.forget_s)
    if over or forgotten:
        return Verdict(tell=False, known=None)
    if silent_until is not None:
        until = silent_until if alert.ends_at is None else min(silent_until, alert.ends_at)
        return Verdict(tell=False, known=known, due_ms=until)
    later = due(known, 0, now_ms, settings)
    if later > now_ms:
        return Verdict(tell=False, known=known, due_ms=later)
    told = replace(known, told_at=now_ms)
    return Verdict(tell=True, known=told, due_ms=due(told, now_ms, now_ms, settings))


def since(alert: Alert) -> int:
    """Since when it holds, also of records from before they said so; ms since the epoch."""
    return alert.starts_at or alert.created_at


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
