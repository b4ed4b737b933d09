"""An id stands for one body: the second body is refused, the first one's answer stands."""

from dataclasses import replace

import pytest

from forebay.contract import headers as h
from forebay.contract.failures import Rejected
from forebay.contract.handlers import Context, Output
from forebay.contract.records import Completion, Message, Params, Request
from forebay.privacy.fingerprints import CONFLICT, FingerprintHeaders, RedisFingerprints, fingerprint, guarded, marked
from forebay.privacy.sealing import Keyring
from forebay.testing import context

REQUEST = Request(request_id="r1", tenant_id="t", messages=(Message(content="one"),), created_at=1)
RING = Keyring({"k1": bytes(32)})
MARKS = FingerprintHeaders(RING)
OTHER = replace(REQUEST, messages=(Message(content="two"),))


class Known:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def first(self, key: str, fingerprint: str) -> str:
        return self.kept.setdefault(key, fingerprint)

    async def put(self, key: str, fingerprint: str) -> None:
        self.kept[key] = fingerprint


def _context(**headers: bytes) -> Context:
    return context("requests", key=b"r1", headers=headers)


async def _pass_on(request: Request, _context: Context) -> list[Output]:
    return [Output(topic="requests.redacted", key=request.request_id, value=request.messages[0].content.encode())]


async def test_the_first_body_passes_as_often_as_it_comes() -> None:
    handle = guarded(_pass_on, Known(), MARKS)
    first = await handle(REQUEST, _context())
    again = await handle(replace(REQUEST, created_at=99), _context())
    assert [one.value for one in again] == [one.value for one in first]


async def test_another_body_under_the_same_id_is_refused() -> None:
    handle = guarded(_pass_on, Known(), MARKS)
    await handle(REQUEST, _context())
    with pytest.raises(Rejected) as refused:
        await handle(OTHER, _context())
    assert refused.value.code == CONFLICT
    assert await handle(REQUEST, _context()), "the first one still passes"


async def test_tenants_do_not_share_ids() -> None:
    handle = guarded(_pass_on, Known(), MARKS)
    await handle(REQUEST, _context())
    assert await handle(replace(OTHER, tenant_id="u"), _context())


async def test_a_request_without_id_is_nobodys_repetition() -> None:
    handle = guarded(_pass_on, Known(), MARKS)
    await handle(replace(REQUEST, request_id=""), _context())
    assert await handle(replace(OTHER, request_id=""), _context())


async def test_a_replay_may_change_the_body_and_sets_the_rule() -> None:
    handle = guarded(_pass_on, Known(), MARKS)
    await handle(REQUEST, _context())
    assert await handle(OTHER, _context(**{h.REPLAYED_AT: b"1"}))
    assert await handle(OTHER, _context()), "redelivered without its header"
    with pytest.raises(Rejected):
        await handle(REQUEST, _context())


async def test_an_output_says_which_body_it_is_about_to_who_has_the_key() -> None:
    [output] = await guarded(_pass_on, Known(), MARKS)(REQUEST, _context())
    assert fingerprint(REQUEST).encode() not in b"".join(output.headers.values())
    assert MARKS.opened(output.headers, "r1") == {h.FINGERPRINT: fingerprint(REQUEST).encode()}
    assert MARKS.opened(output.headers, "r2") == {h.FINGERPRINT: b""}, "moved to another request"
    assert FingerprintHeaders(Keyring({"k1": b"x" * 32})).opened(output.headers, "r1") == {h.FINGERPRINT: b""}


def test_so_does_what_a_failure_leaves() -> None:
    def fail(_request: Request | None, _context: Context, _failure: object) -> list[Output]:
        return [Output(topic="completions", key="r1", value=Completion(request_id="r1"))]

    [output] = marked(fail, MARKS)(OTHER, _context(), Rejected(CONFLICT, "x"))
    assert MARKS.opened(output.headers, "r1") == {h.FINGERPRINT: fingerprint(OTHER).encode()}
    [unread] = marked(fail, MARKS)(None, _context(), Rejected("invalid_request", "x"))
    assert MARKS.opened(unread.headers, "r1") == {}


@pytest.mark.parametrize("value", [b"", b"plain", "é".encode(), b"AAAA"])
def test_a_producers_own_header_is_emptied(value: bytes) -> None:
    assert MARKS.opened({h.FINGERPRINT: value}, "r1") == {h.FINGERPRINT: b""}


class Redis:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def set(self, key: str, value: bytes, *, ex: int, nx: bool = False, get: bool = False) -> bytes | None:
        known = self.kept.get(key)
        if known is None or not nx:
            self.kept[key] = value
        return known if get else None


async def test_redis_holds_fingerprints_sealed() -> None:
    redis = Redis()
    known = RedisFingerprints(redis, "f:", 60, RING)
    assert await known.first("t:r1", "one") == "one"
    assert await known.first("t:r1", "two") == "one"
    assert all(b"one" not in value for value in redis.kept.values())
    await known.put("t:r1", "two")
    assert await known.first("t:r1", "one") == "two"


async def test_a_fingerprint_without_its_key_is_forgotten() -> None:
    redis = Redis()
    await RedisFingerprints(redis, "f:", 60, RING).first("t:r1", "one")
    renewed = RedisFingerprints(redis, "f:", 60, Keyring({"k2": b"x" * 32}))
    assert await renewed.first("t:r1", "two") == "two"
    assert await renewed.first("t:r1", "one") == "two"


@pytest.mark.parametrize(
    "changed", [{"user_id": "x"}, {"deadline_ms": 5}, {"metadata": {"a": "b"}}, {"redaction": "strict"}]
)
def test_every_field_but_the_time_of_making_counts(changed: dict[str, object]) -> None:
    other = replace(REQUEST, **changed)  # type: ignore[arg-type]  # names vary
    assert fingerprint(other) != fingerprint(REQUEST)
    assert fingerprint(replace(REQUEST, created_at=2)) == fingerprint(REQUEST)


def test_fields_that_came_later_change_no_fingerprint_while_they_are_not_set() -> None:
    assert fingerprint(REQUEST) == "cdb1d206d8085e012b2f9743ad8407c0"
    assert fingerprint(replace(REQUEST, params=Params(tool_choice="none"))) != fingerprint(REQUEST)


def test_the_same_body_by_another_key_of_a_door_is_the_same() -> None:
    assert fingerprint(replace(REQUEST, key_id="abcdefghijkl")) == fingerprint(REQUEST)
