"""The keys of people and programs that ask by HTTP."""

from dataclasses import dataclass
from enum import StrEnum


class KeyRole(StrEnum):
    """``ask``: ask, see models and own requests, give feedback; ``read``: look only; ``admin``: manage keys."""

    ASK = "ask"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key of the HTTP door, without its secret; the newest record of a ``key_id`` counts.

    ``secret_hash`` is hex SHA-256 of the secret: 256 random bits need no slow hash. A rotated key has
    ``previous_hash`` until ``previous_expires_at``. Times are ms since the epoch, money is nano-dollars; ``None`` is no
    limit. ``user_from_header``: its holder speaks for many people, and says for whom.
    """

    key_id: str = ""
    secret_hash: str = ""
    previous_hash: str | None = None
    previous_expires_at: int | None = None
    tenant_id: str = ""
    user_id: str = ""
    name: str | None = None
    role: KeyRole = KeyRole.ASK
    models: tuple[str, ...] = ()
    redaction: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    daily_nanousd: int | None = None
    monthly_nanousd: int | None = None
    user_from_header: bool = False
    created_at: int = 0
    expires_at: int | None = None
    revoked_at: int | None = None
