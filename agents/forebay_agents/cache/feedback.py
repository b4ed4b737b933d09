"""What do people's and judges' words do to an answer? They replace it, vouch for it, hold it back or evict it."""

import dataclasses

from forebay.contract.records import Completion, Correction, CorrectionAction, Evaluation, Feedback, FeedbackRating
from forebay.state.keys import Owned, owned
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.address import Address, tenant_wall
from forebay_agents.cache.store.entry import Entry, Trust
from forebay_agents.cache.store.locating import Locator
from forebay_agents.cache.store.store import Place, Store
from forebay_agents.cache.writer import Keeper


class People:
    """Carries out corrections, feedback and judges' scores.

    Raises :class:`forebay_agents.cache.store.store.StoreUnavailableError`.
    """

    def __init__(self, store: Store, locator: Locator, keeper: Keeper, settings: CacheSettings) -> None:
        self._store = store
        self._locator = locator
        self._keeper = keeper
        self._settings = settings

    async def correct(self, correction: Correction) -> None:
        """Do what a person decided on an answer."""
        completion = correction.completion
        if completion is None or completion.request is None:
            return  # nothing says which question it was
        address, blob = await self._locator.fetch(completion.request)
        known = self._keeper.known(blob, address)
        if correction.action is CorrectionAction.APPROVE:
            if known is None or known.trust is not Trust.HUMAN:
                await self._write(completion, address, completion.content, Trust.VERIFIED, known)
            return
        await self._evict(completion, address)
        if correction.action is CorrectionAction.CORRECT:
            await self._write(completion, address, correction.content, Trust.HUMAN, known)

    async def _write(
        self, completion: Completion, address: Address, content: str, trust: Trust, known: Entry | None
    ) -> None:
        assert completion.request is not None
        entry = self._keeper.entry(completion, completion.request, address, content=content, trust=trust, known=known)
        await self._keeper.write(entry, completion.request, address)

    async def _evict(self, completion: Completion, address: Address) -> None:
        await self._store.forget(Place(wall=address.wall, entry_id=address.entry), address.partition)
        if completion.cache_key and completion.cache_key != address.entry:
            # A wrong answer that came by similarity: its source must not be given again either.
            await self._store.forget(Place(wall=address.wall, entry_id=completion.cache_key), address.partition)

    async def heard(self, feedback: Feedback) -> None:
        """A thumb down holds the answer back until somebody has judged it."""
        if feedback.rating is not FeedbackRating.DOWN:
            return
        entry = await self._traced(feedback.request_id, feedback.tenant_id)
        if entry is not None and entry.trust is Trust.MODEL and not entry.quarantined:
            await self._keeper.rewrite(dataclasses.replace(entry, quarantined=True))

    async def judged(self, evaluation: Evaluation) -> None:
        """A low score evicts the answer; a good one releases it from quarantine."""
        if not evaluation.score:
            return  # no verdict could be read
        entry = await self._traced(evaluation.request_id, evaluation.tenant_id)
        if entry is None or entry.trust is not Trust.MODEL:
            return
        if evaluation.score < self._settings.judge_floor:
            await self._store.forget(Place(wall=entry.wall, entry_id=entry.entry_id), entry.partition)
        elif entry.quarantined:
            await self._keeper.rewrite(dataclasses.replace(entry, quarantined=False))

    async def _traced(self, request_id: str, tenant_id: str) -> Entry | None:
        """The entry that a request read or wrote, if its tenant has a say in it."""
        text = await self._store.noted(owned(Owned.CACHE_TRACE, tenant_id, request_id))
        place = Place.parse(text) if text else None
        if place is None or not (place.wall == "global" or place.wall.startswith(tenant_wall(tenant_id))):
            return None
        blobs = await self._store.get_many(place.wall, [place.entry_id])
        return self._keeper.unpacked(blobs.get(place.entry_id))
