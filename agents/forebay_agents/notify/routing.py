"""Who is told of an alert, and what keeps them from being told?"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from forebay.contract.records import Alert, Silence
from forebay_agents.notify.settings import NotifySettings, Route

FIELDS = ("kind", "severity", "tenant", "subject", "fingerprint")
"""What a silence may match beside labels, which are named ``label:NAME``."""
LABEL = "label:"


def channels_of(alert: Alert, settings: NotifySettings) -> list[str]:
    """Names of the channels that ``alert`` goes to, each once."""
    if not settings.routes:
        return list(settings.channels)
    found = [name for route in settings.routes if _goes(alert, route) for name in route.channels]
    return list(dict.fromkeys(found))


def _goes(alert: Alert, route: Route) -> bool:
    return (
        (not route.kinds or alert.kind in route.kinds)
        and (not route.severities or alert.severity in route.severities)
        and (not route.tenants or alert.tenant_id in route.tenants)
    )


def silenced_until(alert: Alert, silences: Iterable[Silence], now_ms: int) -> int | None:
    """Until when nobody is to hear of ``alert``, ms since the epoch; ``None``: now."""
    ends = [one.ends_at for one in silences if one.ends_at > now_ms and matches(alert, one.matchers)]
    return max(ends, default=None)


def matches(alert: Alert, matchers: Mapping[str, str]) -> bool:
    """Whether all of ``matchers`` fit, in whose values ``*`` stands for anything; none fit nothing."""
    facts = {
        "kind": alert.kind,
        "severity": alert.severity.value,
        "tenant": alert.tenant_id or "",
        "subject": alert.subject,
        "fingerprint": alert.fingerprint,
        **{LABEL + name: value for name, value in alert.labels.items()},
    }
    return bool(matchers) and all(
        name in facts and fnmatchcase(facts[name], pattern.replace("[", "[[]").replace("?", "[?]"))
        for name, pattern in matchers.items()
    )
