"""Random forgeries over headers, retries and the vault: none is believed."""

import asyncio
from base64 import b64encode
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from forebay.contract import headers as h
from forebay.contract.failures import Permanent
from forebay.contract.wire import Delivered
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.vault import Owner
from forebay.testing import MemoryVaultStore, VirtualClock, delivered, memory_vault
from forebay.testing.clock import BEGINNING_MS as NOW
from forebay.testing.stores import OPERATOR
from forebay.trust.proofs import RetryProofs
from tests.unit.runtime.test_ingress import INNER, OUTER, STAGES, VALUES, Bench, codes, topics

NAMES = st.sampled_from(sorted(h.KNOWN | {"authorization", "forebay-x", "forebay-timing-x", h.KEYLESS}))
MACS = (b"v1.cache." + b64encode(b"m" * 32), b"r1.test." + b64encode(b"s" * 64))
WORDS = st.sampled_from(
    [b"", b"1", b"99", b"-1", b"9" * 40, b"cache", b"redaction", b"dlq", INNER.encode(), b"requests/0/0", *MACS]
)
VALUE = WORDS | st.binary(max_size=40)
HEADERS = st.dictionaries(NAMES, VALUE, max_size=12)
TOPICS = st.sampled_from([INNER, OUTER])


@settings(deadline=None, max_examples=60)
@given(TOPICS, HEADERS)
def test_nothing_that_a_stranger_says_counts(topic: str, headers: dict[str, bytes]) -> None:
    bench = Bench(topic)
    found = asyncio.run(bench.outputs(bench.fresh(headers)))
    assert found or (topic == INNER and headers.get(h.RETRY_STAGE) not in (None, STAGES[topic].encode())), "it vanished"
    assert [(context.attempt, context.accepted_at) for context in bench.seen] in ([], [(1, NOW)])
    allowed = {h.TRACEPARENT} if topic == OUTER else h.LASTING
    assert all(context.source.headers.keys() <= allowed for context in bench.seen)
    if topic == OUTER:
        assert bench.seen, "a stranger's request was not served"


class Genuine:
    """Retries and replays as they come back, made once."""

    def __init__(self) -> None:
        self.by_topic: dict[str, list[Delivered]] = {}

    def of(self, topic: str) -> list[Delivered]:
        if topic not in self.by_topic:
            bench = Bench(topic)
            self.by_topic[topic] = [asyncio.run(bench.retry()), asyncio.run(bench.replay())]
        return self.by_topic[topic]


GENUINE = Genuine()


@settings(deadline=None, max_examples=60)
@given(TOPICS, st.sampled_from([0, 1]), st.data())
def test_of_what_comes_back_nothing_can_be_changed(topic: str, which: int, data: st.DataObject) -> None:
    source = GENUINE.of(topic)[which]
    dropped = data.draw(st.sets(st.sampled_from(sorted(source.headers))))
    headers = {name: value for name, value in source.headers.items() if name not in dropped} | data.draw(HEADERS)
    value = data.draw(st.sampled_from([source.value, VALUES[topic], b"{}", None]) | st.binary(max_size=20))
    key = data.draw(st.sampled_from([source.key, b"r-2", None]))
    signed = headers.keys() - {h.TRACEPARENT, h.DUE_AT}
    same = (key, value) == (source.key, source.value) and {n: headers[n] for n in signed} == source.headers
    bench = Bench(topic)
    found = asyncio.run(bench.outputs(delivered(topic, value, key=key, headers=headers, offset=9)))
    if same:
        assert topics(found) == ["alerts"]
        return
    if bench.seen:  # then as a fresh record, and nothing else
        assert (bench.seen[0].attempt, bench.seen[0].accepted_at) == (1, NOW)
        assert not bench.seen[0].source.headers.keys() & {h.SEALED, h.ATTEMPT, h.PROOF, *h.ORIGIN}
        assert topic == INNER or h.REPLAYED_AT not in bench.seen[0].source.headers
    elif found:
        assert "dlq" in topics(found)
        assert topics(found) == ["dlq"] or codes(found) != ["forged_retry"], "a forgery answered somebody"


@settings(deadline=None, max_examples=60)
@given(TOPICS, st.binary(min_size=32, max_size=32), st.sampled_from([0, 1]))
def test_another_secret_makes_no_proof(topic: str, secret: bytes, which: int) -> None:
    assume(secret != b"s" * 32)
    source = GENUINE.of(topic)[which]
    stranger = Bench(topic, proofs=RetryProofs(STAGES[topic], [secret]))
    forged = asyncio.run(stranger.retry())
    bench = Bench(topic)
    assert codes(asyncio.run(bench.outputs(forged))) == ["forged_retry"]
    assert source.headers[h.PROOF] != forged.headers[h.PROOF]
    assert OPERATOR.public not in repr(forged)


ID = st.sampled_from(["acme", "a", "b", "r-1", '"', '", "', "a|b", "", "acme\x00", "é"]) | st.text(max_size=6)


@settings(deadline=None, max_examples=60)
@given(st.tuples(ID, ID, ID), st.tuples(ID, ID, ID), st.data())
def test_no_reference_opens_what_was_kept_for_another(
    owner: tuple[str, str, str], other: tuple[str, str, str], data: st.DataObject
) -> None:
    async def opened() -> Any:
        clock = VirtualClock()
        vault = memory_vault(clock, store=MemoryVaultStore(clock.seconds))
        kept = PseudonymMap(originals={"<PERSON_1>": "Ann Lee"})
        ref = await vault.store(kept, Owner(tenant_id=owner[0], user_id=owner[1]), owner[2])
        theirs = Owner(tenant_id=other[0], user_id=other[1])
        own = await vault.store(PseudonymMap(), theirs, other[2])
        random, _, proof = ref.partition(".")
        forged = [ref, random, f".{proof}", f"{random}.{own.partition('.')[2]}", f"{own.partition('.')[0]}.{proof}"]
        tried = data.draw(st.sampled_from(forged) | st.text(max_size=60))
        try:
            return await vault.load(tried, theirs, other[2])
        except Permanent as failure:
            return failure.code

    found = asyncio.run(opened())
    assert owner == other or found in ("vault_mismatch", "vault_expired", PseudonymMap())
