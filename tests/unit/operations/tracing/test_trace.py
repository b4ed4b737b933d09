"""Where a request is, is said from the history, else from the topics, and always what was searched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forebay.cli.tracing.command import text
from forebay.history.sqlite.reading import SqliteReader
from forebay.history.views import Call
from forebay.kafka.group_offsets import Offsets
from forebay.kafka.searching import Found, Looked
from forebay.observability.spans import Span
from forebay.operations.tracing.sentence import sentence
from forebay.operations.tracing.trace import SEARCHED, Desk, trace
from forebay.operations.tracing.waterfall import bars, drawn
from tests.unit.history.kept import NOW, Topics, write, writer
from tests.unit.history.test_writing import ID, outcome


def span(stage: str, at: int, waited: int = 0, worked: int = 0, ended: str = "ok") -> Span:
    return Span(stage=stage, accepted_ms=at, waited_ms=waited, worked_us=worked * 1_000, outcome=ended)


def call(name: str, took: int, ended: str = "ok", at: int = 0) -> Call:
    return Call(
        attempt_id=name,
        purpose="completion",
        tier=None,
        model=None,
        deployment=name,
        status="settled",
        outcome=ended,
        started_at=at,
        took_ms=took,
        first_token_ms=None,
        prompt_tokens=0,
        completion_tokens=0,
        cached_prompt_tokens=0,
        cost_nanousd=0,
        saved_nanousd=0,
        price=None,
    )


LATE = call("large-1", 4_000, "provider_timeout")
REDACTION, CACHE, RESPONSE = span("redaction", 10, 10, 20), span("cache", 40, 5, 10), span("response", 990, 5, 5)


@pytest.mark.parametrize(
    ("total", "spans", "calls", "words"),
    [
        (1_000, [REDACTION, CACHE, span("completion", 60, 5, 920), RESPONSE], [call("small-1", 900)],
         "0.9 of 1.0 s went to small-1, which answered."),
        (6_400, [REDACTION, span("completion", 60, 5, 6_300)], [LATE, call("large-2", 2_000)],
         "4.0 of 6.4 s went to large-1, which did not answer (provider_timeout)."),
        (8_400, [span("completion", 60, 5, 8_300)], [LATE, LATE],
         "8.0 of 8.4 s went to large-1, which did not answer 2 times (provider_timeout)."),
        (3_000, [span("completion", 60, 5, 2_900)], [call("small-1", 2_000, "escalated"), call("large-1", 900)],
         "2.0 of 3.0 s went to small-1, whose answer was not good enough."),
        (5_000, [REDACTION, span("completion", 4_200, 4_100, 300)], [call("small-1", 290)],
         "4.1 of 5.0 s was spent waiting until completion took it."),
        (12_300, [span("completion", 60, 5, 100, "retry:provider_timeout"), span("completion", 10_200, 40, 2_000)], [],
         "10.0 of 12.3 s was spent waiting to be tried again, after provider_timeout."),
        (40, [REDACTION, CACHE], [], "20 of 40 ms went to redaction itself."),
        (9_000, [REDACTION, CACHE], [], "9.0 of 9.0 s was spent between the stages."),
        (None, [REDACTION], [], "Where its time went is not known: its outcome has no spans."),
        (900, [], [], "Where its time went is not known: its outcome has no spans."),
        (0, [span("redaction", 0)], [], "It took less than a millisecond."),
    ],
)  # fmt: skip
def test_the_sentence_names_the_longest_part(
    total: int | None, spans: list[Span], calls: list[Call], words: str
) -> None:
    assert sentence(total, spans, calls) == words


def test_of_the_cache_it_says_so() -> None:
    assert sentence(40, [REDACTION], [], source="cache_exact").startswith("The cache answered. ")


def test_calls_that_overlap_take_no_more_than_completion_worked() -> None:
    said = sentence(1_000, [span("completion", 0, 0, 900)], [call("a-1", 900), call("b-1", 880)])
    assert said == "0.9 of 1.0 s went to a-1, which answered."


def test_the_waterfall_has_a_line_a_stage_and_calls_below_the_one_that_made_them() -> None:
    spans = [REDACTION, span("completion", 60, 5, 900), RESPONSE]
    lines = list(drawn(bars(0, spans, [call("small-1", 800, at=100)]), 1_000))
    assert [line.split()[0] for line in lines] == ["redaction", "completion", "small-1", "response"]
    assert lines[2].startswith("  small-1")
    assert all("█" in line for line in lines)
    assert "waited 10 ms, took 20 ms" in lines[0]


@pytest.mark.parametrize("at", [0, -(10**12), 10**13])
def test_clocks_that_are_off_draw_lines_all_the_same(at: int) -> None:
    lines = list(drawn(bars(at, [REDACTION, RESPONSE], [call("x", 10, at=5)]), 0))
    assert len(lines) == 3


class Bench:
    """A desk with a history of one request and topics in which something lies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[Found] = []
        self.finished = dict[str, dict[tuple[str, int], int | None]]()
        self.whole = True
        self.refused: list[str] = []
        self.since: list[int] = []
        with writer(path) as to:
            write(to, [Topics().record("outcomes", outcome())])

    def look(self, request_id: str, since_ms: int) -> Looked:
        self.since.append(since_ms)
        return Looked(
            topics=SEARCHED, found=self.found, records=512, oldest_ms=NOW, whole=self.whole, refused=self.refused
        )

    def desk(self, open_history: Callable[[], SqliteReader] | None = None) -> Desk:
        ends = {(topic, number): 1_000 for topic in SEARCHED for number in range(8)}
        return Desk(
            open_history=open_history or (lambda: SqliteReader(self.path)),
            look=self.look,
            offsets=lambda: Offsets(first={}, end=ends, finished=self.finished),
            group_of=lambda stage: stage,
            name_of=lambda topic: topic,
            clock=lambda: NOW + 12_000,
        )

    def lies(self, topic: str, offset: int, partition: int = 3, **headers: str) -> None:
        one = {name.replace("_", "-"): value.encode() for name, value in headers.items()}
        self.found.append(Found(topic=topic, partition=partition, offset=offset, at_ms=NOW, headers=one))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "history.db")


def test_what_is_in_the_history_is_told_from_there(bench: Bench) -> None:
    found = trace(bench.desk(), ID)
    assert bench.since == []
    assert found.known
    assert "went to completion itself" in found.said
    lines = "\n".join(text(found))
    assert "ok after 4.000 s" in lines
    assert "retry:provider_timeout" in lines


def test_what_is_on_its_way_is_where_its_stage_has_not_finished_it(bench: Bench) -> None:
    bench.lies("requests.redacted", 40, forebay_spans="redaction;1;2;3;ok")
    bench.lies("requests.uncached", 512, forebay_spans="redaction;1;2;3;ok,cache;4;5;6;ok")
    bench.finished = {"cache": {("requests.redacted", 3): 41}, "completion": {("requests.uncached", 3): 100}}
    found = trace(bench.desk(), "on-its-way")
    assert found.said == (
        "It is still in requests.uncached, partition 3, written 12 s ago: 412 records before it; "
        "it is the turn of completion."
    )
    assert [one.stage for one in found.spans] == ["redaction", "cache"]
    assert found.known
    assert any(line.startswith("cache") for line in text(found))


def test_what_was_answered_and_is_not_recorded_yet_says_so(bench: Bench) -> None:
    bench.lies("completions", 9)
    bench.lies("outcomes", 90)
    bench.finished = {"recorder": {("outcomes", 3): 89}, "response": {("completions", 3): 10}}
    assert trace(bench.desk(), "new").said.startswith("It was answered, 12 s ago, and is not in the history yet")


def test_what_every_stage_has_finished_was_last_seen_there(bench: Bench) -> None:
    bench.lies("requests.uncached", 5)
    bench.finished = {"completion": {("requests.uncached", 3): 900}}
    assert "It was last seen in requests.uncached" in trace(bench.desk(), "gone").said


def test_a_dead_letter_says_its_name(bench: Bench) -> None:
    bench.lies("dlq", 7)
    assert "the dead letter 3-7" in trace(bench.desk(), "dead").said


def test_of_an_unknown_id_it_is_said_what_was_searched(bench: Bench) -> None:
    found = trace(bench.desk(), "nobody")
    assert not found.known
    assert found.said == "Nothing is known of it."
    assert "the history, which goes until 12 s ago" in found.searched
    assert "512 records of outcomes, completions" in found.searched
    bench.whole, bench.refused = False, ["requests"]
    cut = trace(bench.desk(), "nobody").searched
    assert "older ones were not looked at" in cut
    assert "may not be read: requests" in cut


def test_without_a_history_the_topics_are_searched(bench: Bench, tmp_path: Path) -> None:
    found = trace(bench.desk(lambda: SqliteReader(tmp_path / "none.db")), "x")
    assert found.searched.startswith("The history was not searched: there is no history at")


def test_the_time_in_an_id_bounds_the_search_and_one_of_tomorrow_does_not(bench: Bench) -> None:
    born = NOW - 600_000
    for request_id in (f"{born:012x}"[:8] + "-" + f"{born:012x}"[8:] + "-7abc-8abc-0123456789ab", "no-uuid"):
        trace(bench.desk(), request_id)
    far = NOW + 10**10
    trace(bench.desk(), f"{far:012x}"[:8] + "-" + f"{far:012x}"[8:] + "-7abc-8abc-0123456789ab")
    assert bench.since == [born - 3_600_000, 0, 0]
