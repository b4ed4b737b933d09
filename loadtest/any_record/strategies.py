"""Which records are drawn? Any, but those near to what a stage expects more often: they get further into it.

Hypothesis draws them, since it likes edges. A record of a request that can be served is as likely as each other kind,
so that what is odd always has something beside it that must be served.
"""

import random
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from forebay.contract import headers as h
from forebay.contract.records import Completion, Message, Params, RedactedRequest, Request
from forebay.contract.topics import RETRY_LEVELS, TOPICS
from loadtest.any_record.drawn import Bytes, Drawn, Sized

Encoder = Callable[[str, Any], bytes]
"""Logical topic and record of its type to bytes; raises ``ValueError`` or ``TypeError`` for what Avro does not take."""

_ODD_TEXTS = (
    "",
    " ",
    "a|b",
    "nul\0nul",
    "two\nlines",
    "{{7*7}}",
    "../../etc/passwd",
    "🦉" * 3,
    "\u202eright to left",
    "é" * 200,
    "i" * 10_000,
    "null",
    "[]",
    '{"type": "json_object"}',
    "4111 1111 1111 1111",
    "ann.miller@example.org",
)
_LARGE = 0.03
_A_TURN = 10
_DAY_MS = 86_400_000
_NUMBERS = (-(1 << 63), -(1 << 31), -1, 0, 1, 2, 9, 10, 64, 1_000, (1 << 31) - 1, 1 << 31, (1 << 63) - 1)
_OURS = tuple(sorted(value for name, value in vars(h).items() if name.isupper() and isinstance(value, str)))
_REMAINDER = ("forebay-dlq-code", "forebay-replay-count", "forebay-spans", "tracestate")


def texts() -> SearchStrategy[str]:
    """Short ones of any characters, and odd ones."""
    return st.text(max_size=20) | st.sampled_from(_ODD_TEXTS)


def values_of(kind: Any) -> SearchStrategy[Any]:
    """Any value of a field that is declared so in :mod:`forebay.contract.records`."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return st.one_of([values_of(one) for one in inner])
    if origin is tuple:
        return st.lists(values_of(inner[0]), max_size=3).map(tuple)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(texts(), values_of(inner[1]), max_size=3)
    if kind is type(None):
        return st.none()
    if is_dataclass(kind):
        return records_of(kind)
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    simple: dict[Any, SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.sampled_from(_NUMBERS) | st.integers(-(1 << 63), (1 << 63) - 1),
        float: st.floats(),
        str: texts(),
    }
    return simple[kind]


def records_of(kind: Any) -> SearchStrategy[Any]:
    """Any record: each field is as likely to be what it is by default as to be something else."""
    known = get_type_hints(kind)
    whole = kind()
    return st.fixed_dictionaries(
        {item.name: st.just(getattr(whole, item.name)) | values_of(known[item.name]) for item in fields(kind)}
    ).map(lambda given: kind(**given))


def _plain_ids() -> SearchStrategy[str]:
    return st.uuids(version=4).map(str)


def _good_request(number: int, name: str) -> Request:
    return Request(
        request_id=name,
        messages=(Message(content=f"My mail is user{number}@example.org. What is {number} + {number % 7}?"),),
        params=Params(max_tokens=32),
    )


def good_requests() -> SearchStrategy[Request]:
    """Ones that can be served."""
    return st.builds(_good_request, st.integers(0, 10**6), _plain_ids())


def _redacted(request: Request, mark: int) -> RedactedRequest:
    shared = {item.name: getattr(request, item.name) for item in fields(Request)}
    shared["messages"] = (Message(content=f"What is {mark} + {mark % 5}?"),)
    return RedactedRequest(**shared, prompt_hash=f"{mark:032x}", accepted_at=0)


def good_records(topic: str) -> SearchStrategy[Any]:
    """Records that a stage before ``topic`` could have made; any record of its type where nobody waits for it."""
    kind = TOPICS[topic].record
    redacted = st.builds(_redacted, good_requests(), st.integers(0, 10**6))
    if kind is Request:
        return good_requests()
    if kind is RedactedRequest:
        return redacted
    if kind is Completion:
        return redacted.map(lambda request: Completion(request_id=request.request_id, content="42", request=request))
    return records_of(kind)


@st.composite
def _nearly_good(draw: st.DrawFn, topic: str) -> Any:
    """A good record with one or two fields that are anything."""
    record = draw(good_records(topic))
    known = get_type_hints(type(record))
    for name in draw(st.sets(st.sampled_from([item.name for item in fields(record)]), min_size=1, max_size=2)):
        record = replace(record, **{name: draw(values_of(known[name]))})
    return record


def _typed_topics() -> list[str]:
    return [name for name, topic in TOPICS.items() if topic.record is not None]


@st.composite
def _encoded(draw: st.DrawFn, encode: Encoder, topic: str) -> tuple[bytes, str]:
    """Bytes of a record of ``topic``'s type and its request id; now and then of a type that belongs elsewhere."""
    if TOPICS[topic].record is None or draw(st.integers(0, 5)) == 0:
        topic = draw(st.sampled_from(_typed_topics()))
    kind = TOPICS[topic].record
    record = draw(st.one_of(good_records(topic), _nearly_good(topic), records_of(kind)))
    try:
        return encode(topic, record), getattr(record, "request_id", "")
    except (ValueError, TypeError):
        record = draw(good_requests())
        return encode("requests", record), record.request_id


@st.composite
def _damaged(draw: st.DrawFn, encode: Encoder, topic: str) -> tuple[bytes, str]:
    """Almost a record: cut, lengthened, with bytes changed, or of another schema."""
    data, _ = draw(_encoded(encode, topic))
    at = draw(st.integers(0, len(data) - 1))
    how = draw(st.sampled_from(("cut", "change", "insert", "schema", "twice")))
    if how == "cut":
        return data[:at], ""
    if how == "change":
        return data[:at] + bytes([data[at] ^ draw(st.integers(1, 255))]) + data[at + 1 :], ""
    if how == "insert":
        return data[:at] + draw(st.binary(min_size=1, max_size=12)) + data[at:], ""
    if how == "schema":
        return data[:1] + draw(st.integers(0, 40)).to_bytes(4, "big") + data[5:], ""
    return data + data, ""


def _sizes(limit: int) -> SearchStrategy[Sized]:
    """Around what a record, a batch, and what is unpacked may be at most."""
    edges = (65_535, 1 << 20, limit, limit + 65_536, 4 * limit, 4 * limit + 65_536)
    near = st.builds(lambda edge, more: Sized(size=edge + more), st.sampled_from(edges), st.integers(-300, 300))
    return st.one_of(near, near.map(lambda sized: replace(sized, noise=True)), st.just(Sized(size=36 << 20)))


@st.composite
def _giant(draw: st.DrawFn, encode: Encoder, topic: str, limit: int) -> tuple[bytes, str]:
    """A good record with one text of about what its topic takes: what is made of it may not fit where it goes."""
    record = draw(good_records(topic))
    texts = [name for name, kind in get_type_hints(type(record)).items() if kind in (str, str | None)]
    size = draw(st.sampled_from((60_000, limit // 2, limit - 1_000, limit + 60_000, 4 * limit - 1_000)))
    if isinstance(record, Request) and draw(st.booleans()):
        record = replace(record, messages=(Message(content="word " * (size // 5)),))
    else:
        record = replace(record, **{draw(st.sampled_from(texts)): draw(st.sampled_from("tñ🦉")) * (size // 4)})
    return encode(topic, record), getattr(record, "request_id", "")


def _numbers_as_text() -> SearchStrategy[bytes]:
    return st.sampled_from((*_NUMBERS, 1_000_000_000_000_000_000_000)).map(lambda number: str(number).encode())


def _header_values() -> SearchStrategy[Bytes]:
    small = st.none() | st.binary(max_size=12) | texts().map(str.encode) | _numbers_as_text()
    return st.one_of(small, small, small, st.sampled_from((*TOPICS, "completion", "response", "cache")).map(str.encode))


def _headers() -> SearchStrategy[tuple[tuple[bytes, Bytes], ...]]:
    names = st.one_of(st.sampled_from((*_OURS, *_REMAINDER)).map(str.encode), st.binary(max_size=9))
    return st.lists(st.tuples(names, _header_values()), max_size=4).map(tuple)


@st.composite
def _retry_headers(draw: st.DrawFn, topic: str) -> tuple[tuple[bytes, Bytes], ...]:
    """Those of a retry that is due at once, soon, or never; of a stage of ours or of one that there is not."""
    origin = topic if topic not in RETRY_LEVELS and draw(st.booleans()) else draw(st.sampled_from((*TOPICS, "nowhere")))
    stage = draw(st.sampled_from(("redaction", "cache", "completion", "response", "cost", "retry", "nobody")))
    due = draw(st.sampled_from((0, 1_700_000_000_000, 4_102_444_800_000, (1 << 63) - 1)))
    found = ((h.ORIGIN_TOPIC, origin), (h.RETRY_STAGE, stage), (h.DUE_AT, due), (h.ATTEMPT, draw(st.integers(0, 12))))
    return tuple((name.encode(), str(value).encode()) for name, value in found)


def _keys() -> SearchStrategy[Bytes]:
    return st.one_of(
        st.none(),
        st.binary(max_size=12),
        _plain_ids().map(str.encode),
        texts().map(str.encode),
        st.sampled_from((Sized(size=40_000), Sized(size=40_000, noise=True))),
    )


@st.composite
def any_records(draw: st.DrawFn, encode: Encoder, limit: int, now_ms: int, topic: str, *, large: bool = False) -> Drawn:
    """Any record on ``topic``.

    Args:
        limit: bytes of the largest record of ``requests``.
        now_ms: times of the past and the future are told from here.
        large: near the limits of sizes, or with very many headers: each takes a second of a small machine.
    """
    name = ""
    value: Bytes
    kind = draw(st.sampled_from(("good", "good", "typed", "typed", "damaged", "damaged", "bytes", "none")))
    if large and TOPICS[topic].record is not None and draw(st.booleans()):
        value, name = draw(_giant(encode, topic, limit))
    elif large:
        value = draw(_sizes(limit))
    elif kind == "none":
        value = None
    elif kind == "bytes":
        value = draw(st.binary(max_size=64))
    elif kind == "good" and TOPICS[topic].record in (Request, RedactedRequest, Completion):
        record = draw(good_records(topic))
        value, name = encode(topic, record), record.request_id
    elif kind == "damaged":
        value, name = draw(_damaged(encode, topic))
    else:
        value, name = draw(_encoded(encode, topic))
    times = st.sampled_from((-1, 0, 1, now_ms - 400 * _DAY_MS, now_ms + _DAY_MS, 4_102_444_800_000, (1 << 63) - 1))
    return Drawn(
        topic=topic,
        partition=draw(st.integers(0, 31)),
        key=draw(st.just(name.encode()[:1_000]) | _keys()),
        value=value,
        headers=draw(st.one_of(st.just(()), _headers(), _retry_headers(topic))),
        many=draw(st.sampled_from((0, 0, 100, 20_000, 300_000))) if large else 0,
        time_ms=draw(st.one_of(st.just(now_ms), st.just(now_ms), times)),
        codec=draw(st.integers(0, 4)),
        ids=frozenset({name} - {""}),
    )


def draw_all(take: Callable[[Drawn], None], encode: Encoder, limit: int, now_ms: int, count: int, number: int) -> None:
    """Draw ``count`` records with the seed ``number``, and give each to ``take`` as it is drawn.

    Topic by topic, a few at a time: left to itself, Hypothesis stays with a topic that it has just drawn.
    """
    rng = random.Random(number)
    todo = count
    while todo > 0:
        for topic in rng.sample(list(TOPICS), len(TOPICS)):
            large = rng.random() < _LARGE * _A_TURN
            some = min(todo, 1 if large else _A_TURN)
            todo -= some
            if some:
                records = any_records(encode, limit, now_ms, topic, large=large)
                _draw(records, take, some, rng.getrandbits(32))


def _draw(records: SearchStrategy[Drawn], take: Callable[[Drawn], None], count: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(record=records)
    def each(record: Drawn) -> None:
        take(record)

    each()
