"""No text of a request, an answer, a decision or a person's reason gets into the file, whatever record it comes by."""

from pathlib import Path

import pytest

from forebay.contract.records import (
    AuditEvent,
    Completion,
    Correction,
    DeadLetterState,
    Evaluation,
    Message,
    RedactedRequest,
)
from forebay.kafka.decoding import ReadRecord
from tests.unit.history.kept import NOW, Topics, write, writer

SECRET = "the-words-of-somebody"
ASKED = RedactedRequest(request_id="r", messages=(Message(content=SECRET),))
ANSWERED = Completion(request_id="r", content=SECRET, request=ASKED)


def records(topics: Topics) -> dict[str, ReadRecord]:
    correction = Correction(correction_id="c", request_id="r", content=SECRET, reason=SECRET, completion=ANSWERED)
    event = AuditEvent(audit_id="a", action="dlq.drop", by="kim", reason=SECRET, details={"why": SECRET}, at=NOW)
    verdict = Evaluation(evaluation_id="e", request_id="r", reason=SECRET, created_at=NOW)
    state = DeadLetterState(dead_letter_id="0-0", reason=SECRET, at=NOW)
    letter = topics.record(
        "dlq", SECRET.encode(), forebay_dlq_message=SECRET, forebay_dlq_code="not_avro", other=SECRET
    )
    return {
        "corrections": topics.record("corrections", correction),
        "audit": topics.record("audit", event),
        "evaluations": topics.record("evaluations", verdict),
        "dlq.state": topics.record("dlq.state", state),
        "dlq": letter,
    }


@pytest.mark.parametrize("topic", sorted(records(Topics())))
def test_it_is_not_in_the_file(tmp_path: Path, topic: str) -> None:
    path = tmp_path / "history.db"
    with writer(path) as to:
        assert write(to, [records(Topics())[topic]]).records == 1
        to.checkpoint()
    assert SECRET.encode() not in path.read_bytes()


def test_fifty_thousand_tenants_and_a_name_of_ten_thousand_characters_are_numbers(tmp_path: Path) -> None:
    topics, path = Topics(), tmp_path / "history.db"
    verdicts = [
        topics.record("evaluations", Evaluation(evaluation_id=f"{number}", request_id="r", tenant_id=f"t-{number}"))
        for number in range(50_000)
    ]
    long = Evaluation(
        evaluation_id="long", request_id="r", tenant_id="t" * 10_000, judge_model="'; DROP TABLE names; --"
    )
    with writer(path) as to:
        write(to, [*verdicts, topics.record("evaluations", long)])
        assert to.database.execute("SELECT count(DISTINCT tenant) FROM evaluations").fetchone() == (50_001,)
        assert to.database.execute("SELECT max(length(name)) FROM names").fetchone()[0] < 200
