"""By which index are requests found that fit? By that which leaves the fewest rows.

A user or a conversation has few requests, few have an error, few are slow; a tenant may have half of them. What else is
asked is looked at row by row, newest first, so that fifty are found soon where many fit.
"""

from typing import Any

from forebay.history.packing import packed_id
from forebay.history.sqlite import schema
from forebay.history.sqlite.names import USERS, Kind, Names
from forebay.history.views import Wanted

_NOBODY = -1
"""No name has this number."""


def chosen(wanted: Wanted, older: tuple[int, int] | None, names: Names) -> tuple[str, list[str], list[Any]]:
    """The index that leaves the fewest rows, the conditions and their values."""
    where, values = list[str](), list[Any]()
    for condition, value in (
        ("status = ?", _number(names, Kind.CODE, wanted.status)),
        ("source = ?", _number(names, Kind.CODE, wanted.source)),
        ("tier = ?", _number(names, Kind.MODEL, wanted.tier)),
        ("error = ?", _number(names, Kind.CODE, wanted.error_code)),
        ("tenant = ?", tenant := _number(names, Kind.TENANT, wanted.tenant_id)),
        ("conversation = ?", None if wanted.conversation_id is None else packed_id(wanted.conversation_id)),
        ("total_ms > ?", wanted.slower_than_ms),
        ("at >= ?", wanted.since_ms),
        ("at < ?", wanted.until_ms),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    if wanted.user_id is not None:
        numbers = _users(wanted.user_id, tenant, names)
        where.append(f"user IN ({', '.join('?' * len(numbers))})")
        values += numbers
    if older is not None:
        where.append("(at, rowid) < (?, ?)")
        values += older
    index, needs = _index(wanted)
    return index, where + needs, values


def _index(wanted: Wanted) -> tuple[str, list[str]]:
    """Its name, and what it takes to be used."""
    if wanted.conversation_id is not None:
        return "requests_conversation", []
    if wanted.user_id is not None:
        return "requests_user", []
    if wanted.error_code is not None or wanted.status in ("failed", "rejected"):
        return "requests_error", ["error IS NOT NULL"]
    if wanted.slower_than_ms is not None and wanted.slower_than_ms >= schema.SLOW_MS:
        return "requests_slow", [f"total_ms > {schema.SLOW_MS}"]
    return ("requests_at" if wanted.tenant_id is None else "requests_tenant"), []


def _number(names: Names, kind: int, name: str | None) -> int | None:
    return None if name is None else known(names, kind, name)


def known(names: Names, kind: int, name: str) -> int:
    """The number of a name; one that no row has where it is not known."""
    found = names.known(kind, name)
    return _NOBODY if found is None else found


def _users(name: str, tenant: int | None, names: Names) -> list[int]:
    """Numbers of a user: of one tenant, or of all who have one of this name."""
    if tenant is not None:
        return [known(names, USERS + tenant, name)]
    return names.all_above(USERS, name) or [_NOBODY]
