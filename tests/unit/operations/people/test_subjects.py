"""Erasure and disclosure, as a console would ask for them: topics and stores in memory."""

import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from forebay.contract.handlers import Output
from forebay.contract.records import (
    Alert,
    Completion,
    Correction,
    CorrectionAction,
    Evaluation,
    Message,
    RedactedRequest,
    ReviewTask,
    Spend,
    UsageEvent,
)
from forebay.contract.topics import DAY_MS
from forebay.kafka.decoding import ReadRecord
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.people.person import Person, Row
from forebay.operations.people.redis_places import VaultPlace
from forebay.operations.people.subjects import Desk, NothingKnownError
from forebay.operations.people.topics import READ
from forebay.privacy.people.names import Names
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.vault import Owner
from forebay.testing import MemoryVaultStore, delivered, memory_vault
from tests.unit.operations.trail import MemoryTrail

NAMES = Names(b"\2" * 32)
USER = "ann.lee@example.com"
ANN, BOB = NAMES.user("acme", USER), NAMES.user("acme", "bob")
NOW = 1_700_000_000_000


def person(given: str = USER, tenant: str = "acme") -> Person:
    return Person(tenant_id=tenant, given=given, names=NAMES)


class Topics:
    """What lies in topics; ``published`` is what the desk added."""

    def __init__(self) -> None:
        self.records: list[ReadRecord] = []
        self.published: list[Output] = []

    def add(self, topic: str, value: Any, headers: Mapping[str, bytes] | None = None) -> None:
        source = delivered(topic, b"x", headers=headers, offset=len(self.records), timestamp_ms=NOW - 1_000)
        self.records.append(ReadRecord(source=source, value=value, error=None))

    def read(self, topics: Sequence[str]) -> Iterator[ReadRecord]:
        return (record for record in self.records if record.source.topic in topics)

    def publish(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            self.published.append(output)
            self.add(output.topic, output.value)


@pytest.fixture
def topics() -> Topics:
    """Two requests of Ann, one of them from before there were pseudonyms, and one of Bob."""
    topics = Topics()
    for request_id, user in (("r-1", USER), ("r-2", ANN), ("r-3", BOB)):
        redacted = RedactedRequest(
            request_id=request_id, tenant_id="acme", user_id=user, messages=(Message(content=f"asked {request_id}"),)
        )
        done = Completion(request_id=request_id, tenant_id="acme", user_id=user, request=redacted)
        topics.add("requests.redacted", redacted)
        topics.add("completions", done)
        topics.add("usage", UsageEvent(request_id=request_id, tenant_id="acme", user_id=user))
        topics.add("evaluations", Evaluation(request_id=request_id, tenant_id="acme"))
        task = ReviewTask(review_id=f"review-{request_id}", request_id=request_id, tenant_id="acme", completion=done)
        topics.add("reviews", task)
        topics.add("dlq", b"sealed", {"forebay-dlq-tenant": b"acme", "forebay-dlq-request-id": request_id.encode()})
    topics.add("spend", Spend(tenant_id="acme", user_id=ANN))
    for tenant, subject in (("acme", ANN), ("acme", USER), ("acme", BOB), ("globex", ANN)):
        topics.add("alerts", Alert(kind="budget_nearly_spent", tenant_id=tenant, subject=subject))
    topics.add("completions", Completion(request_id="r-2", tenant_id="globex", user_id=NAMES.user("globex", USER)))
    topics.add("corrections", Correction(review_id="review-r-1", request_id="r-1", tenant_id="acme"))
    return topics


@pytest.fixture
def store() -> MemoryVaultStore:
    return MemoryVaultStore()


@pytest.fixture
def trail() -> MemoryTrail:
    return MemoryTrail()


@pytest.fixture
def desk(topics: Topics, store: MemoryVaultStore, trail: MemoryTrail) -> Desk:
    vault = VaultPlace(memory_vault(store=store))
    return Desk(read=topics.read, places=[vault], publish=topics.publish, record=trail.record, clock=lambda: NOW)


def by_place(rows: Sequence[Row]) -> dict[str, Row]:
    return {row.place: row for row in rows}


@pytest.mark.parametrize("given", [USER, ANN])
async def test_every_place_has_a_row_that_says_what_stays_and_until_when(desk: Desk, given: str) -> None:
    rows = by_place(await desk.erase(person(given)))
    assert rows.keys() == {"vault", "open reviews", *READ, "requests", "responses", "feedback", "keys"}
    usage, done = rows["usage"], rows["completions"]
    assert (usage.left, usage.until, usage.how) == (2, NOW - 1_000 + 400 * DAY_MS, "id")  # r-1 is from before
    assert (done.left, done.until) == (2, NOW - 1_000 + 7 * DAY_MS)
    assert (rows["spend"].left, rows["spend"].until, rows["spend"].how) == (1, None, "pseudonym")
    assert [rows[topic].left for topic in ("evaluations", "reviews", "dlq", "alerts", "corrections")] == [2] * 4 + [1]
    for topic in ("requests", "responses", "feedback"):
        assert (rows[topic].left, rows[topic].until) == (None, NOW + DAY_MS)
    assert (rows["keys"].left, rows["keys"].until) == (None, None), "people made them, and revoke them"


async def test_what_the_vault_has_under_either_name_is_gone_and_nobody_elses(
    desk: Desk, store: MemoryVaultStore
) -> None:
    vault, mapping = memory_vault(store=store), PseudonymMap(originals={"<PERSON_1>": "Ann Lee"})
    refs = {}
    for user in (USER, ANN, BOB):
        refs[user] = await vault.store(mapping, Owner(tenant_id="acme", user_id=user), "r")
    assert by_place(await desk.erase(person()))["vault"].removed == 2
    assert await vault.load(refs[BOB], Owner(tenant_id="acme", user_id=BOB), "r") == mapping
    assert by_place(await desk.erase(person()))["vault"].removed == 0


async def test_open_reviews_are_closed_without_a_word_of_the_answer(desk: Desk, topics: Topics) -> None:
    assert by_place(await desk.erase(person()))["open reviews"].removed == 1  # r-1 was decided
    [output] = topics.published
    decision = output.value
    assert isinstance(decision, Correction)
    assert (decision.review_id, decision.action) == ("review-r-2", CorrectionAction.REJECT)
    assert (decision.completion, decision.content, output.key) == (None, "", "r-2")
    assert by_place(await desk.erase(person()))["open reviews"].removed == 0


async def test_the_trail_has_it_before_and_after_and_names_nobody(desk: Desk, trail: MemoryTrail) -> None:
    await desk.erase(person())
    assert trail.acts == [("person.erase", "begun"), ("person.erase", "done")]
    assert {event.subject for event in trail.events} == {f"person {ANN}"}
    assert "ann.lee" not in repr(trail.events)


@pytest.mark.parametrize(("given", "tenant"), [("carl", "acme"), (USER, "amce"), ("bob", "globex")])
async def test_of_whom_nothing_is_known_is_said_so(desk: Desk, given: str, tenant: str, tmp_path: Path) -> None:
    with pytest.raises(NothingKnownError) as nobody:
        await desk.erase(person(given, tenant))
    assert str(nobody.value) == f"nothing is known of user {given} of tenant {tenant}"
    with pytest.raises(NothingKnownError):
        await desk.export(person(given, tenant), tmp_path / "told.json")
    assert list(tmp_path.iterdir()) == []


async def test_an_erasure_that_cannot_be_written_down_does_not_happen(topics: Topics, store: MemoryVaultStore) -> None:
    vault = memory_vault(store=store)
    ref = await vault.store(PseudonymMap(originals={"<PERSON_1>": "x"}), Owner(tenant_id="acme", user_id=ANN), "r")
    desk = Desk(
        read=topics.read, places=[VaultPlace(vault)], publish=topics.publish, record=MemoryTrail(refuses_from=0).record
    )
    with pytest.raises(OSError, match="gone"):
        await desk.erase(person())
    assert await vault.load(ref, Owner(tenant_id="acme", user_id=ANN), "r")
    assert topics.published == []


async def test_a_person_is_told_everything_in_a_file_of_the_owners_alone(
    desk: Desk, store: MemoryVaultStore, trail: MemoryTrail, tmp_path: Path
) -> None:
    vault, owner = memory_vault(store=store), Owner(tenant_id="acme", user_id=ANN)
    await vault.store(PseudonymMap(originals={"<PERSON_1>": "Ann Lee"}), owner, "r-2")
    asked = Owner(tenant_id="acme", user_id=USER)
    await vault.extend(asked, "c", await vault.conversation(asked, "c"), {"<CITY_1>": "Bath"}, known_as=owner)
    path = tmp_path / "told.json"
    count = await desk.export(person(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = json.loads(path.read_text("utf-8"))
    assert (told["user_id"], told["pseudonym"]) == (USER, ANN)
    assert "Ann Lee" in repr(told["stored"]["vault"])
    assert "Bath" in repr(told["stored"]["vault"])
    assert [one["record"]["request_id"] for one in told["topics"]["completions"]] == ["r-1", "r-2"]
    assert "r-3" not in path.read_text("utf-8")
    assert count == sum(map(len, (*told["stored"].values(), *told["topics"].values())))
    assert trail.acts == [("person.export", "begun"), ("person.export", "done")]
    assert "ann.lee" not in repr(trail.events)
    with pytest.raises(InvalidChoiceError, match="cannot be made"):
        await desk.export(person(), path)
