"""How often may a library say the same thing? Five times in ten seconds; then it is counted, not written.

aiokafka says each failed connection twice, and a worker has several clients that try ten times a second: 100 lines a
second and worker while a broker was away, nine million a day. Our own events are written where something changed and
are not held back.
"""

import logging
from dataclasses import dataclass

_WINDOW_S = 10.0
_WRITTEN = 5


@dataclass(slots=True)
class _Place:
    began: float
    said: int = 0


class Repeating(logging.Filter):
    """Lets a place in a library's code log five lines in ten seconds.

    A place is a logger's name and a line of its source, so what is kept is bounded by the code. The first line of the
    next window has ``withheld``: how many of its place were not written since.
    """

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[str, int], _Place] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written."""
        key = (record.name, record.lineno)
        place = self._places.setdefault(key, _Place(record.created))
        # A clock that was set back opens a window as well: else nothing would be written until it has caught up.
        if not 0 <= record.created - place.began < _WINDOW_S:
            if place.said > _WRITTEN:
                record.withheld = place.said - _WRITTEN
            self._places[key] = place = _Place(record.created)
        place.said += 1
        return place.said <= _WRITTEN
