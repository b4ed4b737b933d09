"""What does a message say? What the alerts in it say, in the form that its channel takes; nothing of any request."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from forebay import __version__
from forebay.contract.records import Alert, AlertState, Notification, Severity
from forebay_agents.notify.settings import Channel
from forebay_agents.notify.telling import since

SIGNATURE = "forebay-signature"
_MOST_CHARS = 30_000
"""Of a text; Slack takes 40,000."""
_RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


def webhook_body(notification: Notification) -> bytes:
    """JSON: ``version``, ``id`` (the same when it is sent again) and ``alerts``."""
    content = {
        "version": 1,
        "id": notification.notification_id,
        "channel": notification.channel,
        "sent_by": f"forebay/{__version__}",
        "alerts": [_facts(alert) for alert in notification.alerts],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def signature(key: str, body: bytes, at_s: int) -> str:
    """``t=…,v1=…``: HMAC-SHA256 of the time, a point and the body, so that an old message cannot be told again."""
    digest = hmac.new(key.encode(), b"%d." % at_s + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def slack_body(notification: Notification) -> bytes:
    """As Slack's incoming webhooks take it; what is in an alert is text there: no link, no mention."""
    lines = [_slack(_headline(notification)), *(_slack(line) for line in _lines(notification))]
    return json.dumps({"text": "\n".join(lines)[:_MOST_CHARS]}).encode()


def mail(notification: Notification, channel: Channel) -> EmailMessage:
    """A mail of plain text."""
    message = EmailMessage()
    message["Subject"] = _one_line(f"[forebay] {_headline(notification)}")[:200]
    message["From"] = channel.sender
    message["To"] = ", ".join(channel.to)
    message["Message-ID"] = f"<{notification.notification_id}@forebay>"
    message.set_content("\n".join(_lines(notification))[:_MOST_CHARS] + "\n")
    return message


def _facts(alert: Alert) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "state": alert.state.value,
        "kind": alert.kind,
        "severity": alert.severity.value,
        "tenant_id": alert.tenant_id,
        "subject": alert.subject,
        "labels": dict(alert.labels),
        "summary": _summary(alert),
        "message": alert.message,
        "action": alert.action,
        "value": alert.value,
        "threshold": alert.threshold,
        "starts_at": _time(since(alert)),
        "ends_at": None if alert.ends_at is None else _time(alert.ends_at),
    }


def _headline(notification: Notification) -> str:
    first = min(notification.alerts, key=lambda one: (one.state is AlertState.RESOLVED, _RANK[one.severity]))
    more = f" (and {len(notification.alerts) - 1} more)" if len(notification.alerts) > 1 else ""
    return f"{_state(first)}: {_one_line(_summary(first))}{more}"


def _lines(notification: Notification) -> list[str]:
    lines: list[str] = []
    for alert in notification.alerts:
        lines.append(f"{_state(alert)}: {_one_line(_summary(alert))}")
        if alert.state is AlertState.RESOLVED:
            lines.append(f"  from {_time(since(alert))} to {_time(alert.ends_at or alert.created_at)}")
            continue
        if alert.message and alert.message != alert.summary:
            lines.append(f"  {_one_line(alert.message)}")
        if alert.action:
            lines.append(f"  What to do: {_one_line(alert.action)}")
        lines.append(f"  since {_time(since(alert))}; {alert.kind}, {alert.fingerprint}")
    return lines


def _state(alert: Alert) -> str:
    return "resolved" if alert.state is AlertState.RESOLVED else alert.severity.value


def _summary(alert: Alert) -> str:
    return alert.summary or alert.message or f"{alert.kind}: {alert.subject}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(at_ms: int) -> str:
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, OSError, ValueError):
        return str(at_ms)
