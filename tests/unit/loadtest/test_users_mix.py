"""The mix is what is written beside every figure, each seed asks the same again, and times are those of people."""

import itertools
from collections import Counter

import pytest

from loadtest.users.hits import Hits
from loadtest.users.mix import Asked, Shares, Users
from loadtest.users.prompts import CONTEXT, SYSTEM_PROMPTS


def asked(hits: Hits = Hits.MIX, *, seed: int = 5, seconds: float = 60.0, stream: str = "a") -> list[Asked]:
    return list(Users(3_000, hits=hits, seed=seed).asking(seconds, stream))


def person(users: Users, text: str) -> bool:
    return any(value in text for _, value in users.secrets)


def test_a_seed_asks_the_same_again_and_another_one_or_another_stream_does_not() -> None:
    assert asked() == asked()
    texts = [one.text for one in asked()]
    assert texts != [one.text for one in asked(seed=6)]
    assert texts != [one.text for one in asked(stream="b")]


def test_three_thousand_people_who_think_for_a_minute_ask_fifty_times_a_second_at_random_times() -> None:
    found = asked(seconds=60.0)
    assert len(found) == pytest.approx(3_000, rel=0.06)  # three standard deviations of a Poisson process
    assert [one.due_s for one in found] == sorted(one.due_s for one in found)
    gaps = [after.due_s - before.due_s for before, after in itertools.pairwise(found)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert spread / mean == pytest.approx(1.0, abs=0.1), "an even beat has 0, an exponential time 1"
    assert len({one.user for one in found}) > 1_500, "everybody asks, not a few"


def test_shares_are_those_that_stand_beside_the_figures() -> None:
    users = Users(6_000, seed=5)
    found = list(users.asking(60.0, "a"))
    assert sum(person(users, one.text) for one in found) / len(found) == pytest.approx(0.35, abs=0.03)
    assert sum(CONTEXT in one.text for one in found) / len(found) == pytest.approx(0.05, abs=0.015)
    # Of questions, not of requests: a frequent one counts once.
    assert sum(one.system is not None for one in found) / len(found) == pytest.approx(0.4, abs=0.15)
    assert {one.system for one in found if one.system} <= set(SYSTEM_PROMPTS)
    assert len({one.tenant for one in found}) == Shares().tenants
    tenants = Counter((one.user, one.tenant) for one in found)
    assert len({user for user, _ in tenants}) == len(tenants), "somebody belongs to one tenant"


def test_half_of_the_mix_is_asked_again_once_it_is_warm() -> None:
    users = Users(3_000, seed=5)
    seen: set[tuple[str, str, str | None]] = set()
    again = 0
    found = list(users.asking(40.0, "a"))[:1_600]
    for number, one in enumerate(found):
        text = one.text
        for kind, value in users.secrets:
            text = text.replace(value, kind)
        same = (one.tenant, text, one.system)
        again += same in seen and number >= 800
        seen.add(same)
    assert 0.35 < again / 800 < 0.6


def test_new_questions_are_all_new() -> None:
    found = asked(Hits.NONE)
    assert len({one.text for one in found}) > 0.999 * len(found)
    assert not {one.text for one in found} & {one.text for one in asked(Hits.NONE, stream="b")}


def test_known_questions_were_all_asked_before_by_the_same_tenant_in_the_same_form() -> None:
    users = Users(3_000, hits=Hits.ALL, seed=5)

    def plain(one: Asked) -> tuple[str, str, str | None]:
        text = one.text
        for kind, value in users.secrets:
            text = text.replace(value, kind)
        return one.tenant, text, one.system

    known = {plain(one) for one in users.known()}
    assert {plain(one) for one in users.asking(20.0, "a")} <= known


def test_a_dozen_system_prompts_of_the_lengths_that_are_said() -> None:
    assert len(set(SYSTEM_PROMPTS)) == 12
    assert all(250 <= len(prompt) <= 900 for prompt in SYSTEM_PROMPTS)
    assert len(CONTEXT) == 1_500
