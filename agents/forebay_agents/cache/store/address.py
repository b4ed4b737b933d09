"""Where does a request's answer lie, and which stored answers may it be given at all?

Three nested ids. The *wall* says who may share: one user, one tenant, or the tenants that opted in to share. The
*entry* is the exact key: wall, epoch, and the canonical prompt with everything else that changes an answer. The
*partition* is the same without the last user turn, with locale and the encoder: only questions of one partition are
ever compared by meaning, so that similarity cannot reach across a wall, whatever the vectors are.
"""

from dataclasses import dataclass

from forebay.contract.canonical import Renumbering, canonical_messages, circumstances, digest
from forebay.contract.records import MessageRole, RedactedRequest
from forebay.state.keys import digest_of
from forebay_agents.cache.language.script import readable
from forebay_agents.cache.settings import CacheSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Place of one request in the cache.

    Attributes:
        wall: id of those who may share the answer.
        entry: exact key.
        partition: questions that may be compared by meaning; ``None`` when only an equal one will do.
        question: canonical last user turn; empty without a partition.
        numbers: the way back to the request's own pseudonyms.
    """

    wall: str
    entry: str
    partition: str | None
    question: str
    numbers: Renumbering


def address_of(request: RedactedRequest, settings: CacheSettings, *, epoch: str, encoder: str) -> Address:
    """Compute the place of ``request``.

    Args:
        epoch: current epoch of the request's task; another epoch is another cache.
        encoder: identity of the sentence encoder.
    """
    messages, numbers = canonical_messages(request.messages)
    wall = wall_of(request, settings)
    around = circumstances(request)
    entry = digest(["entry", wall, epoch, messages, around])
    if not settings.semantic or not comparable(request, settings):
        return Address(wall=wall, entry=entry, partition=None, question="", numbers=numbers)
    partition = digest(["partition", wall, epoch, encoder, request.language, messages[:-1], around])
    return Address(wall=wall, entry=entry, partition=partition, question=messages[-1]["content"], numbers=numbers)


def wall_of(request: RedactedRequest, settings: CacheSettings) -> str:
    """Id of those with whom ``request`` may share; its beginning is what ``purge`` selects by."""
    asked = request.cache.scope
    if asked == "global" and request.tenant_id in settings.global_tenants:
        return "global"
    tenant = tenant_wall(request.tenant_id)
    if asked == "user" or settings.scope == "user":
        return user_wall(request.tenant_id, request.user_id)
    return tenant


def tenant_wall(tenant_id: str) -> str:
    """Wall of a whole tenant; those of its users begin with it."""
    return digest_of("tenant", tenant_id)


def user_wall(tenant_id: str, user_id: str) -> str:
    """Wall of one user."""
    return f"{tenant_wall(tenant_id)}.{digest_of('user', tenant_id, user_id)}"


def person(request: RedactedRequest) -> str:
    """Who asks, as a hash: enough to count distinct people."""
    return digest_of("user", request.tenant_id, request.user_id)


def comparable(request: RedactedRequest, settings: CacheSettings) -> bool:
    """Whether the last turn is a user's question that can be compared by meaning: short enough, and legible."""
    if not request.messages:
        return False
    last = request.messages[-1]
    return (
        last.role is MessageRole.USER
        and last.tool_calls is None
        and 0 < len(last.content.strip()) <= settings.max_question_chars
        and readable(last.content)
    )
