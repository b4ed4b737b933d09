"""Who may do what on the brokers? One table, for the documentation, for `kafka-acls.sh` and for whoever checks it.

Who reads a topic is in the catalogue; stages say themselves what they write
(:class:`forebay.contract.rights.StageRights`, entry points in the group ``forebay.rights``); what people and
applications need is here. Topics that many need are added to each: a stage may send any record to the retry topics and
to the dead letters, asks the brokers for the time and raises alerts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.metadata import entry_points

from forebay.contract.names import group_on_broker, topic_on_broker
from forebay.contract.rights import StageRights
from forebay.contract.topics import APART, RETRY_LEVELS, TOPICS, Access, of_tenant
from forebay.history import store
from forebay.settings import KafkaSettings, TenantSettings
from forebay.settings.tenants import Identity

GROUP = "forebay.rights"

EVERY_STAGE = (*RETRY_LEVELS, "dlq", "clock", "alerts")
"""What each stage writes beside its own outputs."""

EVERY_STAGE_READS = ("alerts",)
"""What each stage reads beside its own topics: what its worker told before it was started again."""

ALL = "*"
APPLICATION = "application"
"""The user of an application; with a topic a tenant there is one a tenant, ``application-TENANT``."""


class Resource(StrEnum):
    """What a right is about, as `kafka-acls.sh` calls it."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


class Operation(StrEnum):
    """What may be done, as `kafka-acls.sh` calls it. READ and WRITE include DESCRIBE."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """A user of the brokers, in logical names.

    Attributes:
        user: who; of a stage its name.
        what: for which commands, if it is a person.
        tables: Faust's tables, each with a changelog that the stage makes.
        transactional: ids under which one writes alone.
        everywhere: what may be done with all topics.
        all_groups: what may be done with all groups.
    """

    user: str
    what: Sequence[str] = ()
    reads: Sequence[str] = ()
    writes: Sequence[str] = ()
    tables: Sequence[str] = ()
    groups: Sequence[str] = ()
    transactional: Sequence[str] = ()
    everywhere: Sequence[Operation] = ()
    all_groups: Sequence[Operation] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """One right, with the names on the broker."""

    user: str
    resource: Resource
    name: str
    operation: Operation


def declared() -> Mapping[str, StageRights]:
    """What each installed stage says that it needs, by its name."""
    return {entry.name: entry.load() for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


READ = tuple(topic.name for topic in TOPICS.values() if topic.readers and topic.name not in RETRY_LEVELS)
"""Every topic that a stage reads, but for those that ``retry`` does: where records come back to."""


OPEN = tuple(name for name in READ if TOPICS[name].access is not Access.RESTRICTED)
"""Of these, those without personal data in the clear: what people may read. Who replays a letter of another needs no
READ there, since such letters have their bytes, sealed."""

PEOPLE = ("requests.redacted", "requests.uncached", "completions", "usage", "evaluations", "cache.verify", "reviews",
          "corrections",
    "alerts", "notifications", "dlq")  # fmt: skip
"""Where something of a person may be, without the person's own words: :mod:`forebay.operations.people.topics`."""

TRAIL = ("audit",)
"""Whoever acts reads the newest records of the audit trail, and adds to them."""


def read_by(stage: str) -> Sequence[str]:
    """The topics that ``stage`` reads."""
    return [topic.name for topic in TOPICS.values() if stage in topic.readers]


def roles() -> list[Role]:
    """The stages in alphabetical order, then applications and people."""
    return [
        *(
            Role(
                user=stage,
                reads=tuple(dict.fromkeys((*read_by(stage), *rights.follows, *EVERY_STAGE_READS))),
                writes=(*(READ if rights.returns else rights.writes), *EVERY_STAGE),
                tables=rights.tables,
                groups=(stage,),
                # librdkafka asks who coordinates the group of a reader that joins none.
                all_groups=(Operation.DESCRIBE,) if rights.follows else (),
            )
            for stage, rights in declared().items()
        ),
        Role(
            user="door",
            what=("forebay worker edge",),
            reads=("responses", "deltas", "keys"),
            writes=("requests", "feedback"),
            all_groups=(Operation.DESCRIBE,),
        ),
        Role(
            user="recorder",
            what=("forebay worker recorder",),
            reads=store.TOPICS,
            groups=("recorder",),
        ),
        Role(user=APPLICATION, reads=("responses",), writes=("requests", "feedback")),
        Role(
            user="reviewer",
            what=("forebay review",),
            reads=("reviews", "corrections", *TRAIL),
            writes=("corrections", *TRAIL),
            transactional=("corrections-operator",),
        ),
        Role(
            user="operator",
            what=("forebay dlq",),
            reads=("dlq", "dlq.state", "outcomes", *TRAIL, *RETRY_LEVELS, *OPEN),
            writes=("dlq.state", *TRAIL, *READ),
            transactional=("dlq-operator",),
        ),
        Role(
            user="operator",
            what=(
                "forebay vault",
                "forebay cache",
                "forebay tiers",
                "forebay audit",
            ),
            reads=TRAIL,
            writes=TRAIL,
        ),
        Role(
            user="operator",
            what=("forebay topics unanswered",),
            reads=("requests.redacted", "completions", *TRAIL, *OPEN, *RETRY_LEVELS),
            writes=("completions", *TRAIL),
            everywhere=(Operation.DESCRIBE,),
            all_groups=(Operation.DESCRIBE,),
        ),
        Role(
            user="operator",
            what=("forebay erase", "forebay subject"),
            reads=("spend", *TRAIL, *PEOPLE),
            writes=("corrections", *TRAIL),
        ),
        Role(
            user="operator",
            what=("forebay alerts",),
            reads=("alerts", "alerts.silences", *TRAIL),
            writes=("alerts.silences", *TRAIL),
        ),
        Role(
            user="operator",
            what=("forebay trace",),
            reads=("outcomes", "completions", "requests.uncached", "requests.redacted", *RETRY_LEVELS, "dlq"),
            everywhere=(Operation.DESCRIBE,),
            all_groups=(Operation.DESCRIBE,),
        ),
        Role(
            user="operator",
            what=("forebay keys",),
            reads=("keys", *TRAIL),
            writes=("keys", *TRAIL),
        ),
        Role(
            user="deployer",
            what=("forebay topics", "forebay config check --audit"),
            reads=TRAIL,
            writes=TRAIL,
            everywhere=(Operation.CREATE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS),
        ),
        Role(
            user="watcher",
            what=(
                "forebay status",
                "forebay spend",
            ),
            reads=(*OPEN, *RETRY_LEVELS),
            everywhere=(Operation.DESCRIBE,),
            all_groups=(Operation.DESCRIBE,),
        ),
    ]


def with_tenants(chosen: Iterable[Role], tenants: Sequence[str]) -> list[Role]:
    """Where each of ``tenants`` has topics of its own (``tenants.identity: topic``): an application each, which reads
    and writes its own alone; who reads or writes the common topic does so with each tenant's.
    """

    def parts(names: Iterable[str], of: Sequence[str]) -> list[str]:
        return [of_tenant(name, tenant) for name in names if name in APART for tenant in of]

    found = []
    for role in chosen:
        if role.user != APPLICATION:
            reads, writes = parts(role.reads, tenants), parts(role.writes, tenants)
            found.append(replace(role, reads=(*role.reads, *reads), writes=(*role.writes, *writes)))
            continue
        for tenant in tenants:
            own, told = parts(role.reads, [tenant]), parts(role.writes, [tenant])
            found.append(replace(role, user=f"{APPLICATION}-{tenant}", reads=own, writes=told))
    return found


def grants(
    kafka: KafkaSettings, version: int, chosen: Iterable[Role] | None = None, tenants: Sequence[str] = ()
) -> list[Grant]:
    """Every right once, users in the order of :func:`roles`.

    Args:
        version: ``stage.version``, which is in the names of groups.
        chosen: of these roles only.
        tenants: those with topics of their own.
    """
    found = list(chosen or roles())
    if tenants:
        found = with_tenants(found, tenants)
    return list(dict.fromkeys(grant for role in found for grant in _of(role, kafka, version)))


def tenants_apart(settings: TenantSettings) -> list[str]:
    """Tenants with topics of their own."""
    return sorted(settings.names()) if settings.identity is Identity.TOPIC else []


def _of(role: Role, kafka: KafkaSettings, version: int) -> Iterator[Grant]:
    def topic(name: str, operation: Operation) -> Grant:
        return Grant(user=role.user, resource=Resource.TOPIC, name=name, operation=operation)

    for name in role.reads:
        yield topic(topic_on_broker(name, kafka), Operation.READ)
    for name in role.writes:
        yield topic(topic_on_broker(name, kafka), Operation.WRITE)
    for table in role.tables:
        changelog = f"{group_on_broker(role.user, kafka, version)}-{table}-changelog"
        for operation in (Operation.READ, Operation.WRITE, Operation.CREATE):
            yield topic(changelog, operation)
    for operation in role.everywhere:
        yield topic(ALL, operation)
    for group in role.groups:
        name = group_on_broker(group, kafka, version)
        yield Grant(user=role.user, resource=Resource.GROUP, name=name, operation=Operation.READ)
    for operation in role.all_groups:
        yield Grant(user=role.user, resource=Resource.GROUP, name=ALL, operation=operation)
    for identity in role.transactional:
        name = topic_on_broker(identity, kafka)
        yield Grant(user=role.user, resource=Resource.TRANSACTIONAL_ID, name=name, operation=Operation.WRITE)


def acl_command(grant: Grant) -> str:
    """The line for `kafka-acls.sh`; the user's name, the broker and the administrator's file are the installation's."""
    name = f"'{ALL}'" if grant.name == ALL else grant.name
    return (
        "kafka-acls.sh --bootstrap-server HOST:PORT --command-config admin.properties --add "
        f"--allow-principal User:{grant.user} --operation {grant.operation} --{grant.resource} {name}"
    )
