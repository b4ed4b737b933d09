"""What is a thing called in Redis? All keys are made here, so that no two things can ever have the same one.

Ids come from producers and may hold any character. Joined by a colon, tenant ``a:b`` with id ``c`` and tenant ``a``
with id ``b:c`` had one claim, and the second was given the answer of the first. So there are two forms:

- ``SPACE|4:acme|3:r-1`` (:func:`owned`): ids as they are, each behind its length, the tenant always first.
- ``SPACE:DIGEST:LAST`` (:func:`plain`): a fixed number of parts without colons; only the last may hold anything. In
  spaces that are :class:`Hashed` the tenant is inside a digest: whose a conversation is must not be read off Redis.
  What is :class:`Common` is no tenant's.

To change how keys of a space look is to lose what lies there: read both
for as long as it lives, and say so in docs/how-to/production.md, "Upgrade".
"""

import hashlib
from enum import Enum, unique
from typing import NewType

Key = NewType("Key", str)
"""A key as this module makes it, and nobody else; in Redis there is a :class:`Prefix` in front."""


class Prefix:
    """``redis.key_prefix``, to be put in front of a key: the type checker refuses a text that no function here made."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __add__(self, key: Key) -> str:
        """The name of ``key`` in Redis."""
        return self._text + key

    def without(self, name: str) -> str:
        """What stands behind it."""
        return name.removeprefix(self._text)


_JUDGE = "judge"
_DIGEST_CHARS = 20  # 80 bits: among a billion users, two share a digest with a chance of 4e-7


@unique
class Owned(Enum):
    """Spaces whose keys name a tenant and its ids as they are."""

    def __init__(self, head: str) -> None:
        self.head = head  # an attribute of its own: an enum's value costs as much as a short key

    ANSWER_CLAIM = "claim:completion"
    """Who answers a request, and the outputs when it is done (:mod:`forebay.state.idempotency`)."""
    JUDGE_CLAIM = "claim:judge"
    """Who judges an answer."""
    FINGERPRINT = "payload"
    """The first body under a request id (:mod:`forebay.privacy.fingerprints`)."""
    OUTCOME = "review:recent"
    """An answer that feedback may speak of."""
    REVIEW_TASK = "review:task"
    """What a task is about that people may decide (:mod:`forebay_agents.cache.tasks`)."""
    TENANT_BUDGET = "budget:tenant"
    USER_BUDGET = "budget:user"
    KEY_BUDGET = "budget:key"
    """Accounts; what belongs to one has its key and ``:amounts``, ``:until`` or ``:rows``."""
    TENANT_HOUR = "velocity"
    """What a tenant spent in an hour (:mod:`forebay_agents.completion.quotas.velocity`)."""
    TENANT_RATE = "rate:tenant"
    USER_RATE = "rate:user"
    KEY_RATE = "rate:key"
    """Of a key of the HTTP door: its tenant, its id, and ``requests`` or ``tokens``."""
    CACHE_TRACE = "cache:r"
    """Request to the entry that it read or wrote: where its feedback goes."""
    CACHE_EXPLORED = "cache:n"
    """Request to the stored answer that it was not given, for comparison with its own."""


@unique
class Hashed(Enum):
    """Spaces whose keys have their tenant in a digest, and the number of their parts."""

    def __init__(self, head: str, count: int) -> None:
        self.head, self.count = head, count

    VAULT_MAP = "vault:m", 1
    """Of before maps were bound to their request; nothing is written there any more."""
    VAULT_REQUEST = "vault:r", 1
    VAULT_NEWEST = "vault:n", 1
    VAULT_CONVERSATION = "vault:c", 1
    VAULT_USER = "vault:u", 1
    """Of the vault; the digests are keyed (:mod:`forebay.privacy.vault`)."""
    CACHE_ENTRY = "cache:e", 2
    CACHE_LEASE = "cache:l", 2
    CACHE_UNSHAREABLE = "cache:u", 2
    """Wall and entry (:mod:`forebay_agents.cache.store.address`); unshareable: an answer there could not be kept."""
    CACHE_VECTORS = "cache:v", 2
    """Wall and partition."""
    CACHE_EVIDENCE = "cache:c:evidence", 2
    """Wall and task."""
    CACHE_QUOTA = "cache:c:quota", 2
    """Person and hour."""


@unique
class Common(Enum):
    """Spaces that are of the installation, and the number of their parts."""

    def __init__(self, head: str, count: int) -> None:
        self.head, self.count = head, count

    VAULT_PEPPER = "vault:pepper", 0
    VAULT_BOUND_AT = "vault:bound", 0
    """Since when maps are bound to their request: ``vault.ttl_s`` later none of the older ones is opened."""
    CACHE_EPOCHS = "cache:epoch", 0
    CACHE_SAMPLED = "cache:c:sampled", 0
    DEPLOYMENT_RATE = "rate:deployment", 2
    """``requests`` or ``tokens``, and the deployment."""
    BUDGETS_SET = "budgets:set", 0
    """Budgets that an operator set; tenant and user are fields of the hash."""
    SCORES = "evaluation:scores", 1
    CONDITION = "condition", 1
    """What people were told of and holds still, by the fingerprint of its alerts (:mod:`forebay.state.conditions`)."""
    NOTIFY_OPEN = "notify:open", 0
    """Alerts that are not over for everybody, by fingerprint (:mod:`forebay_agents.notify.store`)."""
    NOTIFY_DUE = "notify:due", 0
    """When each of them is due."""
    NOTIFY_GROUP = "notify:group", 1
    """When people were told last of a kind and tenant."""
    SILENCES = "notify:silences", 0
    NOTIFIED = "notify:sent", 1
    """Messages that went out."""
    REPLAY = "replay", 1
    """Which record was the first of a replay; a digest of letter and replay (:mod:`forebay.state.replays`)."""
    STAGE_WAITS = "stage:waits", 0
    """How long records wait at each stage now; the stages are fields of the hash (:mod:`forebay.state.waits`)."""
    REDACTION_DAY = "redaction:day", 1
    """Counts of a day; the tenants are fields of the hash."""


def owned(space: Owned, tenant_id: str, *ids: str) -> Key:
    """The key of what belongs to a tenant: different tenants or ids have different keys, whatever is in them."""
    key = f"{space.head}|{len(tenant_id)}:{tenant_id}"
    for one in ids:
        key += f"|{len(one)}:{one}"
    return Key(key)


def owned_from(space: Owned) -> Key:
    """What the keys of a space begin with."""
    return Key(f"{space.head}|")


def ids_of(space: Owned, key: str) -> tuple[str, ...] | None:
    """Inverse of :func:`owned`, tenant and ids; ``None`` for what is no such key, or belongs to one."""
    rest, ids = key.removeprefix(space.head), list[str]()
    while rest:
        length, colon, text = rest[1:].partition(":")
        if rest[0] != "|" or not colon or not (length.isascii() and length.isdigit()) or len(text) < int(length):
            return None
        ids.append(text[: int(length)])
        rest = text[int(length) :]
    return tuple(ids)


def plain(space: Hashed | Common, *parts: str) -> Key:
    """The key of digests, and of what is no tenant's.

    Raises:
        ValueError: another number of parts than the space has, or a colon in one that is not the last; the message does
            not quote them.
    """
    if len(parts) != space.count or ":" in "".join(parts[:-1]):
        raise ValueError(f"a key of {space.head} has {space.count} parts, and none but the last may hold a colon")
    return Key(":".join((space.head, *parts)))


def parts_of(space: Hashed | Common, key: str) -> tuple[str, ...]:
    """Inverse of :func:`plain`."""
    return tuple(key.removeprefix(f"{space.head}:").split(":", space.count - 1)) if space.count else ()


def beginning(space: Hashed | Common) -> Key:
    """What the keys of a space begin with, where it has more than one."""
    return Key(f"{space.head}:")


def glob(start: str) -> str:
    """Redis' pattern for what begins with ``start``, whatever characters are in it."""
    return literal(start) + "*"


def literal(text: str) -> str:
    """Redis' pattern for ``text`` itself."""
    return "".join([f"[{char}]" if char in "*?[\\" else char for char in text])


def globs(*spaces: Owned | Hashed | Common) -> tuple[str, ...]:
    """Redis' patterns for all keys of these spaces, for access rules; also for those that ids were joined in before."""
    return tuple(pattern for space in spaces for pattern in _globs_of(space))


def _globs_of(space: Owned | Hashed | Common) -> tuple[str, ...]:
    if space is Owned.ANSWER_CLAIM:  # before, the tenant's name stood there (:func:`answer_claimed_before`)
        others = [f"claim:{_JUDGE[:at]}[^{_JUDGE[at]}]*" for at in range(len(_JUDGE))]
        return (f"{space.head}|*", *others, f"claim:{_JUDGE}[^|:]*")
    if isinstance(space, Owned):
        return (f"{space.head}[|:]*",)
    return (f"{space.head}:*" if space.count else space.head,)


def digest_of(*parts: str) -> str:
    """A digest of texts that may hold anything, each behind its length: ("a", "bc") and ("ab", "c") differ."""
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]


def formerly(space: Owned, text: str) -> Key:
    """What a key was called when ids were joined by colons, to find what still lies there; ``text``: the ids so joined.

    Others may have had the same key: whoever reads it makes sure that it is not theirs.
    """
    return Key(f"{space.head}:{text}")


def answer_claimed_before(key: Key) -> Key | None:
    """What the claim ``key`` was called when ids were joined by colons.

    ``None``: it is no claim of an answer, or others may have had the same one: who has a colon in an id; and a tenant
    ``judge``, since claims of judges began so.
    """
    head = f"{Owned.ANSWER_CLAIM.head}|"
    if not key.startswith(head):
        return None
    length, _, rest = key[len(head) :].partition(":")
    tenant, rest = rest[: int(length)], rest[int(length) + 1 :]
    request_id = rest.partition(":")[2]
    if tenant == _JUDGE or ":" in tenant + request_id:
        return None
    return Key(f"claim:{tenant}:{request_id}")
