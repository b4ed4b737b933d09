"""What stands in for Redis? Claims and the vault in memory, with a switch that makes them unavailable."""

from forebay.contract.failures import Transient
from forebay.privacy.sealing import Keyring
from forebay.privacy.vault import Vault
from forebay.privacy.vault_store import MemoryVaultStore
from forebay.testing.clock import VirtualClock
from forebay.trust.proofs import OperatorKey

KEYRING = Keyring({"test": b"\1" * 32})
"""Seals what tests seal, and keeps nothing secret."""
OPERATOR = OperatorKey("test", b"\3" * 32)
"""Signs what tests replay."""


class MemoryClaims:
    """A :class:`forebay.state.claim_store.ClaimStore`; nobody dies here, so leases never end.

    Attributes:
        owners: key to who has it.
        done: key to the outputs that are kept.
        down: while it is true, every step raises ``Transient("redis_unavailable")``.
    """

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.done: dict[str, bytes] = {}
        self.down = False

    async def claim(self, key: str, owner: str, lease_ms: int) -> tuple[str, bytes]:
        """See the protocol."""
        self._answer()
        if key in self.done:
            return "done", self.done[key]
        return ("mine", b"") if self.owners.setdefault(key, owner) == owner else ("held", b"1")

    async def kept(self, key: str) -> bytes | None:
        """See the protocol."""
        self._answer()
        return self.done.get(key)

    async def renew(self, key: str, owner: str, lease_ms: int) -> bool:
        """See the protocol."""
        self._answer()
        return key not in self.done and self.owners.setdefault(key, owner) == owner

    async def finish(self, key: str, owner: str, outputs: bytes, keep_ms: int) -> bytes | None:
        """See the protocol."""
        self._answer()
        first = self.done.setdefault(key, outputs)
        return None if first is outputs else first

    async def release(self, key: str, owner: str) -> None:
        """See the protocol."""
        self._answer()
        self.owners.pop(key, None)

    def _answer(self) -> None:
        if self.down:
            raise Transient("redis_unavailable", "claims: gone")


def memory_vault(
    clock: VirtualClock | None = None,
    *,
    store: MemoryVaultStore | None = None,
    keyring: Keyring = KEYRING,
    ttl_s: int = 86_400,
) -> Vault:
    """A vault on memory.

    Args:
        clock: what its entries expire by; a clock of its own by default.
        store: what it keeps its entries in, to look into and to switch off (``store.down = True``).
        keyring: seals its entries.
        ttl_s: seconds that entries live.
    """
    seconds = (clock or VirtualClock()).seconds
    return Vault(store or MemoryVaultStore(seconds), keyring, prefix="test:", ttl_s=ttl_s, clock=seconds)
