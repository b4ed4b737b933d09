"""How a replay goes: at its rate, a few first, no further when they fail again, and as its operator wishes."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from forebay.contract import headers as h
from forebay.operations.dead_letters.letters import DeadLetter, letter_of
from forebay.operations.dead_letters.plan import Phase, Plan, Progress, Wish
from forebay.operations.dead_letters.replay import Replayer
from forebay.operations.topic_view import TopicView
from forebay.testing.stores import OPERATOR
from tests.unit.operations.dead_letters.bench import NOW_MS, Bench, ScriptedOutcomes, Time, buried
from tests.unit.operations.topic import FakeReader


def letters(count: int, **headers: str) -> list[DeadLetter]:
    return [letter_of(buried(offset, **headers)) for offset in range(count)]


class Run:
    """One replay in a time of its own; ``seen`` is what its operator was shown: seconds, phase, records sent."""

    def __init__(self, *counts: tuple[int, int, int], wishes: Iterable[Wish] = (), **plan: Any) -> None:
        self.bench, self.time = Bench(), Time()
        self.seen: list[tuple[float, Phase, int]] = []
        self._wishes = iter(wishes)
        self._plan = Plan(by="ann", **({"settle_s": 0.0} | plan))
        self._outcomes = ScriptedOutcomes(*counts, time=self.time)
        self.wish: Callable[[], Wish] = lambda: next(self._wishes, Wish.GO)

    def replay(self, chosen: list[DeadLetter]) -> Progress:
        with self.bench.journal.open() as journal:
            return Replayer(
                journal=journal,
                signer=OPERATOR,
                position=lambda _letter_id: None,
                outcomes=self._outcomes,
                plan=self._plan,
                on_progress=lambda now: self.seen.append((self.time.seconds, now.phase, now.replayed)),
                wish=self.wish,
                now_ms=lambda: NOW_MS,
                monotonic=self.time.monotonic,
            ).run(chosen)


def test_a_record_goes_back_for_the_stage_that_failed_with_a_count_of_its_replays() -> None:
    run = Run()
    progress = run.replay(letters(1, replay_count="1"))
    [record] = run.bench.journal.sent
    headers = dict(record.headers)
    assert (record.topic, record.key, record.value) == ("requests.uncached", b"key", buried(0).value)
    assert (headers[h.RETRY_STAGE], headers[h.ATTEMPT], headers[h.SUPERSEDES]) == (
        b"completion",
        b"1",
        b"retries_exhausted",
    )
    assert (headers["forebay-replay-count"], headers[h.REPLAYED_AT]) == (b"2", str(NOW_MS).encode())
    assert headers["forebay-replay-id"] == progress.replay_id.encode()
    assert not [name for name in headers if name.startswith("forebay-dlq-")]


def test_a_rate_is_kept_over_all_batches() -> None:
    run = Run(rate_per_s=10)
    run.replay(letters(20))
    first_seen = {sent: seconds for seconds, _, sent in reversed(run.seen)}
    assert {sent: round(first_seen[sent], 6) for sent in (2, 10, 20)} == {2: 0.0, 10: 0.8, 20: 1.8}


def test_without_a_rate_nothing_waits() -> None:
    run = Run()
    assert run.replay(letters(120)).replayed == 120
    assert run.time.seconds == 0


def test_a_trial_that_fails_ends_the_replay() -> None:
    run = Run((0, 0, 0), (1, 1, 0), canary=2, settle_s=5)
    progress = run.replay(letters(10))
    assert (progress.replayed, progress.phase) == (2, Phase.PAUSED)
    assert progress.paused == "only 1 of 2 canaries succeeded"
    assert {phase for _, phase, _ in run.seen} == {Phase.TRIAL, Phase.SETTLING, Phase.PAUSED}


def test_a_trial_that_succeeds_is_followed_by_the_rest() -> None:
    run = Run((0, 0, 0), (2, 0, 0), canary=2, settle_s=5)
    progress = run.replay(letters(10))
    assert (progress.replayed, progress.paused, progress.phase) == (10, "", Phase.DONE)


def test_a_replay_whose_letters_only_wait_again_pauses_itself() -> None:
    run = Run((14, 1, 5), rate_per_s=100)
    progress = run.replay(letters(60))
    assert progress.paused == "6 of 20 failed again, 5 of them wait for another try"
    assert (progress.replayed, progress.phase) == (20, Phase.PAUSED)


def test_what_was_replayed_too_often_is_parked_and_not_sent() -> None:
    run = Run(max_replays=2, reason="as planned")
    progress = run.replay([*letters(1, replay_count="2"), letter_of(buried(1))])
    assert (progress.parked, progress.replayed) == (1, 1)
    notes = TopicView(FakeReader(run.bench.journal.notes))
    notes.refresh()
    assert {note.key: note.value.reason for note in notes.entries()} == {"0-0": "max_replays", "0-1": "as planned"}


def test_a_replay_that_is_held_waits_between_batches_and_makes_nothing_up_afterwards() -> None:
    hold = [Wish.GO, Wish.GO, Wish.GO, *[Wish.HOLD] * 40]  # 40 looks of 0.25 s
    run = Run(wishes=hold, rate_per_s=10)
    progress = run.replay(letters(20))
    held = [seconds for seconds, phase, _ in run.seen if phase is Phase.HELD]
    assert max(held) - min(held) > 9
    assert len({sent for _, phase, sent in run.seen if phase is Phase.HELD}) == 1, "nothing is sent meanwhile"
    assert (progress.replayed, progress.phase) == (20, Phase.DONE)
    last = next(seconds for seconds, _, sent in run.seen if sent == 20)
    assert last == pytest.approx(1.8 + max(held) - min(held), abs=0.5)


@pytest.mark.parametrize("before", [[], [Wish.HOLD] * 3])
def test_a_replay_that_is_stopped_ends_after_its_batch_and_says_so(before: list[Wish]) -> None:
    run = Run(settle_s=60)
    run.wish = lambda: Wish.STOP if run.bench.journal.sent else before.pop() if before else Wish.GO
    progress = run.replay(letters(120))
    assert (progress.replayed, progress.phase, progress.paused) == (50, Phase.STOPPED, "stopped by an operator")
    assert run.time.seconds < 60, "who stops does not wait for outcomes"


def test_a_stop_cuts_a_slow_rate_short() -> None:
    run = Run(rate_per_s=0.01)
    run.wish = lambda: Wish.STOP if run.time.seconds > 3 else Wish.GO
    assert run.replay(letters(3)).replayed == 1
    assert run.time.seconds < 4


def test_a_trial_that_is_stopped_is_no_trial_that_failed() -> None:
    run = Run(canary=2, settle_s=60)
    run.wish = lambda: Wish.STOP if run.time.seconds > 1 else Wish.GO
    progress = run.replay(letters(10))
    assert (progress.replayed, progress.phase, progress.paused) == (2, Phase.STOPPED, "stopped by an operator")


def test_records_that_leave_no_outcome_succeed_when_they_do_not_come_back() -> None:
    run = Run(settle_s=60, silence_s=10)
    progress = run.replay(letters(4, origin_topic="usage", dlq_stage="cost"))
    assert (progress.succeeded, run.time.seconds) == (4, 10.0)


def test_a_stop_says_nothing_of_records_that_may_still_come_back() -> None:
    run = Run(settle_s=60, silence_s=10)
    run.wish = lambda: Wish.STOP if run.time.seconds > 1 else Wish.GO
    assert run.replay(letters(4, origin_topic="usage", dlq_stage="cost")).succeeded == 0
