"""At which epoch is a request's address, and what does a question read as? The parts that reading and writing share."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from forebay.contract.records import RedactedRequest
from forebay.state.keys import Owned, owned
from forebay_agents.cache.matching.matching import Matcher, Reading, Verdict
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.address import Address, address_of
from forebay_agents.cache.store.store import Place, Store, Trace

_READINGS = 2_048
"""Readings kept: a question that missed is read again when its answer comes, seconds later."""


class Locator:
    """Addresses at the epoch last seen, which every look-up refreshes for free."""

    def __init__(self, store: Store, settings: CacheSettings, encoder: str) -> None:
        self._store = store
        self._settings = settings
        self._encoder = encoder
        self._epochs: dict[str | None, str] = {}

    def address(self, request: RedactedRequest) -> Address:
        """The address at the epoch that was seen last."""
        return self._at(request, self._epochs.get(request.task, "0.0"))

    def _at(self, request: RedactedRequest, epoch: str) -> Address:
        return address_of(request, self._settings, epoch=epoch, encoder=self._encoder)

    async def fetch(self, request: RedactedRequest, *, trace: bool = False) -> tuple[Address, bytes | None]:
        """The address of ``request`` and the packed entry there: one round trip unless the epoch was bumped.

        Args:
            trace: note that the request looked there, for its feedback.
        """
        mark = None
        if trace:
            key = owned(Owned.CACHE_TRACE, request.tenant_id, request.request_id)
            mark = Trace(key=key, ttl_s=self._settings.ttl_s)
        epoch = self._epochs.get(request.task, "0.0")
        while True:
            address = self._at(request, epoch)
            place = Place(wall=address.wall, entry_id=address.entry)
            blob, current = await self._store.get(place, request.task, mark)
            if current == epoch:
                return address, blob
            self._epochs[request.task] = epoch = current


class Reader:
    """Reads questions off the event loop, the same one only once."""

    def __init__(self, matcher: Matcher, executor: Executor) -> None:
        self._matcher = matcher
        self._executor = executor
        self._known: OrderedDict[str, Reading] = OrderedDict()

    async def read(self, question: str) -> Reading:
        """The reading of ``question``, as far as a new question needs it."""
        return self._known.get(question) or await self._do(question, self._matcher.read, question)

    async def recall(self, question: str) -> Reading:
        """The same with what a comparison needed beyond: kept with an answer, it is not read a second time."""
        return self._matcher.recalled(await self.read(question))

    async def compare(
        self, new: Reading, stored: Sequence[Reading], thresholds: Sequence[float | None], floor: float
    ) -> list[Verdict]:
        """Verdicts on the stored questions."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._matcher.compare, new, stored, thresholds, floor)

    async def _do(self, question: str, work: Callable[[Any], Reading], what: Any) -> Reading:
        reading = await asyncio.get_running_loop().run_in_executor(self._executor, work, what)
        self._known[question] = reading
        if len(self._known) > _READINGS:
            self._known.popitem(last=False)
        return reading
