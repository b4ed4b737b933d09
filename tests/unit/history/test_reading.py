"""What was written is found by each filter, newest first, and what takes too long is cut off and says so."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from forebay.contract.records import Correction, Evaluation, Outcome
from forebay.contract.topics import HOUR_MS
from forebay.history.sqlite.reading import SqliteReader
from forebay.history.store import HistoryError
from forebay.history.views import Wanted
from forebay.kafka.decoding import ReadRecord
from loadtest.history.command import ends
from loadtest.history.made import made
from tests.unit.history.kept import NOW, Topics, write, writer
from tests.unit.history.test_writing import outcome

MADE = list(made(1_500, NOW, days=0.5, seed=9, users=30))
OUTCOMES: list[Outcome] = [one.value for one in MADE if one.source.topic == "outcomes"]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteReader]:
    path = tmp_path_factory.mktemp("history") / "history.db"
    with writer(path) as to:
        to.write(MADE, ends(MADE))
    with SqliteReader(path) as found:
        yield found


def test_a_request_is_told_as_its_records_have_it(reader: SqliteReader) -> None:
    for one in OUTCOMES[::50]:
        story = reader.story(one.request_id)
        assert story is not None
        line = story.request
        assert (line.request_id, line.tenant_id, line.user_id) == (one.request_id, one.tenant_id, one.user_id)
        assert (line.status, line.error_code, line.source) == (one.status.value, one.error_code, one.source.value)
        assert (line.tier, line.model, line.cost_nanousd) == (one.tier, one.model, one.cost_nanousd)
        assert line.total_ms == one.responded_at - one.accepted_at
        assert story.accepted_at == one.accepted_at
        assert story.redactions == one.redactions
        assert story.confidence == one.confidence
        assert story.trace_id == one.trace_id
        assert story.conversation_id == one.conversation_id
        assert [
            f"{span.stage};{span.accepted_ms};{span.waited_ms};{span.worked_us};{span.outcome}" for span in story.spans
        ] == one.spans.split(",")
        assert sum(call.cost_nanousd for call in story.calls) == one.cost_nanousd
        assert {call.attempt_id for call in story.calls} >= {attempt.attempt_id for attempt in one.attempts}


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(tenant_id="acme"),
        Wanted(tenant_id="acme", status="failed"),
        Wanted(source="cache_exact", tenant_id="globex"),
        Wanted(tier="large", slower_than_ms=3_000),
        Wanted(slower_than_ms=500, tenant_id="acme"),
        Wanted(error_code="provider_timeout"),
        Wanted(user_id=OUTCOMES[0].user_id),
        Wanted(user_id=OUTCOMES[0].user_id, tenant_id=OUTCOMES[0].tenant_id, status="ok"),
        Wanted(since_ms=NOW - 4 * HOUR_MS, until_ms=NOW - 2 * HOUR_MS),
        Wanted(conversation_id=next(one.conversation_id for one in OUTCOMES if one.conversation_id)),
        Wanted(tenant_id="nobody"),
        Wanted(user_id="' OR 1=1 --"),
        Wanted(error_code="", tenant_id="\u202e%00"),
    ],
)
def test_pages_hold_what_fits_newest_first_each_once(reader: SqliteReader, wanted: Wanted) -> None:
    def fits(one: Outcome) -> bool:
        took = one.responded_at - one.accepted_at
        return (
            wanted.tenant_id in (None, one.tenant_id)
            and wanted.user_id in (None, one.user_id)
            and wanted.status in (None, one.status.value)
            and wanted.error_code in (None, one.error_code)
            and wanted.source in (None, one.source.value)
            and wanted.tier in (None, one.tier)
            and wanted.conversation_id in (None, one.conversation_id)
            and (wanted.slower_than_ms is None or took > wanted.slower_than_ms)
            and (wanted.since_ms is None or wanted.since_ms <= one.responded_at)
            and (wanted.until_ms is None or one.responded_at < wanted.until_ms)
        )

    found, older = [], None
    while True:
        page = reader.requests(wanted, limit=40, older=older)
        assert not page.cut
        found += page.requests
        older = page.older
        if older is None:
            break
    times = [one.responded_at for one in found]
    assert times == sorted(times, reverse=True)
    assert sorted(one.request_id for one in found) == sorted(one.request_id for one in OUTCOMES if fits(one))


def test_sums_are_those_of_the_rows_by_whatever_they_are_told_apart(reader: SqliteReader) -> None:
    for by in ((), ("tenant",), ("source", "tier"), ("status", "error")):
        points = reader.points(NOW - 24 * HOUR_MS, NOW + HOUR_MS, by=by)
        assert sum(point.n for point in points) == len(OUTCOMES)
        assert sum(point.cost_nanousd for point in points) == sum(one.cost_nanousd for one in OUTCOMES)
        assert sum(sum(point.latency.values()) for point in points) == len(OUTCOMES)
    acme = reader.points(NOW - 24 * HOUR_MS, NOW + HOUR_MS, tenant="acme")
    assert sum(point.n for point in acme) == sum(one.tenant_id == "acme" for one in OUTCOMES)
    minutes = reader.points(NOW - 24 * HOUR_MS, NOW + HOUR_MS, by=("source",), hours=False)
    assert sum(point.n for point in minutes) == len(OUTCOMES)


def test_what_takes_too_long_is_cut_off_and_says_so(reader: SqliteReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forebay.history.sqlite.reading._LOOK_EVERY", 1)
    monkeypatch.setattr(reader, "_longest_s", -1.0)
    assert reader.requests(Wanted()).cut
    with pytest.raises(HistoryError, match="longer than"):
        reader.story(OUTCOMES[0].request_id)
    with pytest.raises(HistoryError, match="longer than"):
        reader.points(0, NOW)


def test_an_id_that_nobody_has_is_in_no_row(reader: SqliteReader) -> None:
    for request_id in ("", "x" * 10_000, "%00", "'; DROP TABLE requests; --", "\u202e", "a\udcff"):
        assert reader.story(request_id) is None
        assert reader.letters(request_id) == []


def test_verdicts_and_corrections_stand_beside_a_request_and_two_outcomes_are_said(tmp_path: Path) -> None:
    topics, path = Topics(), tmp_path / "history.db"
    told: list[ReadRecord] = [
        topics.record("outcomes", outcome(request_id="r")),
        topics.record("outcomes", replace(outcome(request_id="r"), responded_at=NOW + 5)),
        topics.record("evaluations", Evaluation(evaluation_id="e", request_id="r", judge_model="j", score=4.5)),
        topics.record("corrections", Correction(correction_id="c", request_id="r", content="its text", reason="why")),
    ]
    with writer(path) as to:
        write(to, told)
    with SqliteReader(path) as reader:
        story = reader.story("r")
    assert story is not None
    assert [(one.judge_model, one.score) for one in story.verdicts] == [("j", 4.5)]
    assert story.corrections == ["approve"]
    assert story.seen == 2
    assert b"its text" not in path.read_bytes()
