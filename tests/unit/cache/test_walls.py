"""No answer crosses a wall: whoever asks, only those whom the wall encloses are given what was kept."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given, settings
from hypothesis import strategies as st

from forebay.contract.records import Completion
from forebay_agents.cache.settings import CacheSettings
from forebay_agents.cache.store.address import address_of, tenant_wall, wall_of
from forebay_agents.cache.store.memory import MemoryStore
from tests.unit.cache.conftest import CONTEXT, Bench
from tests.unit.cache.memory import completion, request, scoped

_people = st.sampled_from([(t, u) for t in ("t1", "t2", "t12", "") for u in ("u1", "u2", "2u1", "")])
_scopes = st.sampled_from([None, "user", "tenant", "global", "everyone"])
_words = st.permutations(["how", "reset", "password"]).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(_people, _scopes, _words, st.booleans()), min_size=2, max_size=12),
    st.sampled_from(["user", "tenant"]),
    st.sets(st.sampled_from(["t1", "t2"])),
)
def test_every_answer_given_was_kept_inside_the_askers_wall(
    steps: list[tuple[tuple[str, str], str | None, str, bool]], scope: str, opted_in: set[str]
) -> None:
    async def run() -> None:
        with ThreadPoolExecutor(1) as executor:
            worker = Bench(store=MemoryStore(), executor=executor).worker(
                scope=scope, global_tenants=tuple(opted_in), share_after_users_global=1
            )
            for (tenant, user), asked_scope, text, keeps in steps:
                asked = scoped(text, asked_scope, tenant=tenant, user=user)
                if keeps:
                    await worker.keep(completion(asked, f"{tenant}|{user}|{asked_scope}"), CONTEXT)
                    continue
                outputs = await worker.answer(asked, CONTEXT)
                if outputs[0].topic != "completions":
                    continue
                assert isinstance(outputs[0].value, Completion)
                author_tenant, author_user, author_scope = outputs[0].value.content.split("|")
                both_global = "global" == asked_scope == author_scope and {tenant, author_tenant} <= opted_in
                assert author_tenant == tenant or both_global
                if not both_global and (scope == "user" or "user" in (asked_scope, author_scope)):
                    assert author_user == user

    asyncio.run(run())


def test_walls_of_similar_names_differ() -> None:
    own = CacheSettings(scope="user")
    walls = {
        wall_of(scoped("q", None, tenant=tenant, user=user), own)
        for tenant, user in [("a", "bc"), ("ab", "c"), ("abc", ""), ("", "abc"), ("a:b", "c"), ("a", "b:c")]
    }
    assert len(walls) == 6


def test_a_tenants_walls_begin_with_the_tenants_own() -> None:
    wall = wall_of(scoped("q", "user", tenant="t"), CacheSettings())
    assert wall.startswith(tenant_wall("t"))


def test_everything_but_the_last_turn_separates_partitions() -> None:
    own = CacheSettings()

    def partition(**more: object) -> str | None:
        return address_of(scoped("q", None, **more), own, epoch="0", encoder="e").partition

    base = partition()
    others = [
        partition(task="x"), partition(language="de"), partition(tier="large"), partition(tools="[]"),
        partition(response_format='{"type":"json_object"}'), partition(tenant="y"),
    ]  # fmt: skip
    assert len({base, *others}) == 7
    assert base != address_of(scoped("q", None), own, epoch="1", encoder="e").partition
    assert base != address_of(scoped("q", None), own, epoch="0", encoder="f").partition
    assert base == address_of(scoped("another", None), own, epoch="0", encoder="e").partition


async def test_an_answer_about_a_hidden_value_is_given_for_the_same_value_alone(bench: Bench) -> None:
    worker = bench.worker()
    place = "What time is it in <LOCATION_1>?"
    await worker.keep(completion(request(place, asked="lima"), "Noon."), CONTEXT)
    for other, hit in (("lima", True), ("quito", False), ("", False)):
        for text in (place, "in <LOCATION_1>? What time is it"):  # the same prompt, and the same words
            [output, *_] = await worker.answer(request(text, request_id="r2", user="v", asked=other), CONTEXT)
            assert (output.topic == "completions") is hit, (text, other)


async def test_questions_that_ask_no_fact_of_a_value_meet_as_before(bench: Bench) -> None:
    worker = bench.worker()
    await worker.keep(completion(request("I am <PERSON_1>, how do I reset my PIN?"), "So."), CONTEXT)
    again = request("I am <PERSON_7>, how do I reset my PIN?", request_id="r2", user="v")
    assert (await worker.answer(again, CONTEXT))[0].topic == "completions"
