"""What is left to do, and since when, from offsets and the times of first records?"""

import sys

import pytest

from forebay import cli
from forebay.contract.names import topic_on_broker
from forebay.kafka import lag
from forebay.kafka.group_offsets import Offsets, topic_sizes
from forebay.kafka.lag import Sightings, Waiting, by_topic, waiting
from forebay.kafka.queries import BrokerUnavailableError, Place
from forebay.settings import KafkaSettings, Settings

NOW = 1_700_000_000_000
USAGE: Place = ("fb.usage", 0)


def unfinished(offsets: Offsets, prefix: str) -> dict[str, dict[str, int]]:
    found = by_topic(waiting(offsets, {}, NOW), prefix)
    return {stage: {topic: one.records for topic, one in topics.items()} for stage, topics in found.items()}


def left(at: int | None, first: int = 0, end: int = 10, topic: str = "fb.completions") -> dict[str, dict[str, int]]:
    place: Place = (topic, 0)
    return unfinished(Offsets(first={place: first}, end={place: end}, finished={"fb.cost": {place: at}}), "fb.")


@pytest.mark.parametrize(
    ("at", "first", "expected"),
    [
        (4, 0, 6),
        (10, 0, 0),
        (None, 0, 10),  # read, but nothing finished yet
        (None, 7, 3),
        (2, 7, 3),  # what expired is nobody's work any more
        (12, 0, 10),  # the topic was made anew, or its log was cut: nothing in it counts as finished
    ],
)
def test_what_is_behind_a_group_is_not_its_work(at: int | None, first: int, expected: int) -> None:
    assert left(at, first) == {"cost": {"completions": expected}}


def seen(at: int, written: int | None, *, end: int = 10, now: int = NOW, by: Sightings | None = None) -> Waiting:
    """What a group at offset ``at`` has not finished, whose first record was written at ``written``."""
    offsets = Offsets(first={USAGE: 0}, end={USAGE: end}, finished={"fb.cost": {USAGE: at}})
    return waiting(offsets, {USAGE: {at: written}}, now, by)["fb.cost"][USAGE]


def test_the_oldest_unfinished_record_says_since_when() -> None:
    assert seen(4, NOW - 2_500) == Waiting(records=6, seconds=2.5)


def test_markers_of_transactions_are_no_lag() -> None:
    assert seen(8, None) == Waiting()


@pytest.mark.parametrize("written", [0, NOW + 86_400_000], ids=["unknown", "of tomorrow"])
def test_a_record_whose_time_says_nothing_waits_since_it_was_first_seen(written: int) -> None:
    looks = Sightings()
    assert seen(4, written, by=looks).seconds == 0
    assert seen(4, written, now=NOW + 7_000, by=looks).seconds == 7
    assert seen(5, written, now=NOW + 8_000, by=looks).seconds == 0, "another one waits now"
    assert seen(10, written, now=NOW + 9_000, by=looks) == Waiting()
    assert seen(10, written, end=11, now=NOW + 9_500, by=looks).seconds == 0, "it was idle between"


def test_of_a_topics_partitions_the_worst_counts() -> None:
    places: list[Place] = [("fb.usage", 0), ("fb.usage", 1)]
    offsets = Offsets(first={}, end=dict.fromkeys(places, 5), finished={"fb.cost": dict.fromkeys(places, 3)})
    found = waiting(offsets, {places[0]: {3: NOW - 9_000}, places[1]: {3: NOW - 4_000}}, NOW)
    assert by_topic(found, "fb.") == {"cost": {"usage": Waiting(records=4, seconds=9.0)}}


def test_a_tables_own_topic_is_no_work() -> None:
    assert left(0, topic="fb.cost-attempts-changelog") == {"cost": {}}


def test_a_topic_that_is_gone_is_no_work() -> None:
    offsets = Offsets(first={}, end={}, finished={"fb.cost": {("fb.usage", 0): 3}})
    assert unfinished(offsets, "fb.") == {"cost": {}}


def test_a_stage_keeps_its_name_when_its_groups_are_made_afresh() -> None:
    from faust import App

    settings = Settings({"stage": {"version": 2}})
    kafka = settings[KafkaSettings]
    groups = lag.stage_groups(settings)
    assert App(topic_on_broker("cost", kafka), version=2).conf.id in groups
    finished = {group: {("fb.usage", 0): 3} for group in groups}
    found = unfinished(Offsets(first={}, end={("fb.usage", 0): 5}, finished=finished), kafka.topic_prefix)
    assert found["cost"] == {"fb.usage": 2}


def test_partitions_of_a_topic_count_together() -> None:
    ends: dict[Place, int] = {("fb.usage", 0): 5, ("fb.usage", 1): 7, ("fb.spend", 0): 1}
    offsets = Offsets(first={}, end=ends, finished={"fb.cost": {("fb.usage", 0): 5, ("fb.usage", 1): 3}})
    assert unfinished(offsets, "fb.") == {"cost": {"usage": 4}}
    assert topic_sizes(offsets, "fb.") == {
        "spend": {"partitions": 1, "records": 1},
        "usage": {"partitions": 2, "records": 12},
    }


@pytest.mark.parametrize(
    ("looks", "idle"),
    [
        ([{"cost": {"usage": 2}}, {"cost": {"usage": 0}}, {}], True),
        ([{}, {"cost": {"usage": 1}}, {}, {"cost": {"usage": 0}}], True),  # between two stages a record is in no lag
        ([{"cost": {"usage": 1}}], False),
    ],
)
def test_idle_is_twice_without_work(monkeypatch: pytest.MonkeyPatch, looks: list[lag.Lag], idle: bool) -> None:
    asked = list(looks)
    monkeypatch.setattr(lag, "consumer_lag", lambda _settings: asked.pop(0) if len(asked) > 1 or idle else asked[0])
    monkeypatch.setattr(lag, "_POLL_S", 0.001)
    assert lag.wait_until_idle(Settings({}), timeout_s=30 if idle else 0.02) is idle
    assert bool(asked) is not idle


def test_an_unreachable_broker_is_one_line_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(**_: object) -> None:
        raise BrokerUnavailableError("no broker answers at nowhere:1; start one with `forebay up`")

    monkeypatch.setattr(sys.modules["forebay.cli.main"], "_forebay", unreachable)
    with pytest.raises(SystemExit) as ended:
        cli.main(["tail", "completions"])
    assert ended.value.code == 1
    assert capsys.readouterr().err == "forebay: no broker answers at nowhere:1; start one with `forebay up`\n"
