"""What does the history have of a person? His requests, their calls, and what was said of them; by pseudonym.

Where the file is not on this machine, nothing is found: `forebay erase` then has to run where the recorder does. Sums
hold no person, and stay. What topics still have is not written down again: the recorder is beyond it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forebay.history.sqlite.people import erased, rows_of
from forebay.operations.people.person import Person, Row


class HistoryPlace:
    """See :class:`forebay.operations.people.person.Place`; ``path``: of the file."""

    name = "history"

    def __init__(self, path: Path) -> None:
        self._path = path

    async def erase(self, person: Person) -> Row:
        """See the protocol. Raises :class:`HistoryError`: the file cannot be written now; erasing again goes on."""
        if not self._path.exists():
            return Row(place=self.name)
        return Row(place=self.name, removed=erased(self._path, person.tenant_id, person.forms))

    async def told(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """See the protocol: one entry a request."""
        return rows_of(self._path, person.tenant_id, person.forms) if self._path.exists() else []
