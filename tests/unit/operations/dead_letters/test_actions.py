"""What operators do with dead letters, each called as a console would call it: no terminal, no brokers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forebay.contract.records import DeadLetterAction, Message, Request
from forebay.kafka.transactions import FencedError
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.dead_letters.letters import LetterState
from forebay.operations.dead_letters.plan import Phase, Plan, Wish
from forebay.operations.dead_letters.preview import Fate
from forebay.operations.dead_letters.selection import Filter
from forebay.operations.seen_writes import OutdatedError
from forebay.privacy.outbound import WITHHELD
from forebay.testing import KEYRING, codecs, delivered
from forebay.testing.stores import OPERATOR
from tests.unit.operations.dead_letters.bench import NOW_MS, Bench, ScriptedOutcomes, buried

PLAN = Plan(by="ann", settle_s=0)
ALL = Filter(states=frozenset())


def test_stats_put_the_newest_kind_of_failure_first() -> None:
    bench = Bench(3)
    bench.add(buried(7, dlq_code="bug", dlq_stage="cache", dlq_failed_at=str(NOW_MS - 7_200_000)))
    bench.operator().park(["0-1"], by="ann")
    new, old = bench.operator().stats()
    assert (new.stage, new.code, new.count, new.open, new.new) == ("completion", "retries_exhausted", 3, 2, True)
    assert (old.stage, old.code, old.count, old.open, old.new) == ("cache", "bug", 1, 1, False)


def test_a_search_gives_letters_without_their_records_unless_those_are_asked_for() -> None:
    bench = Bench(3)
    found = bench.operator().find(Filter(text="PROVIDER"), limit=2)
    assert [letter.letter_id for letter in found] == ["0-0", "0-1"], "the oldest failure first"
    assert [letter.source.value for letter in found] == [None, None]
    assert all(letter.source.value for letter in bench.operator().find(ALL, whole=True))


def test_letters_chosen_by_id_are_read_where_they_lie() -> None:
    bench = Bench(3)
    chosen = Filter(ids=frozenset({"0-2", "0-9", "no id"}))
    assert [letter.letter_id for letter in bench.operator().find(chosen)] == ["0-2"]
    assert sorted(bench.queue.asked) == [("dlq", 0, 2), ("dlq", 0, 9)]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (Filter(stage="complete"), "no stage 'complete', only cache, completion"),
        (Filter(code="retries_exausted"), "no error code 'retries_exausted'"),
    ],
)
def test_names_that_nobody_knows_are_no_choice(chosen: Filter, said: str) -> None:
    with pytest.raises(InvalidChoiceError, match=said):
        Bench(1).operator().find(chosen)


def test_a_name_that_only_a_letter_knows_is_a_choice() -> None:
    bench = Bench()
    bench.add(buried(4, dlq_stage="retired", dlq_code="old_code"))
    assert len(bench.operator().find(Filter(stage="retired", code="old_code"))) == 1


@pytest.mark.parametrize("letter_id", ["0-1", "1-0", "", "0", "00-0", "0-0 ", "-1-0", "0-" + "9" * 19, "٠-٠", "a-b"])
def test_a_letter_that_is_not_there_is_no_choice(letter_id: str) -> None:
    operator = Bench(1).operator()
    for act in (
        lambda: operator.show(letter_id),
        lambda: operator.park(["0-0", letter_id], by="ann"),
        lambda: operator.drop([letter_id], by="ann", reason="old"),
    ):
        with pytest.raises(InvalidChoiceError, match="there is no dead letter"):
            act()
    assert operator.find(Filter())[0].state is LetterState.OPEN


def test_a_letter_is_shown_with_its_record() -> None:
    shown = Bench(2).operator().show("0-1")
    assert (shown.letter.letter_id, shown.record.messages[0].content, shown.hidden) == ("0-1", "question 1", "")


def test_what_may_not_or_cannot_be_shown_says_why() -> None:
    bench = Bench()
    bench.add(buried(0, sealed="requests/0/1"))
    bench.add(buried(1, **{WITHHELD.removeprefix("forebay-"): "US_SSN"}), value=None)
    bench.add(buried(2), value=b"garbage")
    bench.add(buried(3, origin_topic="nowhere"))
    operator = bench.operator()
    assert [(operator.show(f"0-{n}").record, operator.show(f"0-{n}").hidden.split(":")[0]) for n in range(4)] == [
        (None, "sealed"),
        (None, "withheld"),
        (None, "not_avro"),
        (None, ""),
    ]


def test_a_preview_says_what_would_become_of_each_letter_and_does_nothing(tmp_path: Path) -> None:
    bench = Bench(1)
    bench.add(buried(1, replay_count="3"))
    bench.add(buried(2, origin_topic="?"))
    transform = tmp_path / "mend.py"
    transform.write_text("def transform(record):\n    return record | {'user_id': 'u-7'}\n")
    operator = bench.operator()
    letters = operator.find(Filter())
    again, tired, lost = operator.preview(letters, "all", 3, transform)
    assert [again.fate, tired.fate, lost.fate] == [Fate.REPLAY, Fate.PARK, Fate.LEAVE]
    assert '+ "user_id": "u-7"' in (again.diff or "")
    assert "does not say which topic" in lost.problem
    assert bench.journal.trail.acts == [("dlq.preview", "begun"), ("dlq.preview", "done")], "it shows records"
    assert [line.diff for line in operator.preview(letters[:1], "all", 3)] == [None]
    assert len(bench.journal.trail.acts) == 2, "without a transform it shows none"
    assert (bench.journal.sent, bench.journal.notes.epoch) == ([], 0)


def test_a_replay_sends_records_back_also_of_letters_that_were_chosen_without_them() -> None:
    bench = Bench(2)
    operator = bench.operator()
    progress = operator.replay(operator.find(Filter()), "all", PLAN)
    assert (progress.chosen, progress.replayed, progress.phase) == (2, 2, Phase.DONE)
    assert [record.value for record in bench.journal.sent] == [buried(n).value for n in range(2)]
    assert {letter.state for letter in operator.find(ALL)} == {LetterState.REPLAYED}
    before, after = bench.journal.trail.events
    assert (before.action, before.by, before.subject, before.count) == ("dlq.replay", "ann", "all", 2)
    assert (after.details["outcome"], after.count, after.details["key"]) == ("done", 2, OPERATOR.name)


def test_a_withheld_letter_of_a_topic_with_personal_data_is_left_and_its_record_not_looked_for() -> None:
    bench = Bench()
    withheld = {WITHHELD.removeprefix("forebay-"): "US_SSN", "origin_partition": "2", "origin_offset": "5"}
    bench.add(buried(0, origin_topic="requests", dlq_stage="redaction", **withheld), value=None)
    operator = bench.operator()
    progress = operator.replay(operator.find(Filter()), "all", PLAN)
    said = "0-0: its bytes were withheld, and its record in requests is not for operators to read"
    assert progress.problems == {"0-0": said}
    assert not [place for place in bench.queue.asked if place[0] == "requests"]


def test_a_letter_that_expired_since_it_was_chosen_is_left_and_not_sent_empty() -> None:
    bench = Bench(2)
    operator = bench.operator()
    letters = operator.find(Filter())
    bench.queue.expire(0)
    progress = operator.replay(letters, "all", PLAN)
    assert (progress.replayed, progress.problems) == (1, {"0-0": "0-0: it has expired"})
    assert all(record.value for record in bench.journal.sent)
    with operator.export(letters[:1], "one", by="ann", reason=None) as exported:
        assert exported == []


def test_a_sealed_letter_is_mended_sealed(tmp_path: Path) -> None:
    bench = Bench()
    opened = codecs()["requests"].encode(Request(request_id="r", messages=(Message(content="of Jo Doe"),)))
    sealed = KEYRING.seal(opened, "requests/0/1")
    bench.add(buried(0, sealed="requests/0/1", origin_topic="requests", dlq_stage="redaction"), value=sealed)
    transform = tmp_path / "mend.py"
    transform.write_text("def transform(record):\n    return record | {'user_id': 'u-7'}\n")
    operator = bench.operator()
    operator.replay(operator.find(Filter()), "all", PLAN, transform=transform)
    [record] = bench.journal.sent
    assert b"Jo Doe" not in (record.value or b"")
    mended = codecs()["requests"].decode(KEYRING.open(record.value or b"", "requests/0/1"))
    assert (mended.user_id, mended.messages[0].content) == ("u-7", "of Jo Doe")


def test_a_withheld_letter_goes_back_with_the_record_that_its_topic_still_has() -> None:
    bench = Bench()
    withheld = {WITHHELD.removeprefix("forebay-"): "US_SSN", "origin_partition": "2"}
    bench.add(buried(0, origin_offset="5", **withheld), value=None)
    bench.add(buried(1, origin_offset="6", **withheld), value=None)
    bench.queue.elsewhere["requests.uncached", 2, 5] = delivered("requests.uncached", value=b"kept")
    operator = bench.operator()
    progress = operator.replay(operator.find(Filter()), "all", PLAN)
    assert [record.value for record in bench.journal.sent] == [b"kept"]
    assert list(progress.problems) == ["0-1"]


def test_a_letter_without_bytes_stays_and_says_why_and_a_made_up_key_does_not_go_back() -> None:
    bench = Bench()
    bench.add(buried(0, dlq_without_bytes="too_large"), value=None)
    bench.add(buried(1, dlq_without_bytes="unreadable"), value=None)
    bench.add(buried(2, dlq_keyless="1"))
    operator = bench.operator()
    progress = operator.replay(operator.find(Filter()), "all", PLAN)
    assert [(record.key, record.value is None) for record in bench.journal.sent] == [(None, False)]
    assert {letter: problem.rpartition("since ")[2] for letter, problem in progress.problems.items()} == {
        "0-0": "they were too many for the dead letter queue",
        "0-1": "they were never read",
    }


def test_park_and_drop_leave_a_note_and_a_trail() -> None:
    bench = Bench(3)
    operator = bench.operator()
    assert [letter.state for letter in operator.park(["0-0", "0-1"], by="ann", reason="later")] == [
        LetterState.OPEN
    ] * 2
    [before] = operator.drop(["0-1"], by="bob", reason="a test")
    assert before.state is LetterState.PARKED, "who drops a parked letter is told that it was"
    states = {letter.letter_id: (letter.state, letter.note and letter.note.value.by) for letter in operator.find(ALL)}
    assert states == {
        "0-0": (LetterState.PARKED, "ann"),
        "0-1": (LetterState.DROPPED, "bob"),
        "0-2": (LetterState.OPEN, None),
    }
    trail = [(entry.action, entry.subject, entry.count, entry.reason) for entry in bench.journal.trail.events]
    assert trail == [
        *[("dlq.park", "0-0, 0-1", 2, "later")] * 2,
        *[("dlq.drop", "0-1", 1, "a test")] * 2,
    ]


def test_a_drop_wants_a_reason_and_a_decision_wants_letters() -> None:
    operator = Bench(1).operator()
    with pytest.raises(InvalidChoiceError, match="a reason is needed") as refused:
        operator.drop(["0-0"], by="ann", reason=" ")
    assert refused.value.field == "reason"
    with pytest.raises(InvalidChoiceError, match="no dead letter is named"):
        operator.park([], by="ann")


def test_of_two_operators_who_decide_at_once_the_second_is_told_and_changes_nothing() -> None:
    bench = Bench(2)
    ann, bob = bench.operator(), bench.operator()
    # Bob is quicker by a moment: Ann has chosen, and has not written yet.
    bench.journal.notes.meanwhile["before the step"] = lambda: bob.drop(["0-1"], by="bob", reason="a test")
    with pytest.raises(OutdatedError) as told:
        ann.park(["0-0", "0-1"], by="ann")
    assert {letter_id: note.value.by for letter_id, note in told.value.entries.items()} == {"0-1": "bob"}
    assert {letter.letter_id: letter.state for letter in ann.find(ALL)} == {
        "0-0": LetterState.OPEN,
        "0-1": LetterState.DROPPED,
    }
    acts = [(entry.by, entry.details.get("outcome")) for entry in bench.journal.trail.events]
    assert acts == [("ann", None), ("bob", None), ("bob", "done"), ("ann", "OutdatedError")]


def test_a_decision_on_a_page_of_an_hour_ago_counts_only_if_nothing_happened_since() -> None:
    bench = Bench(1)
    ann, bob = bench.operator(), bench.operator()
    [seen_open] = ann.find(ALL)
    bob.park(["0-0"], by="bob")
    with pytest.raises(OutdatedError, match="0-0"):
        ann.drop(["0-0"], by="ann", reason="a test", seen={"0-0": seen_open.seen})
    [seen_parked] = ann.find(ALL)
    ann.drop(["0-0"], by="ann", reason="a test", seen={"0-0": seen_parked.seen})
    assert ann.find(ALL)[0].state is LetterState.DROPPED


def test_a_replay_leaves_out_what_others_decided_on_since_the_letters_were_chosen() -> None:
    bench = Bench(3)
    ann, bob = bench.operator(), bench.operator()
    ann.park(["0-0"], by="ann")
    letters = ann.find(ALL)
    bob.drop(["0-0", "0-1"], by="bob", reason="a test")
    progress = ann.replay(letters, "all", Plan(by="ann", settle_s=0, again=True))
    assert (progress.replayed, progress.skipped) == (1, 2)
    assert [record.key for record in bench.journal.sent] == [b"key"]


def test_a_replay_ends_when_another_operator_takes_over() -> None:
    bench = Bench(120)
    ann, bob = bench.operator(), bench.operator()
    wishes = iter(["", "take over"])

    def wish() -> Wish:
        if next(wishes, ""):
            bob.park(["0-119"], by="bob")
        return Wish.GO

    with pytest.raises(FencedError):
        ann.replay(ann.find(Filter()), "all", PLAN, wish=wish)
    assert len(bench.journal.sent) == sum(letter.state is LetterState.REPLAYED for letter in bob.find(ALL)) == 50


def test_an_export_is_in_the_trail_with_its_bytes() -> None:
    bench = Bench(2)
    operator = bench.operator()
    with operator.export(operator.find(ALL), "all", by="ann", reason="for a post-mortem") as exported:
        assert [letter.source.value for letter in exported] == [buried(n).value for n in range(2)]
        assert bench.journal.trail.acts == [("dlq.export", "begun")]
    assert [(entry.action, entry.count, entry.reason) for entry in bench.journal.trail.events] == [
        ("dlq.export", 2, "for a post-mortem")
    ] * 2


def test_what_cannot_be_written_down_does_not_happen(tmp_path: Path) -> None:
    bench = Bench(3)
    bench.journal.trail.refuses_from = 0
    operator = bench.operator()
    letters = operator.find(ALL)
    transform = tmp_path / "mend.py"
    transform.write_text("def transform(record):\n    return record\n")
    acts: list[Callable[[], object]] = [
        lambda: operator.replay(letters, "all", PLAN),
        lambda: operator.park(["0-0"], by="ann"),
        lambda: operator.drop(["0-1"], by="ann", reason="a test"),
        lambda: operator.show("0-2"),
        lambda: next(operator.preview(letters, "all", 3, transform)),
        lambda: operator.export(letters, "all", by="ann", reason=None).__enter__(),
    ]
    for act in acts:
        with pytest.raises(OSError, match="brokers"):
            act()
    assert bench.journal.sent == []
    assert {letter.state for letter in operator.find(ALL)} == {LetterState.OPEN}


def test_of_many_letters_there_is_one_act_with_their_number() -> None:
    bench = Bench(60)
    operator = bench.operator()
    operator.park([f"0-{offset}" for offset in range(60)], by="ann")
    operator.replay(operator.find(ALL), "all", Plan(by="ann", settle_s=0, again=True))
    assert [(one.action, one.count) for one in bench.journal.trail.events] == [
        *[("dlq.park", 60)] * 2,
        *[("dlq.replay", 60)] * 2,
    ]
    assert bench.journal.trail.events[0].subject.endswith("0-19 and 40 more")


def test_a_replay_that_pauses_itself_says_why_in_the_trail() -> None:
    bench = Bench(10, ScriptedOutcomes((0, 0, 0), (1, 1, 0)))
    operator = bench.operator()
    progress = operator.replay(operator.find(Filter()), "all", Plan(by="ann", canary=2, settle_s=0))
    assert progress.phase is Phase.PAUSED
    after = bench.journal.trail.events[-1]
    assert (after.count, after.details["paused"]) == (2, progress.paused)


def test_every_action_has_its_state() -> None:
    assert {state.value for state in LetterState} == {"open", *(action.value for action in DeadLetterAction)}
