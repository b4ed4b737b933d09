"""What of an answer may somebody be shown while a model writes it? What will surely be in the record that follows.

Pieces (:class:`forebay.contract.records.Delta`) are hints: any may be lost, and two calls may write for one request,
one behind the other, since workers and deployments fail. The record is the truth. So text is shown only as it continues
what was shown before; when a second call writes, what it writes is compared first, and the record at the end. Where
they say something else, that is told (:class:`RestartedError`): never is text of two answers put together.

Three things are not known before the record, and end the live part without harm: what a lost piece said; whether an
answer that begins as JSON does is JSON, where originals need escapes; and whether an address in which a pseudonym
stands is the asker's own, who alone gets the original there.
"""

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Protocol

import structlog

from forebay.contract.failures import Failure
from forebay.contract.records import Delta, Request
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.stream_restoring import StreamRestorer
from forebay.privacy.vault import Owner

log = structlog.get_logger(__name__)


class Ended(StrEnum):
    """Why the live part of an answer ended before its record."""

    LOST = "lost"
    JSON = "json"
    ADDRESS = "address"
    RESTARTED = "restarted"
    NO_MAPPING = "no_mapping"


class RestartedError(Exception):
    """The answer does not begin with what was shown of it: another call wrote another one."""


class LiveAnswer:
    """The text of one answer, from its pieces and its record."""

    __slots__ = ("_again", "_attempt", "_blank", "_json", "_length", "_past", "_restorer", "ended", "shown")

    def __init__(self) -> None:
        self.ended: Ended | None = None
        """Why pieces are of no use any more; what is missing comes with the record."""
        self._attempt = ""
        self._past: frozenset[str] = frozenset()
        self._length = 0
        self._blank = True
        self._json = False
        self._restorer: StreamRestorer | None = None
        self.shown = ""
        """What was given out; one text, since as a list of pieces it takes sixty bytes a piece more."""
        self._again: str | None = None
        """What the present call wrote of what was shown before by another; ``None``: all that was shown is its own."""

    def stop(self, why: Ended) -> None:
        """Pieces are of no use any more."""
        self.ended = self.ended or why

    def add(self, piece: Delta, pseudonyms: PseudonymMap) -> str:
        """What can be shown after ``piece``.

        Args:
            pseudonyms: what ``piece.vault_ref`` names.

        Raises:
            RestartedError: a second call writes something else than was shown. Nothing can be added any more.
        """
        if self.ended is not None or piece.attempt_id in self._past:
            return ""
        if self._restorer is None or piece.attempt_id != self._attempt:
            self._begin(piece.attempt_id, pseudonyms)
        if piece.at + len(piece.text) <= self._length:
            return ""  # a repetition
        if piece.at != self._length:
            return self._stopped(Ended.LOST)
        if self._may_be_json(piece.text):
            return self._stopped(Ended.JSON)
        self._length += len(piece.text)
        assert self._restorer is not None
        text = self._restorer.feed(piece.text)
        if self._restorer.withheld:
            return self._stopped(Ended.ADDRESS)
        return self._continued(text)

    def finish(self, content: str) -> str:
        """What is missing of ``content``, the answer in the record.

        Raises:
            RestartedError: it is not how the record's answer begins.
        """
        shown = self.shown
        if not content.startswith(shown):
            raise RestartedError
        return content[len(shown) :]

    def _stopped(self, why: Ended) -> str:
        self.ended = why
        return ""

    def _begin(self, attempt_id: str, pseudonyms: PseudonymMap) -> None:
        if self._restorer is not None:
            self._past |= {self._attempt}
        self._attempt = attempt_id
        self._restorer = StreamRestorer(pseudonyms)
        self._length, self._blank = 0, True
        self._json = bool(pseudonyms.originals)
        self._again = "" if self.shown else None

    def _may_be_json(self, text: str) -> bool:
        if not (self._blank and self._json):
            return False
        begins = text.lstrip()[:1]
        self._blank = not begins
        return begins in ("{", "[")

    def _continued(self, text: str) -> str:
        """What of the present call's ``text`` was not shown yet."""
        if self._again is not None:
            shown = self.shown
            self._again += text
            if not shown.startswith(self._again[: len(shown)]):
                self.ended = Ended.RESTARTED
                raise RestartedError
            text = self._again[len(shown) :]
            if text:
                self._again = None
        self.shown += text
        return text


class Maps(Protocol):
    """The part of the vault that is needed here."""

    async def load(self, ref: str, owner: Owner, request_id: str) -> PseudonymMap:
        """The map behind ``ref`` of this request of ``owner``. Raises :class:`forebay.contract.failures.Failure`."""
        ...


class HeardPieces:
    """Pieces for whoever follows an answer; but for :meth:`wanted` and :meth:`arrived`, for one event loop.

    Args:
        reply_to: partition of ``deltas`` that is read.
        maps: opens what pieces name; of the request's own tenant and id, so that no piece can name another's.
        ended: told why a live part ended before its record.
    """

    def __init__(self, reply_to: int, maps: Maps, ended: Callable[[str], None] = lambda _: None) -> None:
        self.reply_to = reply_to
        self._maps = maps
        self._ended = ended
        self._followed: dict[str, _Followed] = {}
        self._loop = asyncio.get_running_loop()

    def follow(self, request: Request, heard: Callable[[str], None]) -> Callable[[], None]:
        """Have ``heard`` called with each piece of the answer to ``request``, in order and without gaps.

        Who comes later hears at once what was there before.

        Returns:
            Ends it.
        """
        one = self._followed.get(request.request_id)
        if one is None:
            one = self._followed[request.request_id] = _Followed(request, self._maps, self._ended)
        one.listeners.append(heard)
        if shown := one.live.shown:
            heard(shown)
        return partial(self._leave, one, heard)

    def wanted(self, request_id: str) -> bool:
        """Whether anybody follows the answer to ``request_id``; called on any thread."""
        return request_id in self._followed

    def arrived(self, pieces: Sequence[tuple[str, Delta]]) -> None:
        """Pieces, with the ids of their requests, in order; called on any thread."""
        self._loop.call_soon_threadsafe(self._told, pieces)

    def _told(self, pieces: Sequence[tuple[str, Delta]]) -> None:
        for request_id, piece in pieces:
            if (one := self._followed.get(request_id)) is not None:
                one.take(piece)

    def _leave(self, one: "_Followed", heard: Callable[[str], None]) -> None:
        if heard in one.listeners:
            one.listeners.remove(heard)
        if not one.listeners and self._followed.get(one.request.request_id) is one:
            del self._followed[one.request.request_id]
            one.close()


_NONE = PseudonymMap()


class _Followed:
    """One answer and those who follow it."""

    __slots__ = ("_ended", "_known", "_maps", "_opening", "_waiting", "listeners", "live", "request")

    def __init__(self, request: Request, maps: Maps, ended: Callable[[str], None]) -> None:
        self.request = request
        self.live = LiveAnswer()
        self.listeners: list[Callable[[str], None]] = []
        self._maps = maps
        self._ended = ended
        self._known: dict[str | None, PseudonymMap] = {None: _NONE}
        self._waiting: list[Delta] = []
        self._opening: asyncio.Task[None] | None = None

    def take(self, piece: Delta) -> None:
        """One more piece; while its pseudonyms are not known it waits."""
        if self.live.ended is not None:
            return
        self._waiting.append(piece)
        if self._opening is None:
            self._go_on()

    def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()

    def _go_on(self) -> None:
        while self._waiting and self.live.ended is None:
            piece = self._waiting[0]
            if piece.vault_ref not in self._known:
                self._opening = asyncio.create_task(self._open(piece))
                return
            del self._waiting[0]
            try:
                text = self.live.add(piece, self._known[piece.vault_ref])
            except RestartedError:
                text = ""
            if text:
                for heard in self.listeners:
                    heard(text)
        if self.live.ended is not None:
            self._waiting.clear()
            self._ended(self.live.ended.value)

    async def _open(self, piece: Delta) -> None:
        owner = Owner(tenant_id=self.request.tenant_id, user_id=piece.user_id)
        try:
            found = await self._maps.load(piece.vault_ref or "", owner, self.request.request_id)
        except Failure as failure:
            log.warning("pieces_not_restored", code=failure.code)
            self.live.stop(Ended.NO_MAPPING)
        else:
            self._known[piece.vault_ref] = found
        self._opening = None
        self._go_on()
