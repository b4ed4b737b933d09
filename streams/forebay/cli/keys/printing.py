"""Keys as tables; whose they are and what for are texts that people gave."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from forebay.cli.terminal.tables import print_table
from forebay.contract.records import ApiKey


def print_keys(keys: Sequence[ApiKey]) -> None:
    """A row a key."""
    rows = [
        (key.key_id, key.tenant_id, key.user_id, key.name or "", key.role.value, _when(key.expires_at),
         _when(key.revoked_at))
        for key in keys
    ]  # fmt: skip
    print_table(("key", "tenant", "user", "name", "role", "expires", "revoked"), rows)


def print_key(told: Mapping[str, object]) -> None:
    """All that may be told of one."""
    print_table(("", "value"), [(name, _cell(name, value)) for name, value in told.items()])


def _when(at_ms: int | None) -> str:
    return "" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _cell(name: str, value: object) -> str:
    if isinstance(value, int) and name.endswith(("_at", "_until")):
        return _when(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
