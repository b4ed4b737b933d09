"""Does what leaves for people or for the dead letters carry personal data? The last check, where such records are made.

What people read is checked field by field before it is encoded, by stages and by commands alike: a hit fails the
record (``pii_egress``), or the command. Every topic of the catalogue is in :data:`SINKS`, or in :data:`EXEMPT` with the
reason. A dead letter must be written whatever it holds, so a hit there takes its bytes away: they are sealed where the
stage has a vault key (then replay works), else withheld; headers still say what happened and where the original is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

from forebay.contract import headers as h
from forebay.contract.handlers import Output, aside
from forebay.contract.records import AuditEvent
from forebay.contract.wire import Encoded
from forebay.privacy.egress import EgressGuard
from forebay.privacy.people.names import NAME
from forebay.privacy.sealing import Keyring

SINKS = {
    "evaluations": "evaluation",
    "reviews": "review",
    "corrections": "correction",
    "alerts": "alert",
    "alerts.silences": "silence",
    "audit": "audit",
    "dlq.state": "dlq_state",
    "cache.verify": "cache_check",
}
"""Topics whose records people read, or what judges for them, and what the check calls them."""

_ASKED = "written by applications; what of it goes on, redaction has read"
_REDACTED = "for stages; its texts are checked before a provider, the cache or a person gets them"
_SUMS = "pseudonyms, names of models and sums: no text"
_BYTES = "bytes of other topics, sealed where those may hold personal data"
EXEMPT = {
    "requests": _ASKED,
    "feedback": _ASKED,
    "responses": "for whoever asked: their own data is restored in it",
    "requests.redacted": _REDACTED,
    "requests.uncached": _REDACTED,
    "completions": _REDACTED,
    "deltas": "for doors: what a model wrote, of a prompt that was checked; kept for minutes",
    "usage": f"{_SUMS}; labels and tasks are of requests that redaction has read",
    "spend": _SUMS,
    "outcomes": "ids, codes, counts and times: a test proves that no text gets in; metadata is what redaction has read",
    "notifications": "alerts, which were checked where they were made",
    "retry.10s": _BYTES,
    "retry.1m": _BYTES,
    "retry.10m": _BYTES,
    "dlq": "checked as bytes, by :meth:`Departures.letter`",
    "keys": "for whom keys of the HTTP door were made: ids that people gave, and doors need as they are",
    "clock": "records without a value",
}
"""Topics that are not checked here, and why not."""
WITHHELD = "forebay-dlq-withheld"
"""Header of a dead letter without its bytes: the kinds of data that were in them."""
_NO_TEXT = ("_id", "_hash", "_ref", "_at", "fingerprint")
"""Ends of the names of fields that hold no text: a digest has forms of its own."""
_ACTORS = frozenset({"by", "reviewer"})
"""Fields with who acted: an account may be called by an e-mail address, and the trail is there to name it."""


class Departures:
    """Checks records that leave.

    Args:
        guard: says what must not leave.
        keyring: seals dead letters; ``None``: they are withheld.
    """

    def __init__(self, guard: EgressGuard, keyring: Keyring | None) -> None:
        self._guard = guard
        self._keyring = keyring

    def enforce(self, outputs: Sequence[Output]) -> None:
        """Raise ``Permanent("pii_egress")`` if one of ``outputs`` must not go where it is going."""
        for sink, texts in _checked(outputs):
            self._guard.enforce(texts, sink=sink)

    async def enforce_aside(self, outputs: Sequence[Output]) -> None:
        """As :meth:`enforce`, long texts off the event loop."""
        for sink, texts in _checked(outputs):
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


def _checked(outputs: Sequence[Output]) -> Iterator[tuple[str, list[str]]]:
    for output in outputs:
        sink = SINKS.get(output.topic)
        if sink is not None:
            yield sink, list(texts_of(output.value))


def texts_of(value: Any, name: str = "") -> Iterator[str]:
    """All free text in a record."""
    if isinstance(value, str):
        harmless = name.endswith(_NO_TEXT) or name in _ACTORS or NAME.fullmatch(value)
        if not harmless:  # one name in 10,000 looks like an IBAN
            yield value
    elif isinstance(value, AuditEvent):
        yield from (value.action, value.subject, value.reason or "", *value.facts.values())
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
