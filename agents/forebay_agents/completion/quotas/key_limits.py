"""What may the holder of a key of the HTTP door use?

A key counts for its own tenant alone: a producer that names somebody else's key uses nothing of it up.
"""

from collections.abc import Callable
from typing import Protocol

from forebay.contract.records import ApiKey


class Keys(Protocol):
    """Keys of the HTTP door."""

    def of(self, tenant_id: str, key_id: str | None) -> ApiKey | None:
        """The key of that id, if it is this tenant's."""
        ...


class KnownKeys:
    """See :class:`Keys`; ``get`` is asked for each, by default there are none."""

    def __init__(self, get: Callable[[str], ApiKey | None] = lambda _key_id: None) -> None:
        self._get = get

    def of(self, tenant_id: str, key_id: str | None) -> ApiKey | None:
        """See :class:`Keys`."""
        key = None if key_id is None else self._get(key_id)
        return key if key is not None and key.tenant_id == tenant_id else None
