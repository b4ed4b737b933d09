"""A key says which it is, hides what it is, and tells a slip from a lie."""

import re
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from forebay.trust.api_keys import KEY_ID, new_key, read_key


def test_a_key_has_a_form_that_can_be_searched_for() -> None:
    text = new_key()
    assert re.fullmatch(r"fb-[a-z2-7]{12}-[0-9A-Za-z]{49}", text)
    read = read_key(text)
    assert read is not None
    assert KEY_ID.fullmatch(read.key_id)
    assert read.secret_hash == sha256(text.split("-")[2][:43].encode()).hexdigest()
    assert new_key() != text


def test_another_secret_of_the_same_key_is_another() -> None:
    first = new_key()
    before = read_key(first)
    assert before is not None
    after = read_key(new_key(before.key_id))
    assert after is not None
    assert (after.key_id == before.key_id, after.secret_hash == before.secret_hash) == (True, False)
    assert before.matches(before.secret_hash)
    assert not before.matches(after.secret_hash)
    assert not before.matches(None)


@given(st.data())
def test_a_slip_of_one_character_is_told_without_a_look(data: st.DataObject) -> None:
    text = new_key()
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="ascii", categories=("L", "N", "P")).filter(lambda char: char != text[place]))
    assert read_key(text[:place] + other + text[place + 1 :]) is None


@given(st.text())
def test_other_texts_are_no_keys(text: str) -> None:
    assert read_key(text) is None
