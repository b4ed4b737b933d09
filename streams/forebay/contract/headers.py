"""Which headers travel with a record? W3C ``traceparent`` and ``forebay-*``; values are UTF-8 text.

Headers of a retry or dead letter are written once (``forebay-origin-*``) and counted on (``forebay-attempt``). The set
is closed: a name that is not here travels nowhere, and none is believed for how it begins.
"""

import random
import re
from collections.abc import Iterable, Mapping

Headers = Mapping[str, bytes]
"""Header name to value; of repeated names the last counts."""

TRACEPARENT = "traceparent"
REQUEST_ID = "forebay-request-id"
"""Travels from redaction on, so that also a record that cannot be read can be answered for."""
FINGERPRINT = "forebay-fingerprint"
"""Of the body that a record is about (:mod:`forebay.privacy.fingerprints`); sealed but on responses."""
SENT_ID = "forebay-sent-id"
"""The id of a request that is refused for it, sealed; until the response, which goes back under it."""
IDS = "forebay-ids"
"""What the application called the user and the conversation, sealed; on the way to the response alone
(:mod:`forebay.privacy.people.travelling`)."""
ATTEMPT = "forebay-attempt"
RETRY_STAGE = "forebay-retry-stage"
"""Only the stage of this name may process the record: others consume the same topic."""
DUE_AT = "forebay-due-at"
SEALED = "forebay-sealed"
SEALED_KEY = "forebay-sealed-key"
"""The record's own key, sealed, where it is kept under another: a producer's key may be anything."""
PROOF = "forebay-proof"
"""That the record comes back from where it was sent: :mod:`forebay.trust.proofs`."""
TENANT = "forebay-tenant"
"""By a producer: that the record is its tenant's (:mod:`forebay.trust.tenants`)."""
WRITER = "forebay-writer"
"""Who wrote a request, as was proved at ingress: the id of a key, or a tenant; empty: nobody proved anything."""
SEALED_FOR = "forebay-sealed-for"
"""Of a response whose value only its tenant can open: a JSON array of the key's id and the tenant."""
ORIGIN_TOPIC = "forebay-origin-topic"
ORIGIN_PARTITION = "forebay-origin-partition"
ORIGIN_OFFSET = "forebay-origin-offset"
ORIGIN_TIMESTAMP = "forebay-origin-timestamp"
FIRST_FAILED_AT = "forebay-first-failed-at"
LAST_CODE = "forebay-last-code"
REPLAYED_AT = "forebay-replayed-at"
"""When an operator sent a dead letter back, in ms since the epoch: deadlines count from it."""
REPLAYED_LETTER = "forebay-replayed-letter"
"""Id of the dead letter that was sent back; travels on, so that a replay sees what became of it."""
REPLAY_ID = "forebay-replay-id"
REPLAYS = "forebay-replay-count"
SUPERSEDES = "forebay-supersedes"
"""Code of the failure that a replay is to make good; travels on to the response."""
REPLY_TO = "forebay-reply-to"
"""By a door: the partition of ``deltas`` in which it reads pieces of the answer. Anybody may say so: what comes there
is pseudonymous, and a door drops what it did not ask for."""
STREAM = "forebay-stream"
"""By a door: ``early`` where the tier may be chosen before it writes, so that its answer can be heard."""
EARLY = b"early"
COMPRESSION = "forebay-compression"
"""What was done to a long prompt before models saw it: ``cut``, ``holdout``, or why else nothing was cut."""
SPENT = "forebay-spent-nanousd"
"""What earlier tries of a request cost, in nano-dollars."""
FINISH = "forebay-finish"
"""Why the end of an answer made it none: ``content_filter`` or ``error``."""
KEYLESS = "forebay-dlq-keyless"
"""The record had no key; the one of its dead letter is made up."""
WITHOUT_BYTES = "forebay-dlq-without-bytes"
"""Why a dead letter has none of the record's bytes: ``too_large``, ``not_sealable``, ``refused`` or ``unreadable``."""
LENGTH = "forebay-dlq-length"
"""Bytes of the value that a dead letter does not have, where they are known."""
HASH = "forebay-dlq-hash"
"""Of the same: ``sha256:HEX``; of a restricted topic ``hmac-sha256:KEY:HEX``, since few bytes can be guessed."""
FIRST_OFFSET = "forebay-dlq-first-offset"
"""The letter stands for all records from this offset to that of its origin: none of them could be read."""

ORIGIN = (ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET, ORIGIN_TIMESTAMP, FIRST_FAILED_AT)
"""Written at the first failure and never changed."""

DROPPED = "forebay-dlq-dropped-headers"
"""Names of the headers that the record came with and that were not believed; their number, where those say nothing."""

PLAIN_NAME = re.compile(r"[a-zA-Z0-9._-]{1,64}")
"""A header's name that may be repeated to people."""
STAGES = ("redaction", "cache", "completion", "response", "cost", "evaluation", "review", "retry", "notify")
SPANS = "forebay-spans"
"""What each stage did with the request, and when (:mod:`forebay.observability.spans`)."""

LASTING = frozenset(
    {TRACEPARENT, REQUEST_ID, FINGERPRINT, SENT_ID, IDS, WRITER, REPLY_TO, STREAM, COMPRESSION, SUPERSEDES}
    | {REPLAYED_AT, REPLAYED_LETTER, REPLAY_ID, REPLAYS, SPANS}
)
"""What belongs to a request, and travels with all that is made of it."""
KNOWN = LASTING | {ATTEMPT, RETRY_STAGE, DUE_AT, SEALED, SEALED_KEY, PROOF, LAST_CODE, SPENT, FINISH, DROPPED, *ORIGIN}
"""That, and what belongs to one delivery."""

_LARGEST = (1 << 63) - 1


def from_kafka(pairs: Iterable[tuple[str, bytes | None]] | Mapping[str, bytes | None] | None) -> dict[str, bytes]:
    """Headers as a client library gives them."""
    if not pairs:
        return {}
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return {name: value or b"" for name, value in items}


def inherited(source: Headers) -> dict[str, bytes]:
    """What an output takes over from the record it was made of."""
    if not source:
        return {TRACEPARENT: new_traceparent()}
    kept = {name: value for name, value in source.items() if name in LASTING}
    kept[TRACEPARENT] = source.get(TRACEPARENT) or new_traceparent()
    return kept


def new_traceparent() -> bytes:
    """A sampled root span (W3C Trace Context level 1). Ids need be unique, not secret: `secrets` costs 4 % of a hop."""
    return b"00-%032x-%016x-01" % (random.getrandbits(128) or 1, random.getrandbits(64) or 1)


def text(headers: Headers, name: str) -> str | None:
    """Value of a header as text; ``None`` when it is absent or not UTF-8."""
    try:
        return headers[name].decode()
    except (KeyError, UnicodeDecodeError):
        return None


def number(headers: Headers, name: str, low: int = 0, high: int = _LARGEST) -> int | None:
    """Value of a header as a whole number; ``None`` when it is absent, or none between ``low`` and ``high``."""
    text = headers.get(name, b"")
    if not text.isdigit() or len(text) > _DIGITS:
        return None
    value = int(text)
    return value if low <= value <= high else None


_DIGITS = 19
