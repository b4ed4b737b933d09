"""Does what leaves for people or for the dead letters carry personal data? The last check, where such records are made.

Evaluations and reviews are checked field by field before they are encoded: a hit fails the record (``pii_egress``).
A dead letter must be written whatever it holds, so a hit there takes its bytes away: they are sealed where the stage
has a vault key (then replay works), else withheld; headers still say what happened and where the original record is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

from forebay.contract import headers as h
from forebay.contract.handlers import Output, aside
from forebay.contract.wire import Encoded
from forebay.privacy.egress import EgressGuard
from forebay.privacy.people.names import NAME
from forebay.privacy.sealing import Keyring

SINKS = {"evaluations": "evaluation", "reviews": "review"}
"""Topics whose records people read, and what the check calls them."""
WITHHELD = "forebay-dlq-withheld"
"""Header of a dead letter without its bytes: the kinds of data that were in them."""
_NO_TEXT = ("_id", "_hash", "_ref", "_at")
"""Ends of the names of fields that hold no text: a digest has forms of its own."""


class Departures:
    """Checks records that leave.

    Args:
        guard: says what must not leave.
        keyring: seals dead letters; ``None``: they are withheld.
    """

    def __init__(self, guard: EgressGuard, keyring: Keyring | None) -> None:
        self._guard = guard
        self._keyring = keyring

    async def enforce(self, outputs: Sequence[Output]) -> None:
        """Raise ``Permanent("pii_egress")`` if one of ``outputs`` must not go where it is going."""
        for output in outputs:
            sink = SINKS.get(output.topic)
            if sink is not None:
                texts = list(texts_of(output.value))
                await aside(sum(map(len, texts)), partial(self._guard.enforce, sink=sink), texts)

    def letter(self, letter: Encoded) -> Encoded:
        """``letter`` as it may be written."""
        headers = dict(letter.headers)
        if letter.value is None or h.SEALED in headers:
            return letter
        # Avro keeps strings as they are, so that the bytes can be searched whatever their schema; JSON anyway.
        found = self._guard.seen([letter.value.decode("utf-8", "replace")], sink="dlq")
        if not found:
            return letter
        if self._keyring is not None:
            context = "/".join(headers[name].decode() for name in _ORIGIN)
            value = self._keyring.seal(letter.value, context)
            return replace(letter, value=value, headers=list((headers | {h.SEALED: context.encode()}).items()))
        kinds = ",".join(finding.kind for finding in found).encode()
        return replace(letter, value=None, headers=list((headers | {WITHHELD: kinds}).items()))


_ORIGIN = (h.ORIGIN_TOPIC, h.ORIGIN_PARTITION, h.ORIGIN_OFFSET)


def texts_of(value: Any, name: str = "") -> Iterator[str]:
    """All free text in a record."""
    if isinstance(value, str):
        if not name.endswith(_NO_TEXT) and not NAME.fullmatch(value):  # one name in 10,000 looks like an IBAN
            yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from texts_of(getattr(value, field.name), field.name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts_of(key, name)
            yield from texts_of(item, name)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_of(item, name)
