"""What became of the records? Each on whose topic somebody waits has an end, no stage stopped, and the ledger is right.

An end is a response under an id that the record has (in its value, its header, its key, or its place), or a dead letter
that names the record's place. Two kinds of records have neither by design: a retry that another stage asked for, which
its stage alone takes, and a retry in a retry topic, whose end is that of the record that it becomes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forebay.contract import headers as h
from forebay.contract.ids import plain_id, refused_id
from forebay.contract.records import UsageEvent
from forebay_agents.cost.reconciliation import InvoiceLine, reconcile
from loadtest.any_record.drawn import Drawn, made

WAITED_FOR = ("requests", "requests.redacted", "requests.uncached", "completions")
"""Topics on whose records somebody waits."""

Place = tuple[str, int, int]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the stack shows.

    Attributes:
        answered: ids of responses.
        buried: places of records with a dead letter.
        bugs: messages of those whose code says that it is our fault.
        ledger: entries that are not ours.
        stages: process to how often it was started again.
        memory: process to resident bytes, children included.
    """

    answered: frozenset[str] = frozenset()
    buried: frozenset[Place] = frozenset()
    bugs: Mapping[Place, str] = field(default_factory=dict)
    ledger: Sequence[UsageEvent] = ()
    invoice: Sequence[InvoiceLine] = ()
    restarts: Mapping[str, int] = field(default_factory=dict)
    not_ready: Mapping[str, str] = field(default_factory=dict)
    lag: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    memory: Mapping[str, int] = field(default_factory=dict)


def without_end(taken: Mapping[Place, Drawn], seen: Seen) -> list[Place]:
    """Places of records on which somebody waits, and that have no end."""
    return [
        place
        for place, record in taken.items()
        if record.topic in WAITED_FOR
        and not _of_another_stage(record)
        and place not in seen.buried
        and not _names(record, place) & seen.answered
    ]


def violations(taken: Mapping[Place, Drawn], seen: Seen, before: Seen) -> list[str]:
    """Each broken promise in words; ``before`` is what was seen before the first record."""
    found = [f"no end: {place} {taken[place]}" for place in without_end(taken, seen)]
    found += [f"{said}: {place} {taken.get(place)}" for place, said in seen.bugs.items() if place not in before.bugs]
    found += [
        f"{name} was started {times - before.restarts.get(name, 0)} times"
        for name, times in seen.restarts.items()
        if times != before.restarts.get(name, 0)
    ]
    found += [f"{name} is not ready: {why}" for name, why in seen.not_ready.items()]
    found += [
        f"{stage} has {count} unfinished records of {topic}"
        for stage, topics in seen.lag.items()
        for topic, count in topics.items()
        if count
    ]
    known = {item.attempt_id for item in reconcile(before.ledger, before.invoice).differences}
    found += [
        f"ledger and invoice differ: {item.kind} {item.attempt_id}"
        for item in reconcile(seen.ledger, seen.invoice).differences
        if item.attempt_id not in known
    ]
    return found


def grown(early: Seen, late: Seen, most: float) -> list[str]:
    """Stages that have more than ``most`` times the memory that they had: servers take what their settings give."""
    return [
        f"{name} has {late.memory[name] / (1 << 20):.0f} MiB, {bytes_ / (1 << 20):.0f} before"
        for name, bytes_ in early.memory.items()
        if not name.startswith(("kafka", "redis")) and late.memory.get(name, 0) > most * bytes_
    ]


def _of_another_stage(record: Drawn) -> bool:
    """Whether the record says that it is a retry of its topic: then only the stage that it names takes it."""
    stage, origin = record.header(h.RETRY_STAGE), record.header(h.ORIGIN_TOPIC)
    return stage is not None and origin == record.topic.encode()


def _names(record: Drawn, place: Place) -> frozenset[str]:
    given = {*record.ids, f"{place[0]}-{place[1]}-{place[2]}"}
    for name in (record.header(h.REQUEST_ID), made(record.key)):
        try:
            given.add((name or b"").decode())
        except UnicodeDecodeError:
            continue
    return frozenset(given | {refused_id(name) for name in given if not plain_id(name)})
