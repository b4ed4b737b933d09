"""What of an answer may somebody be shown while a model writes it? What will surely be in the record that follows.

Pieces (:class:`forebay.contract.records.Delta`) are hints: any may be lost, and two calls may write for one request,
one behind the other, since workers and deployments fail. The record is the truth. So text is shown only as it continues
what was shown before; when a second call writes, what it writes is compared first, and the record at the end. Where
they say something else, that is told (:class:`RestartedError`): never is text of two answers put together.

Three things are not known before the record, and end the live part without harm: what a lost piece said; whether an
answer that begins as JSON does is JSON, where originals need escapes; and whether an address in which a pseudonym
stands is the asker's own, who alone gets the original there.
"""

from forebay.contract.records import Delta
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.stream_restoring import StreamRestorer


class RestartedError(Exception):
    """The answer does not begin with what was shown of it: another call wrote another one."""


class LiveAnswer:
    """The text of one answer, from its pieces and its record."""

    def __init__(self) -> None:
        self._live = True
        self._attempt = ""
        self._past: set[str] = set()
        self._length = 0
        self._blank = True
        self._json = False
        self._restorer: StreamRestorer | None = None
        self._shown: list[str] = []
        self._again: str | None = None
        """What the present call wrote of what was shown before by another; ``None``: all that was shown is its own."""

    @property
    def live(self) -> bool:
        """Whether pieces are of any use yet."""
        return self._live

    @property
    def shown(self) -> str:
        """What was given out."""
        return "".join(self._shown)

    def stop(self) -> None:
        """Pieces are of no use any more, as when nobody can restore them; what is missing comes with the record."""
        self._live = False

    def add(self, piece: Delta, pseudonyms: PseudonymMap) -> str:
        """What can be shown after ``piece``.

        Args:
            pseudonyms: what ``piece.vault_ref`` names.

        Raises:
            RestartedError: a second call writes something else than was shown. Nothing can be added any more.
        """
        if not self._live or piece.attempt_id in self._past:
            return ""
        if self._restorer is None or piece.attempt_id != self._attempt:
            self._begin(piece.attempt_id, pseudonyms)
        if piece.at + len(piece.text) <= self._length:
            return ""  # a repetition
        if piece.at != self._length or self._may_be_json(piece.text):
            self._live = False
            return ""
        self._length += len(piece.text)
        assert self._restorer is not None
        text = self._restorer.feed(piece.text)
        if self._restorer.withheld:
            self._live = False
            return ""
        return self._continued(text)

    def finish(self, content: str) -> str:
        """What is missing of ``content``, the answer in the record.

        Raises:
            RestartedError: it is not how the record's answer begins.
        """
        self._live = False
        shown = self.shown
        if not content.startswith(shown):
            raise RestartedError
        return content[len(shown) :]

    def _begin(self, attempt_id: str, pseudonyms: PseudonymMap) -> None:
        if self._restorer is not None:
            self._past.add(self._attempt)
        self._attempt = attempt_id
        self._restorer = StreamRestorer(pseudonyms)
        self._length, self._blank = 0, True
        self._json = bool(pseudonyms.originals)
        self._again = "" if self._shown else None

    def _may_be_json(self, text: str) -> bool:
        if not (self._blank and self._json):
            return False
        begins = text.lstrip()[:1]
        self._blank = not begins
        return begins in ("{", "[") and bool(begins)

    def _continued(self, text: str) -> str:
        """What of the present call's ``text`` was not shown yet."""
        if self._again is not None:
            shown = self.shown
            self._again += text
            if not shown.startswith(self._again[: len(shown)]):
                self._live = False
                raise RestartedError
            text = self._again[len(shown) :]
            if text:
                self._again = None
        if text:
            self._shown.append(text)
        return text
