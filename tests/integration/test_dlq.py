"""Dead letters on a real broker: looked at, chosen, replayed at most once whoever asks, parked, dropped, exported."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.cli.dead_letters import app
from forebay.contract import headers as h
from forebay.contract.clock import now_ms
from forebay.contract.failures import Permanent
from forebay.contract.handlers import Output
from forebay.contract.names import topic_on_broker
from forebay.contract.records import (
    AuditEvent,
    Completion,
    DeadLetterState,
    Message,
    Outcome,
    RedactedRequest,
    Request,
    ResponseStatus,
)
from forebay.contract.wire import Delivered, Encoded
from forebay.embedded.files import write_private
from forebay.kafka.connection import confluent_options
from forebay.kafka.publisher import publish
from forebay.kafka.reader import read_topic
from forebay.kafka.transactions import FencedError, StepError, Transactions
from forebay.operations.audit.trail import KafkaTrail
from forebay.operations.dead_letters.opening import open_dead_letters
from forebay.operations.dead_letters.outcomes import watch
from forebay.operations.dead_letters.plan import Plan, Wish
from forebay.operations.dead_letters.selection import Filter
from forebay.operations.seen_writes import OutdatedError
from forebay.privacy.outbound import WITHHELD
from forebay.privacy.sealing import load_keyring, new_key_line
from forebay.runtime.dead_letters import Incident, dead_letter
from forebay.runtime.rules import Rules
from forebay.settings import KafkaSettings, RetrySettings, Settings, VaultSettings, load

pytestmark = pytest.mark.embedded
ALL = Filter(states=frozenset())
SECRET = "jane.doe@example.com"
Cli = Callable[..., Result]


def _dlq(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


@pytest.fixture
def cli(topics: object, settings: Settings) -> Cli:
    """Runs ``forebay dlq …`` on topics of this test's own; what it prints as JSON is in ``.stdout``."""
    return _dlq


@pytest.fixture(scope="module")
def reader(shared_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The same on topics with two letters, for tests that write nothing."""
    keys = tmp_path_factory.mktemp("keys") / "vault.keys"
    write_private(keys, new_key_line("test") + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOREBAY_VAULT_KEYS_FILE", str(keys))
        _bury(load(), 2, code="bug")
        yield _dlq


def _publish(
    settings: Settings, records: list[tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]]
) -> None:
    from confluent_kafka import Producer

    kafka = settings[KafkaSettings]
    producer = Producer(confluent_options(kafka) | {"partitioner": "murmur2_random"})
    for topic, key, value, headers in records:
        producer.produce(topic_on_broker(topic, kafka), value, key, headers=list(headers))
    assert producer.flush(30) == 0


def _bury(settings: Settings, count: int, *, code: str = "retries_exhausted", raw: bool = False) -> list[str]:
    """Dead-letter ``count`` requests as a stage does it; raw: of the first stage, whose records are sealed."""
    codecs = open_codecs(settings, open_registry(settings))
    topic, stage = ("requests", "redaction") if raw else ("requests.uncached", "completion")
    rules = Rules(
        stage=stage,
        timeout_s=1,
        max_attempts=1,
        codecs=codecs,
        kafka=settings[KafkaSettings],
        retry=settings[RetrySettings],
        keyring=load_keyring(settings[VaultSettings]),
    )
    ids, buried = [], []
    for number in range(count):
        request_id = f"{code}-{number}"
        messages = (Message(content=f"question {number} of {SECRET}" if raw else f"question {number}"),)
        kind = Request if raw else RedactedRequest
        value = codecs[topic].encode(kind(request_id=request_id, tenant_id="acme", messages=messages))
        source = Delivered(
            topic=topic, partition=0, offset=number, key=b"k", value=value, headers={}, timestamp_ms=1
        )  # fmt: skip
        incident = Incident(stage=stage, attempt=2, now_ms=now_ms(), request_id=request_id, tenant_id="acme")
        letter = dead_letter(source, Permanent(code, "2 attempts, the last: provider_unavailable"), incident, rules)
        buried.append((letter.topic, letter.key, letter.value, letter.headers))
        ids.append(request_id)
    _publish(settings, buried)
    return ids


def _replayed(settings: Settings, topic: str = "requests.uncached") -> list[str]:
    return sorted(record.value.request_id for record in read_topic(settings, topic) if record.value is not None)


def test_operators_look_before_they_act(cli: Cli, settings: Settings) -> None:
    ids = _bury(settings, 3)
    _bury(settings, 2, code="bug")
    groups = {row["code"]: row for row in json.loads(cli("stats", "--json").stdout)}
    assert {code: (row["count"], row["open"], row["new"]) for code, row in groups.items()} == {
        "retries_exhausted": (3, 3, True),
        "bug": (2, 2, True),
    }
    listed = [json.loads(line) for line in cli("list", "--json", "--code", "retries_exhausted").stdout.splitlines()]
    assert sorted(row["request_id"] for row in listed) == sorted(ids)
    named = cli("list", "--json", "--id", listed[1]["id"], "--id", "0-999").stdout.splitlines()
    assert [json.loads(line)["id"] for line in named] == [listed[1]["id"]]
    shown = json.loads(cli("show", listed[0]["id"]).stdout)
    assert shown["record"]["messages"][0]["content"].startswith("question")
    assert shown["headers"]["forebay-dlq-stage"] == "completion"
    assert "retries_exhausted" in cli("stats").stdout
    assert "completion" in cli("list").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--state", "foo"],
        ["list", "--limit", "-1"],
        ["list", "--stage", "complete"],
        ["list", "--code", "retries_exausted"],
        ["list", "--since", "yesterday"],
        ["replay", "--dry-run", "--rate", "-1"],
        ["replay", "--dry-run", "--rate", "nan"],
        ["replay", "--dry-run", "--rate", "inf"],
        ["replay", "--dry-run", "--canary", "-1"],
        ["replay", "--dry-run", "--pause-above", "2"],
        ["replay", "--dry-run", "--max-replays", "-1"],
        ["drop", "0-0", "--reason", " "],
        ["export", "/"],
    ],
)
def test_values_that_mean_nothing_are_refused(reader: Cli, arguments: list[str]) -> None:
    reader(*arguments, status=2)


def test_known_names_without_letters_are_no_mistake(cli: Cli) -> None:
    assert cli("list", "--json", "--stage", "completion", "--code", "bug").stdout == ""


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--tenant", "acme"], 2),
        (["--tenant", "other"], 0),
        (["--stage", "completion"], 2),
        (["--stage", "cache"], 0),
        (["--request-id", "bug-1"], 1),
        (["--text", "PROVIDER_UNAVAILABLE"], 2),
        (["--since", "5m"], 2),
        (["--until", "5m"], 0),
        (["--state", "parked"], 0),
        (["--limit", "1"], 1),
    ],
)
def test_filters(reader: Cli, options: list[str], found: int) -> None:
    assert len(reader("list", "--json", *options).stdout.splitlines()) == found


def test_a_dry_run_changes_nothing(cli: Cli, settings: Settings) -> None:
    _bury(settings, 2)
    assert len(cli("replay", "--dry-run", "--json").stdout.splitlines()) == 2
    assert _replayed(settings) == []
    assert list(read_topic(settings, "dlq.state")) == []


def test_a_letter_is_replayed_once_and_a_second_replay_finds_nothing(cli: Cli, settings: Settings) -> None:
    ids = _bury(settings, 4)
    first = json.loads(cli("replay", "--yes", "--json", "--settle", "0").stdout)
    assert (first["chosen"], first["replayed"]) == (4, 4)
    assert _replayed(settings) == sorted(ids)
    second = json.loads(cli("replay", "--yes", "--json", "--settle", "0").stdout)
    assert (second["chosen"], second["replayed"]) == (0, 0)
    assert _replayed(settings) == sorted(ids)
    [record, *_] = [record.source for record in read_topic(settings, "requests.uncached")]
    assert h.text(record.headers, h.RETRY_STAGE) == "completion"
    assert h.text(record.headers, h.SUPERSEDES) == "retries_exhausted"
    assert not [name for name in record.headers if name.startswith("forebay-dlq-")]
    assert (
        json.loads(cli("replay", "--yes", "--json", "--again", "--limit", "1", "--settle", "0").stdout)["replayed"] == 1
    )


def test_a_letter_whose_request_was_answered_since_is_not_sent_back(cli: Cli, settings: Settings) -> None:
    """Who asks a door again, under the same idempotency key, after a failure that passes, makes a new try of it."""
    answered, other = _bury(settings, 2)
    ended = {"tenant_id": "acme", "status": ResponseStatus.OK, "responded_at": now_ms() + 1_000}
    publish(
        settings,
        [
            Output(topic="outcomes", key=name, value=Outcome(request_id=name, **ended))
            for name in ("somebody else's", answered)
        ],
    )
    done = json.loads(cli("replay", "--yes", "--json", "--settle", "0").stdout)
    assert (done["chosen"], done["replayed"], done["unmended"]) == (2, 1, 1)
    assert "its request was answered since" in next(iter(done["problems"].values()))
    assert _replayed(settings) == [other]


def test_of_two_operators_at_once_one_replays(settings: Settings, topics: object) -> None:
    ids = _bury(settings, 3)
    plan = Plan(by="someone", settle_s=0)
    with open_dead_letters(settings) as slow, open_dead_letters(settings) as quick:
        letters = slow.find(ALL)

        def wish() -> Wish:  # asked once before the only batch: the slow one has the journal and has sent nothing yet
            assert quick.replay(letters, "all", plan).replayed == 3
            return Wish.GO

        with pytest.raises(FencedError):
            slow.replay(letters, "all", plan, wish=wish)
        assert slow.replay(letters, "all", plan).skipped == 3
    assert _replayed(settings) == sorted(ids)


def test_of_two_operators_who_decide_the_second_is_told(settings: Settings, topics: object) -> None:
    _bury(settings, 2)
    with open_dead_letters(settings) as ann, open_dead_letters(settings) as bob:
        seen = {letter.letter_id: letter.seen for letter in ann.find(ALL)}
        first, second = seen
        bob.drop([first], by="bob", reason="test data")
        with pytest.raises(OutdatedError) as told:
            ann.park([first, second], by="ann", seen=seen)
        assert {letter_id: note.value.by for letter_id, note in told.value.entries.items()} == {first: "bob"}
        assert {letter.letter_id: letter.state.value for letter in ann.find(ALL)} == {first: "dropped", second: "open"}
        [dropped] = [letter for letter in ann.find(ALL) if letter.letter_id == first]
        ann.park([first, second], by="ann", seen=seen | {first: dropped.seen})
        assert {letter.state.value for letter in bob.find(ALL)} == {"parked"}


def test_a_canary_that_fails_stops_the_replay(cli: Cli, settings: Settings) -> None:
    _bury(settings, 10)
    result = cli("replay", "--yes", "--json", "--canary", "2", "--settle", "1", status=1)
    progress = json.loads(result.stdout)
    assert (progress["replayed"], progress["succeeded"]) == (2, 0)
    assert "canaries" in progress["paused"]
    assert len(_replayed(settings)) == 2


def test_what_was_replayed_too_often_is_parked(cli: Cli, settings: Settings) -> None:
    _bury(settings, 2)
    progress = json.loads(cli("replay", "--yes", "--json", "--max-replays", "0", "--settle", "0").stdout)
    assert (progress["replayed"], progress["parked"]) == (0, 2)
    assert len(cli("list", "--json", "--state", "parked").stdout.splitlines()) == 2


def test_an_export_stops_no_replay(cli: Cli, settings: Settings, tmp_path: Path) -> None:
    _bury(settings, 1)
    with Transactions(settings, "dlq-operator") as replaying:
        cli("export", str(tmp_path / "letters.jsonl"), "--by", "ann")
        replaying.step([_entry("bob")])
    assert [event.by for event in _audit(settings)] == ["ann", "ann"]
    assert [event.by for event in _notes(settings)] == ["bob"]


def test_what_was_dropped_comes_again_only_by_name(cli: Cli, settings: Settings) -> None:
    _bury(settings, 2)
    first, second = [json.loads(line)["id"] for line in cli("list", "--json").stdout.splitlines()]
    cli("drop", first, "--reason", "test data")
    planned = [json.loads(line)["id"] for line in cli("replay", "--dry-run", "--json", "--again").stdout.splitlines()]
    assert planned == [second]
    named = cli("replay", "--dry-run", "--json", "--again", "--id", first).stdout.splitlines()
    assert [json.loads(line)["id"] for line in named] == [first]


def test_a_step_that_cannot_be_written_says_so_and_leaves_nothing_half_done(cli: Cli, settings: Settings) -> None:
    _bury(settings, 1)
    with Transactions(settings, "dlq-operator") as journal:
        with pytest.raises(StepError, match="nothing was done"):
            journal.step([_entry("\udcff")])
        with pytest.raises(StepError):
            journal.step([], [Encoded(topic="dlq", key=b"k", value=b"x" * (64 << 20), headers=[])])
        journal.step([_entry("bob")])
    assert [event.by for event in _notes(settings)] == ["bob"]


def test_a_replay_sees_what_becomes_of_its_letters_from_now_on(settings: Settings, topics: object) -> None:
    codec = open_codecs(settings, open_registry(settings))["completions"]
    answered = codec.encode(Completion(request_id="r", status=ResponseStatus.OK))

    def made_of(letter: bytes, topic: str, value: bytes, attempt: bytes = b"1") -> None:
        headers = {h.REPLAY_ID: b"mine", h.REPLAYED_LETTER: letter, h.ATTEMPT: attempt}
        _publish(settings, [(topic, b"k", value, list(headers.items()))])

    made_of(b"0-0", "completions", answered)
    with watch(settings, "mine") as outcomes:
        made_of(b"0-1", "completions", answered)
        made_of(b"0-2", "dlq", b"x")
        made_of(b"0-3", "retry.1m", b"x", b"3")
        deadline = time.monotonic() + 30
        while sum(outcomes.counts()) < 3 and time.monotonic() < deadline:
            outcomes.poll(0.1)
        outcomes.poll(0)
        assert outcomes.counts() == (1, 1, 1)


def test_park_drop_and_export_leave_a_trail(cli: Cli, settings: Settings, tmp_path: Path) -> None:
    _bury(settings, 3)
    a, b, c = [json.loads(line)["id"] for line in cli("list", "--json").stdout.splitlines()]
    cli("park", a, "--by", "ann", "--reason", "later")
    cli("drop", b, "--by", "bob", "--reason", "test data")
    cli("drop", c, "--by", "bob", status=2)
    cli("export", str(tmp_path / "letters.jsonl"), "--by", "ann")
    assert len(cli("list", "--json").stdout.splitlines()) == 1
    exported = [json.loads(line) for line in (tmp_path / "letters.jsonl").read_text().splitlines()]
    assert {row["id"]: row["state"] for row in exported} == {a: "parked", b: "dropped", c: "open"}
    assert (tmp_path / "letters.jsonl").stat().st_mode & 0o077 == 0
    trail = [(e.action, e.by, e.reason, e.details.get("outcome", "begun")) for e in _audit(settings)]
    acts = [("dlq.park", "ann", "later"), ("dlq.drop", "bob", "test data"), ("dlq.export", "ann", None)]
    assert trail == [(*act, phase) for act in acts for phase in ("begun", "done")]
    assert json.loads(cli("replay", "--yes", "--json", "--settle", "0").stdout)["replayed"] == 1
    cli("show", "0-999", status=2)


def _entry(by: str) -> Output:
    return Output(topic="dlq.state", key="0-999", value=DeadLetterState(dead_letter_id="0-999", by=by))


def _notes(settings: Settings) -> Iterator[DeadLetterState]:
    return (record.value for record in read_topic(settings, "dlq.state"))


def _audit(settings: Settings) -> list[AuditEvent]:
    return list(KafkaTrail(settings).read().events)


def test_sealed_letters_stay_sealed_also_when_they_are_transformed(
    cli: Cli, settings: Settings, tmp_path: Path
) -> None:
    _bury(settings, 2, raw=True)
    for record in read_topic(settings, "dlq"):
        assert SECRET.encode() not in (record.source.value or b"")
    transform = tmp_path / "mend.py"
    transform.write_text(
        "def transform(record):\n"
        "    if record['request_id'].endswith('-1'):\n        raise ValueError('no')\n"
        "    return {**record, 'user_id': 'mended'}\n"
    )
    lines = [json.loads(line) for line in cli(
        "replay", "--dry-run", "--json", "--transform", str(transform)
    ).stdout.splitlines()]  # fmt: skip
    assert sorted('+ "user_id": "mended"' in line.get("diff", "") for line in lines) == [False, True]
    assert [line["error"].endswith("ValueError in transform, line 3") for line in lines if "error" in line] == [True]
    progress = json.loads(cli("replay", "--yes", "--json", "--settle", "0", "--transform", str(transform)).stdout)
    assert (progress["replayed"], progress["unmended"]) == (1, 1)
    [record] = read_topic(settings, "requests")
    context = h.text(record.source.headers, h.SEALED)
    assert context is not None
    assert SECRET.encode() not in (record.source.value or b"")
    opened = load_keyring(settings[VaultSettings]).open(record.source.value or b"", context)
    mended = open_codecs(settings, open_registry(settings))["requests"].decode(opened)
    assert (mended.user_id, SECRET in mended.messages[0].content) == ("mended", True)
    assert len(cli("list", "--json").stdout.splitlines()) == 1, "what cannot be mended stays open"


def test_a_withheld_letter_is_replayed_from_the_topic_it_came_from(cli: Cli, settings: Settings) -> None:
    codecs = open_codecs(settings, open_registry(settings))
    kept = codecs["requests.uncached"].encode(RedactedRequest(request_id="kept", tenant_id="acme"))
    _publish(settings, [("requests.uncached", b"k", kept, [])])
    (place,) = [record.source for record in read_topic(settings, "requests.uncached")]
    for offset, name in ((place.offset, b"kept"), (place.offset + 1_000, b"expired")):
        headers = {
            "forebay-dlq-stage": b"completion",
            "forebay-dlq-code": b"bug",
            "forebay-dlq-request-id": name,
            "forebay-dlq-tenant": b"acme",
            WITHHELD: b"US_SSN",
            h.ORIGIN_TOPIC: b"requests.uncached",
            h.ORIGIN_PARTITION: str(place.partition).encode(),
            h.ORIGIN_OFFSET: str(offset).encode(),
        }
        _publish(settings, [("dlq", b"k", None, list(headers.items()))])
    planned = [json.loads(line) for line in cli("replay", "--dry-run", "--json").stdout.splitlines()]
    assert {line["request_id"]: "expired" in line.get("error", "") for line in planned} == {
        "kept": False,
        "expired": True,
    }
    progress = json.loads(cli("replay", "--yes", "--json", "--settle", "0").stdout)
    assert (progress["replayed"], progress["unmended"]) == (1, 1)
    assert _replayed(settings) == ["kept", "kept"]
    assert [json.loads(line)["request_id"] for line in cli("list", "--json").stdout.splitlines()] == ["expired"]


def test_foreign_records_in_the_topics_disturb_nobody(cli: Cli, settings: Settings) -> None:
    _bury(settings, 1)
    _publish(settings, [(topic, b"k", b"garbage", []) for topic in ("dlq", "dlq.state", "audit")])
    _publish(settings, [("dlq", None, None, [("forebay-dlq-failed-at", b"never")])])
    assert len(cli("list", "--json").stdout.splitlines()) == 3
    assert len(cli("list", "--json", "--stage", "?").stdout.splitlines()) == 2
    progress = json.loads(cli("replay", "--yes", "--json", "--settle", "0").stdout)
    assert (progress["replayed"], progress["unmended"]) == (1, 2), "what nobody can send back holds up nobody"
    assert all("does not say which topic" in problem for problem in progress["problems"].values())
    planned = [json.loads(line)["action"] for line in cli("replay", "--dry-run", "--json").stdout.splitlines()]
    assert planned == ["leave", "leave"]
