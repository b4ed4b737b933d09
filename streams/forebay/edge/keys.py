"""Who asks? The holder of a key. Which keys there are is a topic that each door follows."""

from collections import deque
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Protocol

from forebay.contract.clock import Clock, elapsed_s, now_ms
from forebay.contract.records import ApiKey, KeyRole
from forebay.edge.errors import Refused
from forebay.trust.api_keys import read_key

_WRONG_A_MINUTE, _MINUTE_S, _MOST_ADDRESSES = 20, 60.0, 10_000


class Known(Protocol):
    """The keys there are."""

    def get(self, key_id: str) -> ApiKey | None:
        """The key of that id."""
        ...


class WrongKeys:
    """Addresses that showed wrong keys: 20 a minute, then they wait, whatever they show."""

    def __init__(self) -> None:
        self._tries: dict[str, deque[float]] = {}

    def wait_s(self, address: str) -> float:
        """Seconds that ``address`` has to wait."""
        tries = self._tries.get(address)
        if tries is None:
            return 0.0
        now = elapsed_s()
        while tries and now - tries[0] > _MINUTE_S:
            tries.popleft()
        if not tries:
            del self._tries[address]
        return tries[0] + _MINUTE_S - now if len(tries) >= _WRONG_A_MINUTE else 0.0

    def note(self, address: str) -> None:
        """It showed one more."""
        if len(self._tries) >= _MOST_ADDRESSES:
            self._tries.pop(next(iter(self._tries)))
        self._tries.setdefault(address, deque(maxlen=_WRONG_A_MINUTE)).append(elapsed_s())


def holder(authorization: str | None, address: str, known: Known, wrong: WrongKeys, clock: Clock = now_ms) -> ApiKey:
    """The key that a request shows.

    Args:
        authorization: the header.
        address: where the request comes from.

    Raises:
        Refused: ``missing_api_key``, ``invalid_api_key``, ``expired_api_key``, ``revoked_api_key``, ``not_allowed``.
    """
    if (wait_s := wrong.wait_s(address)) > 0:
        raise Refused("rate_limited", "too many wrong keys from this address", retry_after_s=wait_s)
    if not authorization:
        raise Refused("missing_api_key", "no API key: send it as `authorization: Bearer fb-…`")
    scheme, _, text = authorization.partition(" ")
    shown = read_key(text.strip()) if scheme.lower() == "bearer" else None
    if shown is None:
        wrong.note(address)
        raise Refused("invalid_api_key", "this is no API key: `authorization: Bearer fb-…`, and mind the typing")
    key, now = known.get(shown.key_id), clock()
    current = shown.matches(None if key is None else key.secret_hash)
    before = shown.matches(None if key is None else key.previous_hash)
    if key is None or not (current or (before and now < (key.previous_expires_at or 0))):
        wrong.note(address)
        raise Refused("invalid_api_key", "there is no such API key")
    if key.revoked_at is not None:
        raise Refused("revoked_api_key", "this API key was revoked")
    if key.expires_at is not None and now >= key.expires_at:
        raise Refused("expired_api_key", "this API key has expired")
    if key.addresses and not is_within(address, key.addresses):
        raise Refused("not_allowed", "this API key may not be used from this address")
    return key


def may_ask(key: ApiKey) -> None:
    """Raises :class:`Refused` unless the key's role lets it ask."""
    if key.role is KeyRole.READ:
        raise Refused("not_allowed", "this API key may look only")


def is_within(address: str, networks: Sequence[str]) -> bool:
    """Whether ``address`` is in one of ``networks``."""
    try:
        one = ip_address(address)
    except ValueError:
        return False
    return any(one in ip_network(network, strict=False) for network in networks)


def source_address(peer: str, forwarded: str | None, proxies: Sequence[str]) -> str:
    """Where a request comes from: the last address in ``x-forwarded-for`` that is none of our proxies'."""
    address = peer
    hops = [hop.strip() for hop in (forwarded or "").split(",") if hop.strip()]
    while hops and is_within(address, proxies):
        address = hops.pop()
    return address


class MemoryKeys:
    """Keys in memory; see :class:`Known`."""

    def __init__(self, keys: Mapping[str, ApiKey]) -> None:
        self._keys = keys

    def get(self, key_id: str) -> ApiKey | None:
        """See :class:`Known`."""
        return self._keys.get(key_id)
