"""What do topics have of a person? They cannot be erased in; each forgets by its retention, and says until when.

Read are those that say pseudonyms. What is in ``requests``, ``responses`` and ``feedback`` is the person's own words
and id, for a day: nobody reads that to erase it. ``keys`` says for whom a key of the HTTP door was made, as people gave
it: whoever makes keys for persons revokes theirs.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from forebay.contract import headers as h
from forebay.contract.json_lines import to_json
from forebay.contract.records import Alert, Correction, Notification, ReviewTask
from forebay.contract.topics import TOPICS, Access
from forebay.kafka.decoding import ReadRecord
from forebay.operations.people.person import Person, Row, Seen
from forebay.privacy.people.names import same

ASKED = ("requests.redacted", "requests.uncached", "completions", "usage")
"""These name users, and which requests are theirs."""
ABOUT = ("spend", "evaluations", "cache.verify", "reviews", "corrections", "alerts", "notifications", "dlq")
"""These name users, or requests."""
READ = (*ASKED, *ABOUT)
UNREAD = tuple(topic.name for topic in TOPICS.values() if topic.access is not Access.INTERNAL)

_SEALED = frozenset({"requests.redacted", "requests.uncached", "completions", "dlq"})
_BY_ID, _BY_NAME, _BY_SEAL = "id", "pseudonym", "pseudonym, sealed id"

Read = Callable[[Sequence[str]], Iterable[ReadRecord]]
"""All records of topics."""


def seen(read: Read, person: Person, *, keep: bool = False) -> Seen:
    """Look through the topics.

    Args:
        keep: the records themselves too.
    """
    found: dict[str, list[ReadRecord]] = {topic: [] for topic in READ}
    requests: set[str] = set()
    for record in read(ASKED):
        if _is_of(record.value, person):
            found[record.source.topic].append(record)
            requests.add(record.value.request_id)
    decided, tasks = set[str](), dict[str, str]()
    for record in read(ABOUT):
        value = record.value
        if _is_of(value, person) or _is_about(record, person, requests):
            found[record.source.topic].append(record)
            if isinstance(value, Correction):
                decided.add(value.review_id or "")
            elif isinstance(value, ReviewTask):
                tasks[value.review_id] = value.request_id
    return Seen(
        tenant_id=person.tenant_id,
        rows=[*(_row(topic, records, person) for topic, records in found.items()), *map(_unread, UNREAD)],
        requests=frozenset(requests),
        records={topic: [_told(record) for record in records] for topic, records in found.items()} if keep else {},
        open_reviews=[(task, request) for task, request in tasks.items() if task not in decided],
    )


def _is_of(value: Any, person: Person) -> bool:
    user = getattr(value, "user_id", None)
    if user is None or getattr(value, "tenant_id", None) != person.tenant_id:
        return False
    return same(person.names, person.tenant_id, user, person.given)


def _is_about(record: ReadRecord, person: Person, requests: set[str]) -> bool:
    if record.source.topic == "dlq":
        tenant, request = (h.text(record.source.headers, f"forebay-dlq-{name}") for name in ("tenant", "request-id"))
        return tenant in (None, person.tenant_id) and request in requests
    value = record.value
    if isinstance(value, Alert | Notification):
        return any(_alerts(one, person) for one in (value.alerts if isinstance(value, Notification) else [value]))
    if getattr(value, "tenant_id", None) != person.tenant_id or getattr(value, "user_id", None) is not None:
        return False
    return getattr(value, "request_id", None) in requests


def _alerts(alert: Alert, person: Person) -> bool:
    """Of a budget: its subject is the user."""
    return alert.tenant_id == person.tenant_id and same(person.names, person.tenant_id, alert.subject, person.given)


def _row(topic: str, records: Sequence[ReadRecord], person: Person) -> Row:
    newest = max((record.source.timestamp_ms for record in records), default=0)
    keep_ms = TOPICS[topic].retention_ms
    users = {user for record in records if (user := getattr(record.value, "user_id", None)) is not None}
    plain = any(user != person.name for user in users)
    how = _BY_ID if plain else _BY_SEAL if topic in _SEALED else _BY_NAME
    return Row(
        place=topic,
        left=len(records),
        until=newest + keep_ms if records and keep_ms is not None else None,
        how=how if records else "",
    )


def _unread(topic: str) -> Row:
    return Row(place=topic, left=None, how="as it came")


def _told(record: ReadRecord) -> Any:
    about = {"at": record.source.timestamp_ms}
    if record.source.topic == "dlq":
        names = ("stage", "code", "failed-at", "request-id")
        return about | {name: h.text(record.source.headers, f"forebay-dlq-{name}") for name in names}
    return about | {"record": to_json(record.value)}
