"""Which tenant wrote a record: proofs, topics, and what becomes of those who are somebody else."""

import asyncio
import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from forebay.contract import headers as h
from forebay.contract.failures import Rejected
from forebay.contract.records import Message, Request
from forebay.contract.topics import APART, TOPICS
from forebay.contract.wire import Delivered
from forebay.settings.tenants import EVERY, Identity
from forebay.testing import codecs, delivered
from forebay.testing.clock import BEGINNING_MS as NOW
from forebay.trust.tenants import YOUNG_MS, TenantKey, Tenants, opened
from tests.unit.runtime.bench import failing
from tests.unit.runtime.test_ingress import GONE, OUTER, Bench, back, codes

ACME, GLOBEX = TenantKey("k-1", "acme", b"a" * 32), TenantKey("k-2", "globex", b"g" * 32)
DOOR = TenantKey("door", EVERY, b"d" * 32)
SIGNED = Tenants(identity=Identity.SIGNED, keys={key.id: key for key in (ACME, GLOBEX, DOOR)})
APART_TOPICS = Tenants(identity=Identity.TOPIC, known={"acme", "globex"})


def asked(tenant_id: str, request_id: str = "r-1") -> bytes:
    request = Request(request_id=request_id, tenant_id=tenant_id, messages=(Message(content="Hm?"),))
    return codecs()[OUTER].encode(request)


def signed(signer: TenantKey, tenant_id: str, *, at_ms: int = NOW, **changes: Any) -> Delivered:
    value = asked(tenant_id)
    headers = {h.TENANT: signer.proof(b"r-1", value, at_ms)}
    known: dict[str, Any] = {"key": b"r-1", "headers": headers, "value": value} | changes
    return delivered(OUTER, known.pop("value"), **known)


class Identified(Bench):
    """Redaction's place, where a record is served or refused, and as whose."""

    def __init__(self, tenants: Tenants, topic: str = OUTER) -> None:
        super().__init__(OUTER, tenants=tenants)
        self.topic = topic
        self.tenants: list[str] = []

    async def of(self, source: Delivered) -> str:
        """Whose the record is taken for; else the code that it is refused with."""

        async def serve(record: Any, _context: Any) -> list[Any]:
            self.tenants.append(record.tenant_id)
            return []

        found = await self.outputs(source, serve)
        if self.tenants:
            return self.tenants.pop()
        return found[0].key.decode() if found[0].topic == "alerts" and found[0].key else codes(found)[0] or "?"


def test_who_is_believed_by_signature() -> None:
    async def told(source: Delivered) -> str:
        return await Identified(SIGNED).of(source)

    cases = {
        "acme": [signed(ACME, "acme"), signed(ACME, "default"), signed(DOOR, "acme")],
        "tenant_mismatch": [signed(ACME, "globex")],
        "tenant_unproven": [
            delivered(OUTER, asked("acme"), key=b"r-1"),
            signed(TenantKey("k-1", "acme", b"x" * 32), "acme"),
            signed(TenantKey("k-9", "acme", b"a" * 32), "acme"),
            signed(ACME, "acme", key=b"r-2"),
            signed(ACME, "acme", value=asked("acme", "r-2")),
            signed(ACME, "acme", at_ms=NOW - YOUNG_MS - 1),
            signed(ACME, "acme", at_ms=NOW + YOUNG_MS + 1),
            signed(GLOBEX, "acme", headers={h.WRITER: b"k-1"}),
        ],
    }
    for expected, sources in cases.items():
        for number, source in enumerate(sources):
            assert asyncio.run(told(source)) == expected, (expected, number)


@pytest.mark.parametrize("topic", ["requests", "requests.acme", "requests.globex"])
@pytest.mark.parametrize("named", ["acme", "globex", "default", "else"])
async def test_who_is_believed_by_topic(topic: str, named: str) -> None:
    owner = topic.removeprefix("requests").removeprefix(".")
    source = delivered(topic, asked(named), key=b"r-1", headers={h.WRITER: b"acme"})
    told = await Identified(APART_TOPICS, topic).of(source)
    if not owner:
        assert told == "tenant_unproven"
    else:
        assert told == (owner if named in (owner, "default") else "tenant_mismatch")


async def test_of_a_list_of_tenants_others_are_unknown() -> None:
    bench = Identified(Tenants(known={"acme"}))
    assert await bench.of(delivered(OUTER, asked("acme"), key=b"r-1")) == "acme"
    assert await bench.of(delivered(OUTER, asked("amce"), key=b"r-1")) == "unknown_tenant"
    assert await Identified(Tenants()).of(delivered(OUTER, asked("amce"), key=b"r-1")) == "amce"
    door = Tenants(identity=Identity.SIGNED, keys=SIGNED.keys, known={"acme"})
    assert await Identified(door).of(signed(DOOR, "amce")) == "unknown_tenant"


async def test_a_retry_is_its_tenants_however_old_the_proof_is() -> None:
    bench = Identified(SIGNED)
    [waiting] = await bench.outputs(signed(ACME, "default"), failing(GONE))
    bench.clock.now_ms += 10 * YOUNG_MS
    assert await bench.of(back(waiting, OUTER)) == "acme"
    forged = dict(waiting.headers) | {h.WRITER: b"k-2"}
    assert await bench.of(delivered(OUTER, waiting.value, key=waiting.key, headers=forged)) == "forged_retry"
    assert h.TENANT not in dict(waiting.headers)


async def test_a_retry_from_before_a_proof_was_asked_for_is_still_served() -> None:
    [waiting] = await Identified(Tenants()).outputs(delivered(OUTER, asked("acme"), key=b"r-1"), failing(GONE))
    for tenants in (SIGNED, APART_TOPICS):
        assert await Identified(tenants).of(back(waiting, OUTER)) == "acme"


async def test_the_refusal_names_nobody_who_was_only_said() -> None:
    with pytest.raises(Rejected, match="nothing says"):
        SIGNED.own(Request(tenant_id="acme"), "")
    bench = Identified(SIGNED)
    await bench.outputs(delivered(OUTER, asked("acme"), key=b"r-1"), failing(GONE))
    assert not bench.seen


SECRETS = st.binary(min_size=32, max_size=32)
NAMES = st.sampled_from(["acme", "globex", "default", "*", "k-1", "", "a:b"])


@settings(deadline=None, max_examples=80)
@given(st.sampled_from(["k-1", "k-2", "door", "k-3"]), NAMES, SECRETS, NAMES, st.data())
def test_no_forgery_is_believed(key_id: str, tenant: str, secret: bytes, named: str, data: st.DataObject) -> None:
    """A stranger who knows ids and tenants, and sees a genuine record, but has no key."""
    genuine = signed(ACME, "acme")
    forger = TenantKey(key_id, tenant, secret)
    value = asked(named, data.draw(st.sampled_from(["r-1", "r-2"])))
    mac = urlsafe_b64encode(data.draw(SECRETS)).rstrip(b"=")
    proofs = st.sampled_from(
        [
            genuine.headers[h.TENANT],
            forger.proof(b"r-1", value, NOW),
            b"v1.%s.%d.%s" % (key_id.encode(), NOW, mac),
            b"v1.%s.%d." % (key_id.encode(), NOW),
            b"",
        ]
    )
    headers = {h.TENANT: data.draw(proofs)}
    if data.draw(st.booleans()):
        headers[h.WRITER] = data.draw(st.sampled_from([b"k-1", b"door", b"acme"]))
    source = delivered(OUTER, value, key=data.draw(st.sampled_from([b"r-1", b"r-2"])), headers=headers)
    same = headers[h.TENANT] == genuine.headers[h.TENANT] and (source.key, value) == (genuine.key, genuine.value)
    told = asyncio.run(Identified(SIGNED).of(source))
    assert told == ("acme" if same else "tenant_unproven")


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60), NAMES, NAMES, st.sampled_from(["r-1", "r-2", ""]), SECRETS)
def test_a_response_opens_for_its_tenant_and_request_only(
    text: bytes, owner: str, other: str, request_id: str, secret: bytes
) -> None:
    key = TenantKey("k", owner, b"o" * 32)
    sealed, headers = key.seal(text, owner, "r-1")
    assert opened(sealed, headers, "r-1", [TenantKey("k-0", other, secret), key]) == text
    thief = TenantKey("k", other, secret)
    assert opened(sealed, headers, "r-1", [thief]) is None
    assert (opened(sealed, headers, request_id, [key]) == text) == (request_id == "r-1")
    moved = {h.SEALED_FOR: headers[h.SEALED_FOR].replace(b'"%s"]' % owner.encode(), b'"%s"]' % other.encode())}
    assert (opened(sealed, moved, "r-1", [key, TenantKey("k", EVERY, b"o" * 32)]) is not None) == (owner == other)


@pytest.mark.parametrize("headers", [{}, {h.SEALED_FOR: b""}, {h.SEALED_FOR: b"[]"}, {h.SEALED_FOR: b'["k", 1, 2]'}])
def test_what_is_not_sealed_opens_for_nobody(headers: dict[str, bytes]) -> None:
    assert opened(b"x" * 40, headers, "r-1", [ACME]) is None


def test_a_response_is_sealed_for_whoever_asked() -> None:
    assert SIGNED.key_for("acme", {h.WRITER: b"door"}) is DOOR
    assert SIGNED.key_for("acme", {h.WRITER: b"k-1"}) is ACME
    assert SIGNED.key_for("acme", {}) is ACME, "of before"
    assert SIGNED.key_for("acme", {h.WRITER: b"k-2"}) is ACME, "never with another tenant's"
    assert SIGNED.key_for("else", {h.WRITER: b"k-2"}) is None


def test_by_which_key_of_a_door_it_came_is_said_by_a_door_alone() -> None:
    request = Request(tenant_id="acme", key_id="abcdefghijkl")
    assert SIGNED.own(request, "acme").key_id is None, "a tenant's own key"
    assert SIGNED.own(request, SIGNED.proved({h.WRITER: b"door"})).key_id == "abcdefghijkl"
    assert APART_TOPICS.own(request, "acme").key_id == "abcdefghijkl", "as far as the tenant is"


def test_no_tenant_is_named_as_a_topic_of_the_chain_ends() -> None:
    ends = {name.partition(".")[2] for name in TOPICS if "." in name and name.partition(".")[0] in APART}
    assert ends == {"redacted", "uncached"}


def test_a_program_without_our_client_signs_and_opens_as_the_page_says() -> None:
    """docs/how-to/tenants.md, "Without our client", in nothing but the standard library and a cipher."""
    value, secret = asked("acme"), b"a" * 32
    signed_text = f'["v1","k-1",{NOW},"r-1","{sha256(value).hexdigest()}"]'
    mac = urlsafe_b64encode(hmac.digest(secret, signed_text.encode(), "sha256")).rstrip(b"=").decode()
    source = delivered(OUTER, value, key=b"r-1", headers={h.TENANT: f"v1.k-1.{NOW}.{mac}".encode()})
    assert asyncio.run(Identified(SIGNED).of(source)) == "acme"

    sealed, headers = ACME.seal(b"answer", "acme", "r-1")
    assert headers[h.SEALED_FOR] == b'["k-1", "acme"]'
    extracted = hmac.digest(bytes(32), secret, "sha256")  # RFC 5869, without salt
    key = hmac.digest(extracted, b"forebay/response/v1\x01", "sha256")
    bound = b'["forebay/response/1", "k-1", "acme", "r-1"]'
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], bound) == b"answer"
