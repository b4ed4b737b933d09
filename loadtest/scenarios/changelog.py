"""What is left of a Faust table when its worker is killed? Some beginning of what it wrote to its changelog."""

from collections.abc import Iterator, MutableMapping
from typing import Any


class Changelog(MutableMapping[str, Any]):
    """A table with a changelog: after a death there is a beginning of its writes."""

    def __init__(self) -> None:
        self._rows: dict[str, Any] = {}
        self._writes: list[tuple[int, str, Any]] = []
        self.offset = 0

    def __getitem__(self, key: str) -> Any:
        return self._rows[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._rows[key] = value
        self._writes.append((self.offset, key, value))

    def __delitem__(self, key: str) -> None:
        del self._rows[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def die(self, committed: int, more: int) -> None:
        """Keep what was written for finished records, and ``more`` of the rest."""
        certain = len(self._writes)
        while certain and self._writes[certain - 1][0] >= committed:
            certain -= 1
        self._writes = self._writes[: certain + more]
        self._rows = {key: value for _, key, value in self._writes}
