"""Claims without Redis."""

from forebay.contract.failures import Transient


class MemoryClaims:
    """See forebay.state.idempotency.ClaimStore; nobody dies here, so leases never end."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.done: dict[str, bytes] = {}
        self.down = False

    async def claim(self, key: str, owner: str, lease_ms: int) -> tuple[str, bytes]:
        self._answer()
        if key in self.done:
            return "done", self.done[key]
        return ("mine", b"") if self.owners.setdefault(key, owner) == owner else ("held", b"1")

    async def kept(self, key: str) -> bytes | None:
        self._answer()
        return self.done.get(key)

    async def renew(self, key: str, owner: str, lease_ms: int) -> bool:
        self._answer()
        return self.owners.get(key) == owner

    async def finish(self, key: str, owner: str, outputs: bytes, keep_ms: int) -> None:
        self._answer()
        self.done[key] = outputs

    async def release(self, key: str, owner: str) -> None:
        self._answer()
        self.owners.pop(key, None)

    def _answer(self) -> None:
        if self.down:
            raise Transient("redis_unavailable", "claims: gone")
