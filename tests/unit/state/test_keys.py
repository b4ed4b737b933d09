"""Different things have different keys, whatever their ids are made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.state.keys import (
    Common,
    Hashed,
    Key,
    Owned,
    Prefix,
    answer_claimed_before,
    beginning,
    digest_of,
    glob,
    owned,
    parts_of,
    plain,
)

PLAIN = [*Hashed, *Common]
IDS = st.text(alphabet="a1:|*.é\n ", max_size=6)  # what an id could be cut at, and other characters
OWNED = st.tuples(st.sampled_from(Owned), IDS, st.lists(IDS, max_size=3).map(tuple))


@st.composite
def plain_keys(draw: st.DrawFn) -> tuple[Hashed | Common, tuple[str, ...]]:
    space = draw(st.sampled_from(PLAIN))
    digests = [draw(IDS.map(lambda text: text.replace(":", ""))) for _ in range(space.count - 1)]
    return space, (*digests, draw(IDS)) if space.count else ()


@given(OWNED, OWNED)
def test_two_tenants_or_two_ids_never_share_a_key(
    one: tuple[Owned, str, tuple[str, ...]], two: tuple[Owned, str, tuple[str, ...]]
) -> None:
    keys = [owned(space, tenant, *ids) for space, tenant, ids in (one, two)]
    assert (keys[0] == keys[1]) == (one == two)


@given(plain_keys(), plain_keys())
def test_nor_do_two_digests(
    one: tuple[Hashed | Common, tuple[str, ...]], two: tuple[Hashed | Common, tuple[str, ...]]
) -> None:
    keys = [plain(space, *parts) for space, parts in (one, two)]
    assert (keys[0] == keys[1]) == (one == two)
    assert [parts_of(space, key) for (space, _), key in zip((one, two), keys, strict=True)] == [one[1], two[1]]


@given(OWNED, OWNED, st.sampled_from([":amounts", ":until", ":rows"]))
def test_what_belongs_to_an_account_is_no_other_account(
    one: tuple[Owned, str, tuple[str, ...]], two: tuple[Owned, str, tuple[str, ...]], suffix: str
) -> None:
    assert owned(one[0], one[1], *one[2]) + suffix != owned(two[0], two[1], *two[2])


@given(OWNED, plain_keys())
def test_the_two_forms_do_not_meet(
    one: tuple[Owned, str, tuple[str, ...]], two: tuple[Hashed | Common, tuple[str, ...]]
) -> None:
    assert owned(one[0], one[1], *one[2]) != plain(two[0], *two[1])


@given(st.lists(IDS, max_size=3), st.lists(IDS, max_size=3))
def test_texts_that_are_cut_elsewhere_have_another_digest(one: list[str], two: list[str]) -> None:
    assert (digest_of(*one) == digest_of(*two)) == (one == two)


def test_no_space_lies_in_another() -> None:
    heads = [space.head for space in (*Owned, *Hashed, *Common)]
    assert len(set(heads)) == len(heads)
    assert not [(one, two) for one in heads for two in heads if two.startswith((f"{one}:", f"{one}|"))]


@pytest.mark.parametrize("parts", [("a:b", "c"), ("a",), ("a", "b", "c"), ()])
def test_a_digest_has_no_colon_and_its_place(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="2 parts") as refused:
        plain(Hashed.CACHE_ENTRY, *parts)
    assert "a:b" not in str(refused.value)


def test_keys_look_as_they_are_documented_and_stored() -> None:
    """Whoever changes one of these loses what lies there: read both for as long as it lives, and say so in the docs."""
    assert owned(Owned.ANSWER_CLAIM, "acme", "r-1") == "claim:completion|4:acme|3:r-1"
    assert owned(Owned.USER_BUDGET, "a:b", "u", "day", "9") == "budget:user|3:a:b|1:u|3:day|1:9"
    assert plain(Hashed.VAULT_CONVERSATION, "ab") == "vault:c:ab"
    assert plain(Hashed.CACHE_ENTRY, "wall", "entry") == "cache:e:wall:entry"
    assert plain(Hashed.CACHE_EVIDENCE, "wall", "a:task") == "cache:c:evidence:wall:a:task"
    assert plain(Common.SCORES, "openai/m:1") == "evaluation:scores:openai/m:1"
    assert plain(Common.CACHE_EPOCHS) == "cache:epoch"
    assert digest_of("tenant", "acme") == "36d98a8df2288ad02f84"


def test_a_prefix_may_hold_what_redis_takes_for_a_pattern() -> None:
    prefix = Prefix("fb[*]?:")
    assert glob(prefix + beginning(Hashed.CACHE_ENTRY)) == "fb[[][*]][?]:cache:e:*"
    assert prefix.without("fb[*]?:cache:epoch") == plain(Common.CACHE_EPOCHS)
    assert prefix + Key("x") == "fb[*]?:x"


@pytest.mark.parametrize(
    ("tenant", "request_id", "before"),
    [
        ("acme", "r-1", "claim:acme:r-1"),
        ("a|b", "r|7:x", None),
        ("a|b", "r|7", "claim:a|b:r|7"),
        ("a:b", "c", None),
        ("a", "b:c", None),
        ("judge", "r-1", None),
    ],
)
def test_the_earlier_name_of_a_claim_is_told_where_it_was_one_tenants(
    tenant: str, request_id: str, before: str | None
) -> None:
    assert answer_claimed_before(owned(Owned.ANSWER_CLAIM, tenant, request_id)) == before
    assert answer_claimed_before(owned(Owned.JUDGE_CLAIM, tenant, request_id)) is None
