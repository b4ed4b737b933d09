"""Ids on their way from the request to its response: nobody between reads them, nobody else gets them."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract import headers as h
from forebay.contract.records import Request
from forebay.privacy.people.names import NOBODY, Names
from forebay.privacy.people.travelling import Ids, Named, TravellingIds
from forebay.privacy.sealing import Keyring
from forebay.testing import KEYRING

NAMES = Names(b"\2" * 32)
IDS = TravellingIds(KEYRING, NAMES)
ASKED = Request(request_id="r-1", tenant_id="acme", user_id="ann.lee@example.com", conversation_id="Ann Lee's bill")


def back(named: Named, **changes: str | None) -> Ids:
    told = {"tenant_id": "acme", "request_id": "r-1", "user_id": named.request.user_id}
    asked = told | {"conversation_id": named.request.conversation_id} | changes
    called = Ids(user_id=asked["user_id"] or "", conversation_id=asked["conversation_id"])
    return IDS.put_back(named.headers, asked["tenant_id"] or "", asked["request_id"] or "", called)


def test_what_is_taken_off_comes_back() -> None:
    named = IDS.taken_off(ASKED, "r-1")
    assert named.request == replace(
        ASKED,
        user_id=NAMES.user("acme", ASKED.user_id),
        conversation_id=NAMES.conversation("acme", "Ann Lee's bill"),
    )
    sealed = base64.b64decode(named.headers[h.IDS])
    assert b"ann.lee" not in sealed
    assert back(named) == Ids(user_id=ASKED.user_id, conversation_id="Ann Lee's bill")


@given(st.text(min_size=1, max_size=30), st.none() | st.text(max_size=30))
def test_any_ids_come_back(user: str, conversation: str | None) -> None:
    named = IDS.taken_off(replace(ASKED, user_id=user, conversation_id=conversation), "r-1")
    assert back(named) == Ids(user_id=user, conversation_id=conversation)


@pytest.mark.parametrize(
    "changes",
    [{"request_id": "r-2"}, {"tenant_id": "globex"}, {"user_id": NAMES.user("acme", "bo")}, {"user_id": "bo"}],
    ids=str,
)
def test_on_anothers_answer_they_give_nothing_away(changes: dict[str, str | None]) -> None:
    named = IDS.taken_off(ASKED, "r-1")
    given = back(named, **changes)
    assert given.user_id == changes.get("user_id", named.request.user_id)
    assert given.conversation_id == named.request.conversation_id


def test_a_conversation_that_another_wrote_into_the_completion_is_not_called_like_the_askers() -> None:
    other = NAMES.conversation("acme", "another")
    given = back(IDS.taken_off(ASKED, "r-1"), conversation_id=other)
    assert given == Ids(user_id=ASKED.user_id, conversation_id=other)


def test_a_failure_that_lost_its_request_brings_both_back() -> None:
    given = back(IDS.taken_off(ASKED, "r-1"), conversation_id=None)
    assert given == Ids(user_id=ASKED.user_id, conversation_id=ASKED.conversation_id)


@pytest.mark.parametrize("header", [b"", b"x", base64.b64encode(b"made up"), b"\xff"])
def test_a_header_that_somebody_made_up_changes_nothing(header: bytes) -> None:
    called = Ids(user_id="u", conversation_id="c")
    assert IDS.put_back({h.IDS: header}, "acme", "r-1", called) == called


def test_who_is_nobody_has_nothing_to_bring_back() -> None:
    asked = Request(request_id="r-1", user_id=NOBODY)
    assert IDS.taken_off(asked, "r-1") == Named(request=asked, headers={})


def test_switched_off_nothing_is_taken_and_what_travels_still_comes_back() -> None:
    off = TravellingIds(KEYRING, NAMES, pseudonymise=False)
    assert off.taken_off(ASKED, "r-1") == Named(request=ASKED, headers={})
    named = IDS.taken_off(ASKED, "r-1")
    called = Ids(user_id=named.request.user_id, conversation_id=named.request.conversation_id)
    assert off.put_back(named.headers, "acme", "r-1", called).user_id == ASKED.user_id


def test_another_installations_seal_is_not_opened() -> None:
    named = TravellingIds(Keyring({"test": b"\7" * 32}), NAMES).taken_off(ASKED, "r-1")
    assert back(named).user_id == named.request.user_id
