"""What is believed of a record as it comes: of strangers the trace, of what comes back what was signed."""

from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract import headers as h
from forebay.contract.failures import Permanent, Transient
from forebay.contract.handlers import Context, Handler, Output, Route
from forebay.contract.records import Alert, Message, RedactedRequest, Request
from forebay.contract.wire import Delivered, Encoded
from forebay.observability.metrics import Metrics, StageMetrics
from forebay.runtime.processing import Processor
from forebay.settings import RetrySettings
from forebay.testing import KEYRING, VirtualClock, codecs, delivered
from forebay.testing.clock import BEGINNING_MS as NOW
from forebay.testing.stores import OPERATOR
from forebay.trust.proofs import OperatorKey, Operators, RetryProofs, Signed
from tests.unit.runtime.bench import failing, header, rules, told

GONE = Transient("redis_unavailable", "gone")
TRACE = b"00-%s-%s-01" % (b"a" * 32, b"b" * 16)
PERSONAL = b"jane.miller@example.org"
OPERATORS = Operators({OPERATOR.name: b64decode(OPERATOR.public)})
INNER, OUTER = "requests.redacted", "requests"
VALUES = {
    INNER: codecs()[INNER].encode(RedactedRequest(request_id="r-1", tenant_id="acme")),
    OUTER: codecs()[OUTER].encode(Request(request_id="r-1", messages=(Message(content="x"),))),
}
STAGES = {INNER: "cache", OUTER: "redaction"}


class Bench:
    """One stage whose handler does what it is told, and what it saw."""

    def __init__(self, topic: str = INNER, **changes: Any) -> None:
        self.topic, self.stage = topic, STAGES[topic]
        self.clock, self.registry = VirtualClock(), CollectorRegistry()
        self.metrics = StageMetrics(self.stage, Metrics(self.registry))
        self.seen: list[Context] = []
        known = {"proofs": RetryProofs(self.stage, [b"s" * 32]), "operators": OPERATORS}
        self.rules = rules(self.stage, **(known | changes))

    async def outputs(self, source: Delivered, does: Handler | None = None) -> list[Encoded]:
        async def serve(_record: Any, context: Context) -> Sequence[Output]:
            self.seen.append(context)
            return [Output(topic="alerts", key="k", value=Alert())]

        async def deliver(_outputs: Sequence[Encoded]) -> None:
            raise AssertionError("nothing is written ahead")

        route = Route(topic=self.topic, handle=does or serve, on_failure=told)
        return await Processor(route, self.rules, self.metrics, deliver, self.clock, self.clock.sleep).process(source)

    def fresh(
        self, headers: dict[str, bytes] | None = None, key: bytes = b"r-1", value: bytes | None = None
    ) -> Delivered:
        return delivered(self.topic, VALUES[self.topic] if value is None else value, key=key, headers=headers)

    async def retry(self) -> Delivered:
        """A genuine retry, as the scheduler sends it back."""
        [waiting] = await self.outputs(self.fresh(), failing(GONE))
        return back(waiting, self.topic)

    async def replay(self, signer: OperatorKey = OPERATOR, **changes: bytes) -> Delivered:
        """A letter of this stage, as an operator sends it back."""
        *_, letter = await self.outputs(self.fresh(), failing(Permanent("bug", "x")))
        headers = {name: value for name, value in letter.headers if name in {h.SEALED, *h.ORIGIN}}
        headers |= {
            h.RETRY_STAGE: self.stage.encode(),
            h.ATTEMPT: b"1",
            h.REPLAYED_AT: str(self.clock()).encode(),
            h.REPLAYED_LETTER: b"0-7",
            h.REPLAY_ID: b"one",
        } | changes
        headers[h.PROOF] = signer.proof(Signed(key=letter.key, value=letter.value, headers=headers))
        return delivered(self.topic, letter.value, key=letter.key, headers=headers, offset=9)


def back(waiting: Encoded, topic: str) -> Delivered:
    headers = {name: value for name, value in waiting.headers if name != h.DUE_AT}
    return delivered(topic, waiting.value, key=waiting.key, headers=headers, offset=8)


def changed(source: Delivered, **fields: Any) -> Delivered:
    known = {name: getattr(source, name) for name in ("key", "value", "headers", "partition", "offset")} | fields
    return delivered(source.topic, known.pop("value"), **known)


def topics(found: list[Encoded]) -> list[str]:
    return [record.topic for record in found]


def codes(found: list[Encoded]) -> list[str | None]:
    return [header(record, "forebay-dlq-code") for record in found if record.topic == "dlq"]


class TestOfStrangers:
    async def test_the_trace_alone_counts_and_what_was_dropped_is_counted_and_named(self) -> None:
        bench = Bench(OUTER)
        sent = {h.TRACEPARENT: TRACE, "authorization": PERSONAL, h.ATTEMPT: b"99", h.REPLAYED_AT: b"5", h.SPENT: b"9"}
        *_, letter = await bench.outputs(bench.fresh(sent), failing(Permanent("bug", "x")))
        assert header(letter, h.DROPPED) == "authorization,forebay-attempt,forebay-replayed-at,forebay-spent-nanousd"
        assert (header(letter, h.TRACEPARENT), header(letter, "forebay-dlq-attempts")) == (TRACE.decode(), "1")
        assert PERSONAL not in b"".join(value for _, value in letter.headers)
        assert bench.registry.get_sample_value("forebay_headers_dropped_total", {"topic": OUTER}) == 4

    @pytest.mark.parametrize(
        "names", [["jane miller"], ["a" * 65], ["é"], [f"x-{number}" for number in range(21)]], ids=len
    )
    async def test_names_that_say_too_much_are_only_counted(self, names: list[str]) -> None:
        bench = Bench(OUTER)
        *_, letter = await bench.outputs(bench.fresh(dict.fromkeys(names, b"x")), failing(Permanent("bug", "x")))
        assert header(letter, h.DROPPED) == str(len(names))

    @pytest.mark.parametrize("trace", [b"00-jane-miller-01", TRACE + b"0", TRACE.upper(), b"", b"\xff" * 55])
    async def test_a_trace_that_is_none_is_no_text_of_theirs(self, trace: bytes) -> None:
        bench = Bench(OUTER)
        [output] = await bench.outputs(bench.fresh({h.TRACEPARENT: trace}))
        assert header(output, h.TRACEPARENT) != trace.decode("latin-1")

    @pytest.mark.parametrize("topic", [OUTER, INNER])
    @pytest.mark.parametrize("where", [b"0", b"15"])
    async def test_where_a_door_wants_the_pieces_travels_on(self, topic: str, where: bytes) -> None:
        bench = Bench(topic)
        [output] = await bench.outputs(bench.fresh({h.REPLY_TO: where}))
        assert header(output, h.REPLY_TO) == where.decode()

    @pytest.mark.parametrize(("how", "kept"), [(b"early", True), (b"", False), (b"jane", False), (b"early ", False)])
    async def test_that_a_tier_may_be_chosen_early_travels_on_and_no_other_word(self, how: bytes, kept: bool) -> None:
        for topic in (OUTER, INNER):
            [output] = await Bench(topic).outputs(Bench(topic).fresh({h.STREAM: how, h.REPLY_TO: b"3"}))
            assert (dict(output.headers).get(h.STREAM) == how) is kept
            assert header(output, h.REPLY_TO) == "3"

    @pytest.mark.parametrize("topic", [OUTER, INNER])
    @pytest.mark.parametrize("where", [b"16", b"-1", b"", b"jane", b"1.0", b"9" * 40, "٣".encode()])
    async def test_of_what_is_no_partition_nothing_is_left(self, topic: str, where: bytes) -> None:
        bench = Bench(topic)
        [output] = await bench.outputs(bench.fresh({h.REPLY_TO: where}))
        assert h.REPLY_TO not in dict(output.headers)

    @pytest.mark.parametrize("stage", ["cache", "response", "nobody"])
    async def test_nobodys_name_makes_a_request_vanish(self, stage: str) -> None:
        bench = Bench(OUTER)
        claim = {h.RETRY_STAGE: stage.encode(), h.ORIGIN_TOPIC: b"requests"}
        assert topics(await bench.outputs(bench.fresh(claim))) == ["alerts"]

    async def test_who_claims_to_be_our_retry_is_served_as_anybody(self) -> None:
        bench = Bench(OUTER)
        claim = {h.RETRY_STAGE: b"redaction", h.ORIGIN_TOPIC: b"requests", h.ORIGIN_TIMESTAMP: b"1", h.ATTEMPT: b"7"}
        assert topics(await bench.outputs(bench.fresh(claim))) == ["alerts"]
        assert (bench.seen[0].attempt, bench.seen[0].accepted_at) == (1, NOW)

    async def test_inner_records_keep_what_belongs_to_the_request_and_nothing_else(self) -> None:
        bench = Bench()
        sent = {
            h.COMPRESSION: b"cut",
            h.SPANS: b"redaction;1;2;3;ok",
            "forebay-timing-x": b"5",
            "forebay-customer": b"J",
        }
        [output] = await bench.outputs(bench.fresh(sent))
        assert {name for name, _ in output.headers} == {h.TRACEPARENT, h.COMPRESSION}
        assert bench.seen[0].source.headers == {h.COMPRESSION: b"cut", h.SPANS: b"redaction;1;2;3;ok"}

    @pytest.mark.parametrize("spans", [b"", b"\xff", b"Ann Lee", b"redaction;1;2;3;ok," * 600])
    async def test_spans_without_the_form_of_some_are_dropped_and_counted(self, spans: bytes) -> None:
        bench = Bench()
        await bench.outputs(bench.fresh({h.SPANS: spans, h.COMPRESSION: b"cut"}))
        source = bench.seen[0].source
        assert (source.headers, source.dropped) == ({h.COMPRESSION: b"cut"}, (h.SPANS,))


class TestRetries:
    @pytest.mark.parametrize("topic", [INNER, OUTER])
    async def test_our_own_is_believed(self, topic: str) -> None:
        bench = Bench(topic)
        retry = await bench.retry()
        bench.clock.advance(20)
        assert topics(await bench.outputs(retry)) == ["alerts"]
        assert (bench.seen[0].attempt, bench.seen[0].accepted_at, bench.seen[0].source.key) == (2, NOW, b"r-1")

    @pytest.mark.parametrize(
        "change",
        [
            lambda one: changed(one, value=codecs()[INNER].encode(RedactedRequest(request_id="r-2"))),
            lambda one: changed(one, value=None),
            lambda one: changed(one, key=b"r-2"),
            lambda one: changed(one, key=None),
            *(
                lambda one, name=name: changed(one, headers={**one.headers, name: b"1"})
                for name in (h.ATTEMPT, h.ORIGIN_TIMESTAMP, h.ORIGIN_OFFSET, h.FIRST_FAILED_AT, h.SPENT, h.REPLAYED_AT)
            ),
            lambda one: changed(one, headers={n: v for n, v in one.headers.items() if n != h.PROOF}),
            lambda one: changed(one, headers={n: v for n, v in one.headers.items() if n != h.FIRST_FAILED_AT}),
            lambda one: changed(one, headers={**one.headers, h.PROOF: one.headers[h.PROOF][:-4]}),
            lambda one: changed(one, headers={**one.headers, h.PROOF: b""}),
        ],
    )
    async def test_nothing_of_it_can_be_exchanged(self, change: Callable[[Delivered], Delivered]) -> None:
        bench = Bench()
        found = await bench.outputs(change(await bench.retry()))
        assert (topics(found), codes(found), bench.seen) == (["dlq"], ["forged_retry"], [])

    async def test_it_counts_for_its_own_topic_and_stage_only(self) -> None:
        bench = Bench()
        retry = await bench.retry()
        elsewhere = Bench(OUTER, proofs=bench.rules.proofs)
        await elsewhere.outputs(delivered(OUTER, retry.value, key=retry.key, headers=retry.headers))
        assert [context.attempt for context in elsewhere.seen] == []
        assert codes(await Bench(proofs=RetryProofs("cache", [b"t" * 32])).outputs(retry)) == ["forged_retry"]

    async def test_a_secret_is_changed_without_losing_what_waits(self) -> None:
        retry = await Bench().retry()
        renewed = Bench(proofs=RetryProofs("cache", [b"n" * 32, b"s" * 32]))
        assert topics(await renewed.outputs(retry)) == ["alerts"]

    async def test_that_of_another_reader_is_left_to_it(self) -> None:
        bench = Bench()
        retry = await bench.retry()
        assert (
            await Bench(proofs=bench.rules.proofs).outputs(
                changed(retry, headers={**retry.headers, h.RETRY_STAGE: b"review"})
            )
            == []
        )

    async def test_one_of_before_there_were_proofs_is_believed_for_a_time(self) -> None:
        for topic, until, expected in ((INNER, NOW + 1, "alerts"), (INNER, NOW, "dlq"), (OUTER, NOW + 1, "alerts")):
            retry = await Bench(topic).retry()
            older = changed(retry, headers={n: v for n, v in retry.headers.items() if n != h.PROOF})
            found = await Bench(topic, retry=RetrySettings(unsigned_until_ms=until)).outputs(older)
            assert topics(found) == [expected]

    async def test_in_that_time_no_producer_can_pretend_to_be_one(self) -> None:
        bench = Bench(OUTER, retry=RetrySettings(unsigned_until_ms=NOW + 1))
        claim = {h.RETRY_STAGE: b"redaction", h.ORIGIN_TOPIC: b"requests", h.ATTEMPT: b"7", h.SEALED: b"requests/0/0"}
        await bench.outputs(bench.fresh(claim))
        assert bench.seen[0].attempt == 1


class TestReplays:
    @pytest.mark.parametrize("topic", [INNER, OUTER])
    async def test_an_operators_is_believed_once(self, topic: str) -> None:
        bench = Bench(topic)
        replay = await bench.replay()
        assert topics(await bench.outputs(replay)) == ["alerts"]
        assert topics(await bench.outputs(replay)) == ["alerts"], "the same record, delivered again after a crash"
        copied = await bench.outputs(changed(replay, offset=10))
        assert (topics(copied), codes(copied), len(bench.seen)) == (["dlq"], ["forged_retry"], 2)

    @pytest.mark.parametrize("age_s", [-301, 3_601, 86_400])
    async def test_an_old_one_counts_no_more(self, age_s: int) -> None:
        bench = Bench()
        replay = await bench.replay(**{h.REPLAYED_AT: str(NOW - 1_000 * age_s).encode()})
        assert codes(await bench.outputs(replay)) == ["forged_retry"]

    async def test_nobody_else_can_send_one(self) -> None:
        bench = Bench()
        for signer in (OperatorKey(OPERATOR.name, b"e" * 32), OperatorKey("eve", b"e" * 32)):
            assert codes(await bench.outputs(await bench.replay(signer))) == ["forged_retry"]
        replay = await bench.replay()
        later = {**replay.headers, h.REPLAYED_AT: str(NOW + 1).encode()}
        assert codes(await bench.outputs(changed(replay, headers=later))) == ["forged_retry"]

    async def test_while_redis_does_not_say_it_waits_in_its_place(self) -> None:
        class Away:
            asked = 0

            async def first(self, *_: str) -> bool:
                self.asked += 1
                if self.asked < 3:
                    raise GONE
                return True

        bench = Bench(replays=Away())
        assert topics(await bench.outputs(await bench.replay())) == ["alerts"]
        assert bench.clock.slept == [1.0, 1.0]


class TestKeys:
    async def test_a_producers_key_is_kept_sealed_and_comes_back(self) -> None:
        bench = Bench(OUTER)
        (waiting,) = await bench.outputs(bench.fresh(key=PERSONAL), failing(GONE))
        assert waiting.key == b"requests-0-0"
        assert PERSONAL not in b"".join(value for _, value in waiting.headers)
        await bench.outputs(back(waiting, OUTER))
        assert (bench.seen[0].source.key, h.SEALED_KEY in bench.seen[0].source.headers) == (PERSONAL, False)

    async def test_of_what_cannot_be_read_the_id_is_its_place(self) -> None:
        found = await Bench(OUTER).outputs(Bench(OUTER).fresh(key=PERSONAL, value=b"{}"))
        assert [record.topic for record in found] == ["alerts", "dlq"]
        assert header(found[1], "forebay-dlq-request-id") == "requests-0-0"
        for record in found:
            assert PERSONAL not in b"".join([record.key or b"", *(value for _, value in record.headers)])
        sealed = b64decode(header(found[1], h.SEALED_KEY) or "")
        assert KEYRING.open(sealed, "requests/0/0/key") == PERSONAL
