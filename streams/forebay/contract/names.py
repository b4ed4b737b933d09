"""What are things called by which programs find each other?

Topics and consumer groups by their logical name and the installation's prefix; a task for reviewers by whose answer it
is about. (Keys in Redis: :mod:`forebay.state.keys`.)
"""

from collections.abc import Mapping

from forebay.contract.canonical import digest
from forebay.contract.topics import APART, TOPICS, Topic, of_tenant, topic_named
from forebay.settings import KafkaSettings, TenantSettings
from forebay.settings.tenants import Identity

_REVIEW_DIGITS = 16
"""Hexadecimal. People copy these; of a million open tasks two are the same with a chance of 3e-8."""


def topic_on_broker(name: str, settings: KafkaSettings) -> str:
    """Name on the broker of the logical topic ``name``."""
    return settings.topic_prefix + name


def topics_of(tenants: TenantSettings) -> Mapping[str, Topic]:
    """All topics of an installation, by logical name: those of the catalogue, and what each tenant has apart."""
    if tenants.identity is not Identity.TOPIC:
        return TOPICS
    names = [of_tenant(kind, tenant) for tenant in sorted(tenants.names()) for kind in APART]
    return dict(TOPICS) | {name: topic for name in names if (topic := topic_named(name)) is not None}


def topics_read(kind: str, tenants: TenantSettings) -> list[str]:
    """Where records of ``kind`` come from: its topic, and that of each tenant."""
    return [name for name, topic in topics_of(tenants).items() if topic.kind == kind]


def group_on_broker(stage: str, settings: KafkaSettings, version: int) -> str:
    """Consumer group of a stage; Faust appends ``stage.version`` from 2 on."""
    return topic_on_broker(stage if version == 1 else f"{stage}-v{version}", settings)


def review_id(tenant_id: str, request_id: str) -> str:
    """Id of the task to look at an answer, whatever called for it; another tenant's request may have the same id."""
    return f"review-{digest([tenant_id, request_id])[:_REVIEW_DIGITS]}"
