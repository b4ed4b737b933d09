"""A live answer goes on exactly as it began, ends as its record does, and never mixes two answers."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.client.pieces import Ended, HeardPieces, LiveAnswer, RestartedError
from forebay.contract.failures import Permanent
from forebay.contract.records import Delta, Request
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.restoring import Restorer
from forebay.privacy.vault import Owner

MAP = PseudonymMap(originals={"<PERSON_1>": "Åse Lunde", "<URL_1>": "https://lunde.example/x"})
NOTHING = PseudonymMap()
WRITTEN = "Dear <PERSON_1>, the house has seven rooms. Yours, PERSON_1's clerk."
WHOLE = "Dear Åse Lunde, the house has seven rooms. Yours, Åse Lunde's clerk."


def pieces(text: str, cuts: Iterable[int], attempt: str = "a-1") -> list[Delta]:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    return [Delta(attempt_id=attempt, at=start, text=text[start:end]) for start, end in pairwise(places)]


def said(live: LiveAnswer, given: Iterable[Delta], mapping: PseudonymMap = MAP) -> str:
    return "".join(live.add(piece, mapping) for piece in given)


CUTS = st.lists(st.integers(1, 70), max_size=10)


@given(CUTS)
def test_pieces_and_the_rest_of_the_record_are_the_record(cuts: list[int]) -> None:
    live = LiveAnswer()
    shown = said(live, pieces(WRITTEN, cuts))
    assert WHOLE.startswith(shown)
    assert len(shown) >= len("Dear Åse Lunde, the house has seven rooms. Yours,")
    assert shown + live.finish(WHOLE) == WHOLE


@given(CUTS, st.sets(st.integers(0, 10)))
def test_a_lost_piece_ends_the_live_part_alone(cuts: list[int], lost: set[int]) -> None:
    live = LiveAnswer()
    shown = said(live, [piece for place, piece in enumerate(pieces(WRITTEN, cuts)) if place not in lost])
    assert shown + live.finish(WHOLE) == WHOLE


@given(CUTS, st.integers(0, 70), CUTS)
def test_a_second_call_that_says_the_same_goes_on(cuts: list[int], died: int, again: list[int]) -> None:
    live = LiveAnswer()
    first = [piece for piece in pieces(WRITTEN, cuts) if piece.at < died]
    shown = said(live, first) + said(live, pieces(WRITTEN, again, "a-2"))
    assert live.ended is None
    assert len(shown) >= len("Dear Åse Lunde, the house has seven rooms. Yours,")
    assert shown + live.finish(WHOLE) == WHOLE


@given(CUTS, st.integers(1, 60), CUTS)
def test_a_second_call_that_says_something_else_is_told_and_never_mixed(
    cuts: list[int], died: int, again: list[int]
) -> None:
    live, other = LiveAnswer(), "Dear <PERSON_1>, the flat is small, and it has no rooms at all to speak of."
    shown = said(live, [piece for piece in pieces(WRITTEN, cuts) if piece.at < died])
    restarted = False
    try:
        shown += said(live, pieces(other, again, "a-2"))
        shown += live.finish(Restorer(MAP).restore_text(other))
    except RestartedError:
        restarted = True
    if restarted:
        assert WHOLE.startswith(shown)
    else:
        assert shown == Restorer(MAP).restore_text(other), "so little was shown that both begin with it"


def test_what_an_older_call_still_writes_is_passed_by() -> None:
    live = LiveAnswer()
    old, new = pieces(WRITTEN, [10, 20, 30], "a-1"), pieces(WRITTEN, [15], "a-2")
    shown = said(live, [old[0], new[0], old[1], old[2], new[1], old[3]])
    assert shown + live.finish(WHOLE) == WHOLE


def test_a_repeated_piece_is_shown_once() -> None:
    live = LiveAnswer()
    first, second = pieces("One two.", [4])
    assert said(live, [first, first, second, first, second], NOTHING) == "One two."


def test_a_second_call_of_which_the_beginning_is_lost_is_not_followed() -> None:
    live = LiveAnswer()
    assert said(live, [*pieces("One", []), *pieces("One two.", [4], "a-2")[1:]], NOTHING) == "One"
    assert live.finish("One two.") == " two."


def test_a_record_that_says_something_else_is_told() -> None:
    live = LiveAnswer()
    said(live, pieces("One two", []), NOTHING)
    with pytest.raises(RestartedError):
        live.finish("One, two, three.")


def test_without_pieces_the_record_is_all() -> None:
    assert LiveAnswer().finish(WHOLE) == WHOLE


@pytest.mark.parametrize("text", ['{"name": "<PERSON_1>"}', '  \n[ "<PERSON_1>" ]', "[see](x)"])
def test_what_begins_as_json_does_waits_for_the_record_where_originals_may_need_escapes(text: str) -> None:
    live = LiveAnswer()
    shown = said(live, pieces(text, [1, 3, 5, 9]))
    assert shown.strip() == ""
    whole = Restorer(MAP).restore_text(text)
    assert shown + live.finish(whole) == whole
    assert said(LiveAnswer(), pieces(text, [1, 3, 5, 9]), NOTHING) == text


def test_an_address_with_a_pseudonym_waits_for_the_record_which_knows_whose_it_is() -> None:
    own = "See https://lunde.example/of/<PERSON_1> please."
    text = f"Yes. {own} Good."
    live = LiveAnswer()
    shown = said(live, pieces(text, range(0, 60, 4)))
    whole = Restorer(MAP, [own]).restore_text(text)
    assert whole == "Yes. See https://lunde.example/of/%C3%85se%20Lunde please. Good."
    assert live.ended is Ended.ADDRESS
    assert shown.startswith("Yes. See https://lunde.example/of/")
    assert shown + live.finish(whole) == whole


def test_nothing_is_shown_after_a_stop() -> None:
    live = LiveAnswer()
    live.stop(Ended.NO_MAPPING)
    assert said(live, pieces(WRITTEN, [])) == ""
    assert live.finish(WHOLE) == WHOLE


ASKED = Request(request_id="r-1", tenant_id="acme", user_id="ann@acme.example")
OWNER = Owner(tenant_id="acme", user_id="u_ann")


class Maps:
    """A vault that opens for one request of one owner, when it is told to."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.asked = 0

    async def load(self, ref: str, owner: Owner, request_id: str) -> PseudonymMap:
        self.asked += 1
        await self.open.wait()
        if (ref, owner, request_id) != ("v-1", OWNER, "r-1"):
            raise Permanent("vault_mismatch", "another's")
        return MAP


class Door:
    def __init__(self) -> None:
        self.maps, self.ended = Maps(), list[str]()
        self.pieces = HeardPieces(3, self.maps, self.ended.append)

    async def hears(self, *pieces: Delta, request_id: str = "r-1") -> None:
        self.pieces.arrived([(request_id, piece) for piece in pieces])
        for _ in range(4):
            await asyncio.sleep(0)


def sealed(text: str, cuts: Iterable[int], attempt: str = "a-1", **other: str) -> list[Delta]:
    named = {"user_id": "u_ann", "vault_ref": "v-1"} | other
    return [replace(piece, **named) for piece in pieces(text, cuts, attempt)]  # type: ignore[arg-type]  # by name


class TestFollowing:
    async def test_pieces_wait_for_the_mapping_and_keep_their_order(self) -> None:
        door, heard = Door(), list[str]()
        door.pieces.follow(ASKED, heard.append)
        first, *others = sealed(WRITTEN, [8, 20, 40])
        await door.hears(first)
        await door.hears(*others)
        assert heard == []
        door.maps.open.set()
        await door.hears()
        assert WHOLE.startswith("".join(heard))
        assert "".join(heard).startswith("Dear Åse Lunde, the house has seven rooms.")
        assert door.maps.asked == 1

    @pytest.mark.parametrize("other", [{"user_id": "u_bob"}, {"vault_ref": "v-2"}])
    async def test_of_a_piece_that_names_what_is_anothers_nothing_is_shown(self, other: dict[str, str]) -> None:
        door, heard = Door(), list[str]()
        door.maps.open.set()
        door.pieces.follow(ASKED, heard.append)
        await door.hears(*sealed(WRITTEN, [8, 20], **other))
        assert (heard, door.ended) == ([], ["no_mapping"])

    async def test_who_comes_later_hears_what_was_there_before(self) -> None:
        door, first, second = Door(), list[str](), list[str]()
        door.maps.open.set()
        door.pieces.follow(ASKED, first.append)
        begun, *others = sealed(WRITTEN, [30])
        await door.hears(begun)
        door.pieces.follow(ASKED, second.append)
        await door.hears(*others)
        assert "".join(first) == "".join(second) != ""

    async def test_who_left_hears_nothing_and_what_nobody_follows_is_not_wanted(self) -> None:
        door, heard = Door(), list[str]()
        leave = door.pieces.follow(ASKED, heard.append)
        assert (door.pieces.wanted("r-1"), door.pieces.wanted("r-2")) == (True, False)
        await door.hears(sealed(WRITTEN, [])[0])
        leave()
        leave()
        door.maps.open.set()
        await door.hears(*sealed(WRITTEN, []))
        assert (heard, door.pieces.wanted("r-1")) == ([], False)

    async def test_after_another_answer_nothing_more_is_heard(self) -> None:
        door, heard = Door(), list[str]()
        door.maps.open.set()
        door.pieces.follow(ASKED, heard.append)
        await door.hears(*sealed(WRITTEN, [30]), *sealed("Dear nobody, no.", [3], "a-2"))
        assert WHOLE.startswith("".join(heard))
        assert door.ended == ["restarted"]
