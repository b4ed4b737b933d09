"""Which small number stands for a name? Codes, tiers, models, tenants and users are numbers in every row.

The table is open: a code that nobody has seen before gets the next number. Names of one kind do not meet those of
another, and users of one tenant not those of another.
"""

import sqlite3
from enum import IntEnum

from forebay.contract.ids import LONGEST, refused_id

_MOST_REMEMBERED = 100_000


class Kind(IntEnum):
    """What a name is of; a user's also says the tenant, as its number above :data:`USERS`."""

    CODE = 0
    TENANT = 1
    MODEL = 2
    KEY = 3
    STAGE = 4
    PERSON = 5


USERS = 1_000
"""Kind of the users of the tenant with the number 0; of a tenant with another number so many above."""


class Names:
    """Numbers for names within the transaction that is open, and names for numbers.

    Args:
        database: its connection.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._numbers: dict[tuple[int, str], int] = {}
        self._names: dict[int, str] = {}

    def forget(self) -> None:
        """What was remembered, after a transaction that failed or a change by somebody else."""
        self._numbers.clear()
        self._names.clear()

    def number(self, kind: int, name: str) -> int:
        """The number of ``name``, made now if it has none."""
        known = self._numbers.get((kind, name))
        if known is not None:
            return known
        kept = _kept(name)
        found = self.known(kind, name)
        if found is None:
            found = self._database.execute("INSERT INTO names (kind, name) VALUES (?, ?)", (kind, kept)).lastrowid
            assert found is not None
        if len(self._numbers) >= _MOST_REMEMBERED:
            self._numbers.clear()
        self._numbers[kind, name] = found
        return found

    def optional(self, kind: int, name: str | None) -> int | None:
        """The same of a name that may be missing or empty."""
        return self.number(kind, name) if name else None

    def known(self, kind: int, name: str) -> int | None:
        """The number of ``name`` if it has one."""
        row = self._database.execute("SELECT number FROM names WHERE kind = ? AND name = ?", (kind, _kept(name)))
        found: tuple[int] | None = row.fetchone()
        return None if found is None else found[0]

    def user(self, tenant: int, name: str) -> int:
        """The number of a user of the tenant with the number ``tenant``."""
        return self.number(USERS + tenant, name)

    def name(self, number: int | None) -> str | None:
        """What ``number`` stands for; ``?`` for one whose name is gone."""
        if number is None:
            return None
        known = self._names.get(number)
        if known is None:
            row = self._database.execute("SELECT name FROM names WHERE number = ?", (number,)).fetchone()
            if len(self._names) >= _MOST_REMEMBERED:
                self._names.clear()
            known = self._names[number] = "?" if row is None else row[0]
        return known

    def all_above(self, kind: int, name: str) -> list[int]:
        """Numbers of ``name`` of all kinds from ``kind`` on."""
        found = self._database.execute("SELECT number FROM names WHERE kind >= ? AND name = ?", (kind, _kept(name)))
        return [number for (number,) in found]


def _kept(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        return refused_id(name)
    return name if len(name) <= LONGEST else refused_id(name)
