"""Who spent how much, by what people ask for? Groups of facts, and a total over all of them, also of those not shown.

Days and months of another zone are put together from hours, so a zone has to be whole hours off UTC.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from forebay.contract.clock import now_s
from forebay.contract.windows import HOUR_MS
from forebay.operations.choices import InvalidChoiceError
from forebay.privacy.people.names import Names
from forebay_agents.cost.spending.facts import UNKNOWN, Amounts, Fact

TIMES = ("hour", "day", "month")
IN_ROWS = ("tenant", "user", "model", "tier", "purpose", *TIMES)
"""Keys that rows of spend have; the others are in the ledger only."""
_IN_LEDGER = ("key", "task")
_LABEL = "label:"
_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{1,2})(?::?([0-5]\d))?")

Key = str | int
"""A time is ms since the epoch."""
_YEAR_9999_MS = 253_370_764_800_000
"""What is later is no time: whoever may write to a topic may write any number. What it cost counts all the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpendQuery:
    """Which facts, and how they are put together.

    Attributes:
        by: of :data:`IN_ROWS`, ``key``, ``task`` and ``label:NAME``.
        since_ms: half-open with ``until_ms``, ms since the epoch; ``None`` is unbounded.
        tenant: empty matches everything, as with ``user``, who is meant by his id or his pseudonym.
        top: so many groups, the dearest first; ``None``: all, the newest first.
        zone: of hours, days and months.
    """

    by: Sequence[str] = ("day", "tenant", "user", "model")
    since_ms: int | None = None
    until_ms: int | None = None
    tenant: str = ""
    user: str = ""
    top: int | None = None
    zone: tzinfo = field(default=UTC)

    def __post_init__(self) -> None:
        """Raises :class:`InvalidChoiceError` for keys that there are not, and for a period that ends before it."""
        for name in self.by:
            if name not in (*IN_ROWS, *_IN_LEDGER) and not (name.startswith(_LABEL) and len(name) > len(_LABEL)):
                known = ", ".join((*IN_ROWS, *_IN_LEDGER, "label:NAME"))
                raise InvalidChoiceError(f"--by: there is no {name!r}; there are {known}")
        if not self.by or len(set(self.by)) < len(self.by):
            raise InvalidChoiceError("--by needs different keys, such as day,model")
        since, until = self.since_ms, self.until_ms
        if since is not None and until is not None and since > until:
            raise InvalidChoiceError("--since is after --until")

    @property
    def needs_ledger(self) -> bool:
        """Whether rows of spend do not say enough."""
        return any(name not in IN_ROWS for name in self.by)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Amounts of one value of each key, in the order of the query's ``by``."""

    keys: tuple[Key, ...]
    amounts: Amounts


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """What was asked for; ``total`` is over all groups, whether they are among ``groups`` or not."""

    by: Sequence[str]
    groups: Sequence[Group]
    total: Amounts


def grouped(facts: Iterable[Fact], query: SpendQuery, names: Names | None = None) -> Spending:
    """Facts put together.

    Args:
        names: by which a user of several names is one.

    Raises:
        InvalidChoiceError: the zone was not whole hours off UTC at some time that facts are of.
    """
    recorded = _recorded(names)
    columns = [_column(name, query.zone, recorded) for name in query.by]
    sums: dict[tuple[Key, ...], list[int]] = {}
    total = [0] * len(Amounts._fields)
    width = range(len(total))
    for fact in facts:
        if not _matches(fact, query, recorded):
            continue
        keys = tuple([column(fact) for column in columns])
        row = sums.get(keys)
        if row is None:
            row = sums[keys] = [0] * len(total)
        amounts = fact.amounts
        for place in width:
            if amount := amounts[place]:
                row[place] += amount
                total[place] += amount
    groups = [Group(keys=keys, amounts=Amounts._make(row)) for keys, row in sums.items()]
    groups.sort(key=lambda group: _rank(group.keys))
    if query.top is not None:
        groups.sort(key=lambda group: -group.amounts.cost_nanousd)
        groups = groups[: query.top]
    return Spending(by=query.by, groups=groups, total=Amounts._make(total))


def zone_of(text: str) -> tzinfo:
    """A zone by name or offset: ``Europe/Berlin``, ``+02:00``; empty: UTC. Raises :class:`InvalidChoiceError`."""
    if not text or text.upper() in ("UTC", "Z"):
        return UTC
    if offset := _OFFSET.fullmatch(text):
        minutes = 60 * int(offset[2]) + int(offset[3] or 0)
        if minutes < 24 * 60:
            zone: tzinfo = timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
            return _whole(zone)
    try:
        return _whole(ZoneInfo(text))
    except (KeyError, ValueError, OSError):  # the last for a directory of the time zone database
        raise InvalidChoiceError(
            f"--zone: {text!r} is neither a zone such as Europe/Berlin nor one such as +02:00"
        ) from None


def _whole(zone: tzinfo) -> tzinfo:
    year = datetime.fromtimestamp(now_s(), UTC).year
    for month in (1, 7):
        _check(datetime(year, month, 1, tzinfo=UTC).astimezone(zone))
    return zone


def _check(moment: datetime) -> datetime:
    offset = moment.utcoffset()
    if offset is not None and offset % timedelta(hours=1):
        raise InvalidChoiceError("--zone: it is not whole hours off UTC, and days are put together from hours")
    return moment


def window_in(zone: tzinfo, kind: str, at_ms: int) -> int:
    """When the hour, day or month of ``zone`` began that holds ``at_ms``, ms since the epoch."""
    if kind == "hour":
        return at_ms - at_ms % HOUR_MS
    moment = _check(datetime.fromtimestamp(at_ms / 1000, zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "month":
        moment = moment.replace(day=1)
    return round(moment.timestamp() * 1000)


def _column(name: str, zone: tzinfo, recorded: Callable[[str, str], str]) -> Callable[[Fact], Key]:
    if name in TIMES:
        begin = cache(lambda hour: window_in(zone, name, hour) if 0 <= hour < _YEAR_9999_MS else UNKNOWN)
        return lambda fact: begin(fact.at_ms - fact.at_ms % HOUR_MS)
    if name == "user":
        return lambda fact: recorded(fact.tenant, fact.user)
    if name.startswith(_LABEL):
        label = name.removeprefix(_LABEL)
        return lambda fact: fact.labels.get(label, "")
    return lambda fact: str(getattr(fact, name))


def _matches(fact: Fact, query: SpendQuery, recorded: Callable[[str, str], str]) -> bool:
    if query.tenant and fact.tenant != query.tenant:
        return False
    if query.since_ms is not None and fact.at_ms < query.since_ms:
        return False
    if query.until_ms is not None and fact.at_ms >= query.until_ms:
        return False
    if not query.user or query.user == fact.user:
        return True
    return recorded(fact.tenant, fact.user) == recorded(fact.tenant, query.user)


def _recorded(names: Names | None) -> Callable[[str, str], str]:
    if names is None:
        return lambda _tenant, user: user
    return cache(names.recorded)  # an HMAC for each


def _rank(keys: tuple[Key, ...]) -> tuple[tuple[int, str], ...]:
    return tuple((-key, "") if isinstance(key, int) else (0, key) for key in keys)
