"""When does ``spend`` say what has changed? At most once a second of each key, and not of calls that only began.

An entry that changed a sum waits until the sum was told, and is acknowledged then; a later one of the same rows takes
its place, so that after a crash at least one of them comes again and its rows are told. Of a call that began nobody is
told for a while: most end meanwhile, and what their end says has it all. It is acknowledged at once, and who starts
anew finds it among the attempts that are open.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from forebay_agents.cost.projection import Keys

_EVERY_S = 1.0
"""Between two records of one key."""
_LATE_S = 5.0
"""After which a call that goes on is told of, with what it may cost: budgets see it if Redis has lost what was put
aside for it. Four of five calls of the simulated large model have ended by then."""


@dataclass(eq=False, slots=True)
class Asked:
    """Rows that wait to be told of: ``of`` is the partition of the ledger, ``answer`` whose entry waits for it."""

    keys: Keys
    of: int
    answer: Any = field(repr=False)


class Telling:
    """What has to be told, and when it was last; not thread-safe. ``clock``: seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: dict[tuple[Keys, int], Asked] = {}
        self._told_s: dict[Keys, float] = {}
        self._begun: dict[Keys, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._asked)

    def ask(self, asked: Asked) -> Asked | None:
        """Have the rows told of; whom this one takes the place of, who need not wait any more."""
        place = asked.keys, asked.of
        earlier = self._asked.pop(place, None)
        self._asked[place] = asked
        return earlier

    def begun(self, keys: Keys, of: int) -> None:
        """A call began: its rows may be told of later. ``of``: partition of the ledger."""
        self._begun.setdefault(keys, (of, self._clock()))

    def due(self) -> list[Asked]:
        """What is to be told now; it counts as told."""
        now_s = self._clock()
        for keys in [keys for keys, told_s in self._told_s.items() if now_s - told_s >= _EVERY_S]:
            del self._told_s[keys]
        found = [asked for asked in self._asked.values() if asked.keys not in self._told_s]
        for asked in found:
            del self._asked[asked.keys, asked.of]
            self._told_s[asked.keys] = now_s
            self._begun.pop(asked.keys, None)
        return found

    def late(self) -> list[tuple[Keys, int]]:
        """Rows of calls that began a while ago, and were not told of since; they count as told."""
        now_s = self._clock()
        found = [(keys, of) for keys, (of, begun_s) in self._begun.items() if now_s - begun_s >= _LATE_S]
        for keys, _ in found:
            del self._begun[keys]
        return found
