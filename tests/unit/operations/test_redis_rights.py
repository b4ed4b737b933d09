"""Who may do what in Redis: each stage its own keys and commands, and nobody the server."""

import fnmatch
import re

import pytest
from typer.testing import CliRunner

from forebay.cli.rights import app
from forebay.operations.redis_rights import OPERATOR, RedisUser, acl_line, both, redis_users
from forebay.operations.rights import declared
from forebay.state.keys import Common, Hashed, Owned, owned, plain

PREFIX = "acme:"
STATE, CACHE = redis_users(PREFIX, cache=False), redis_users(PREFIX, cache=True)


def reaches(user: RedisUser, key: str) -> bool:
    return any(fnmatch.fnmatchcase(PREFIX + key, pattern.replace("[^", "[!")) for pattern in user.keys)


def those_who_reach(key: str) -> set[str]:
    return {user.user for user in both(STATE, CACHE) if reaches(user, key)} - {OPERATOR}


VAULT = [space for space in Hashed if space.name.startswith("VAULT")]


def test_every_stage_but_the_scheduler_has_a_user_for_replays() -> None:
    users = {user.user for user in STATE if reaches(user, plain(Common.REPLAY, "x"))}
    assert users == {*declared(), OPERATOR} - {"retry"}


@pytest.mark.parametrize("space", VAULT)
def test_what_pseudonyms_stand_for_is_for_two_stages_and_the_door(space: Hashed) -> None:
    assert those_who_reach(plain(space, "x")) <= {"redaction", "response", "door"}


@pytest.mark.parametrize("space", [*Owned, *Hashed, *Common], ids=lambda space: space.name)
def test_every_space_is_somebodys(space: Owned | Hashed | Common) -> None:
    key = owned(space, "a", "b") if isinstance(space, Owned) else plain(space, *["x"] * space.count)
    assert those_who_reach(key)


@pytest.mark.parametrize("tenant", ["acme", "j", "judg", "judgement", "juno", "completion"])
def test_claims_of_before_are_for_whoever_has_those_of_now(tenant: str) -> None:
    assert those_who_reach(f"claim:{tenant}:r-1") == {"completion"}
    assert those_who_reach("claim:judge:r-1") == {"evaluation"}


def test_spaces_that_begin_alike_are_not_confused() -> None:
    assert those_who_reach(owned(Owned.ANSWER_CLAIM, "a")) == {"completion"}
    assert those_who_reach(owned(Owned.JUDGE_CLAIM, "a")) == {"evaluation"}
    assert those_who_reach("budget:tenants|1:a") == set()
    assert those_who_reach("vault:peppers") == set()


def test_nobody_gets_a_command_that_takes_the_server_away() -> None:
    dangerous = {"flushall", "flushdb", "keys", "config", "shutdown", "debug", "acl", "monitor", "replicaof", "migrate"}
    for user in both(STATE, CACHE):
        assert not dangerous & set(user.commands)
        assert "@all" not in user.commands


def test_a_user_as_a_line_begins_with_nothing_and_takes_danger_out_of_groups() -> None:
    [operator] = [user for user in STATE if user.user == OPERATOR]
    line = acl_line(operator)
    assert line.startswith("ACL SETUSER operator reset on >PASSWORD ~acme:* +@read +@write +@scripting -@dangerous +")
    [review] = [user for user in STATE if user.user == "review"]
    assert "dangerous" not in acl_line(review)


def test_a_prefix_is_no_pattern() -> None:
    [review] = [user for user in redis_users("a*[x]:", cache=False) if user.user == "review"]
    assert all(key.startswith("a[*][[]x]:") for key in review.keys)


def test_the_command_prints_both_where_one_redis_is_both() -> None:
    def users(*options: str) -> list[str]:
        done = CliRunner().invoke(app, list(options), catch_exceptions=False)
        return re.findall(r"SETUSER (\S+)", done.stdout)

    assert users("--redis-cache") == ["cache", OPERATOR]
    assert set(users("--redis")) == {*declared(), "door", OPERATOR} - {"retry"}
    done = CliRunner().invoke(app, ["cache", "--redis"], catch_exceptions=False)
    assert "~forebay:cache:e:*" in done.stdout
