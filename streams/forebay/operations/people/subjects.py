"""What may an operator do for a person who asks? Forget what is known of him, or tell him all of it, in the trail both.

Erased is what can be erased at once: what is in Redis, and open reviews, which are closed. Topics forget by their
retention; every row says what stays, how the person is called there, and until when.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.json_lines import new_id
from forebay.contract.records import Correction, CorrectionAction
from forebay.contract.topics import DAY_MS, TOPICS
from forebay.operations.audit.recording import Recorder
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.people.person import Person, Place, Row, Seen
from forebay.operations.people.topics import UNREAD, Read, seen


class NothingKnownError(Exception):
    """No place knows the person."""

    def __init__(self, person: Person) -> None:
        super().__init__(f"nothing is known of user {person.given} of tenant {person.tenant_id}")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What erasure and disclosure take.

    Attributes:
        read: all records of topics.
        places: where entries can be erased.
        publish: decisions on reviews.
        record: the audit trail.
    """

    read: Read
    places: Sequence[Place]
    publish: Callable[[Sequence[Output]], None]
    record: Recorder
    clock: Clock = now_ms

    async def erase(self, person: Person) -> list[Row]:
        """Forget a person: a row a place.

        Raises:
            NothingKnownError: no place knew him.
            PublishError: it cannot be written down; nothing was done.
            Failure: Redis does not answer; what was erased stays so, and erasing again goes on.
        """
        with self.record("person.erase", subject=f"person {person.name}") as act:
            told = seen(self.read, person)
            known = replace(person, requests=told.requests)
            rows = [await place.erase(known) for place in self.places]
            rows += [self._closed(told), *self._with_ends(told.rows)]
            act.count = sum(row.removed for row in rows)
            act.details["left"] = str(sum(row.left or 0 for row in rows))
        if not any(row.known for row in rows):
            raise NothingKnownError(person)
        return rows

    async def export(self, person: Person, path: Path) -> int:
        """Write all that is known of a person into a new file that its owner alone can read; how many things.

        Raises:
            InvalidChoiceError: there is a file already, or it cannot be made.
            NothingKnownError: no place knows him; there is no file then.
            PublishError: it cannot be written down; nothing was read.
            Failure: Redis does not answer.
        """
        with self.record("person.export", subject=f"person {person.name}") as act:
            found = seen(self.read, person, keep=True)
            known = replace(person, requests=found.requests)
            stored = {place.name: list(await place.told(known)) for place in self.places}
            topics = {topic: list(records) for topic, records in found.records.items()}
            act.count = sum(map(len, (*stored.values(), *topics.values())))
            if not act.count:
                raise NothingKnownError(person)
            content = {
                "tenant_id": person.tenant_id,
                "user_id": person.given,
                "pseudonym": person.name,
                "at": self.clock(),
                "stored": stored,
                "topics": topics,
                "not_read": dict.fromkeys(UNREAD, "personal data in the clear, kept for a day")
                | {"keys": "for whom keys of the HTTP door were made: forebay keys list"},
            }
            _write(path, content)
        return act.count

    def _closed(self, told: Seen) -> Row:
        """Open reviews, decided: nobody is shown them any more, and the answer is not given again."""
        decisions = [
            Output(
                topic="corrections",
                key=request,
                value=Correction(
                    correction_id=new_id(),
                    review_id=review,
                    request_id=request,
                    tenant_id=told.tenant_id,
                    action=CorrectionAction.REJECT,
                    reviewer="forebay:erase",
                    reason="erased",
                    created_at=self.clock(),
                ),
            )
            for review, request in told.open_reviews
        ]
        if decisions:
            self.publish(decisions)
        return Row(place="open reviews", removed=len(decisions))

    def _with_ends(self, rows: Sequence[Row]) -> list[Row]:
        """What nobody has read is a day old at most."""
        until = {name: None if TOPICS[name].retention_ms is None else self.clock() + DAY_MS for name in UNREAD}
        return [replace(row, until=until[row.place]) if row.left is None else row for row in rows]


def _write(path: Path, content: Any) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidChoiceError(f"{path} cannot be made: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
