"""A streamed answer is restored as the whole would be, however it is cut, and is not held back without a reason."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.restoring import Restorer
from forebay.privacy.stream_restoring import StreamRestorer

MAPS = [
    PseudonymMap(originals={"<PERSON_1>": "Åse Lunde", "<PERSON_11>": "Bo", "<EMAIL_ADDRESS_1>": "ase@lunde.example"}),
    PseudonymMap(originals={"<LOCATION_1>": "Ilulissat", "<US_SSN_2>": "219-09-9999"}),
    PseudonymMap(originals={"<PERSON_1>": "Åse Lunde", "<LOCATION_1>": "Ilulissat"}, strict=True),
    PseudonymMap(originals={"Anna": "Åse", "Anna Maria": "Åse Lunde", "Anna Maria Holm 7": "nobody", "#1": "Bo"}),
    PseudonymMap(),
]
_TAGS = [
    "<PERSON_1>", "<PERSON_11>", "<EMAIL_ADDRESS_1>", "<LOCATION_1>", "<US_SSN_2>", "<PERSON_3>", "PERSON_1",
    "Person 1", "person 1", "LOCATION_1", "location-1", "[location 1]", "&lt;PERSON_1&gt;", "&#60;person_1&#62;",
    "%3CPERSON_1%3E",
    "\\u003cPERSON_1\\u003e", "<<PERSON_1>>", "\\<PERSON\\_1\\>", "«Person 1»", "<person>", "{{EMAIL_ADDRESS_1}}",
    "email address 1", "EMAIL_ADDRESSES_1s", "us_ssn_2", "perſon_1", "<emaİl address 1>", "Anna", "Anna Maria",
    "Anna Maria Holm 7", "Annabel", "#1",
]  # fmt: skip
_GLUE = [
    "",
    " ",
    "\n",
    "s",
    "1",
    "_",
    "-",
    "<",
    ">",
    ".",
    "https://a.example/?q=",
    "](",
    "the person ",
    "é",
    "\u0130",
    "x",
]
TEXTS = st.lists(st.sampled_from(_TAGS + _GLUE), max_size=12).map("".join)
ODD = st.text(alphabet="<>[]&;_\\PERSONperson1 sLlOoCcAaTtIiNn-", max_size=40)


def shown(mapping: PseudonymMap, pieces: list[str]) -> list[str]:
    stream = StreamRestorer(mapping)
    return [*(stream.feed(piece) for piece in pieces), stream.close()]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(MAPS), st.one_of(TEXTS, ODD), st.lists(st.integers(0, 120), max_size=12))
@example(MAPS[0], "<EMAIL_ADDRESS_1> <emaİl address 1>", [3, 20, 24])
@example(MAPS[3], "Anna Maria Holm 6", [4, 5, 11])
@example(MAPS[1], "in LOCATION_1", [11, 12])
def test_any_way_of_cutting_gives_what_the_whole_gives(mapping: PseudonymMap, text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert "".join(shown(mapping, pieces)) == Restorer(mapping).restore_text(text)


@pytest.mark.parametrize("mapping", MAPS)
@pytest.mark.parametrize("tag", _TAGS)
def test_a_pseudonym_in_single_characters_is_restored(mapping: PseudonymMap, tag: str) -> None:
    text = f"I met {tag}, and {tag} again. {tag}"
    assert "".join(shown(mapping, list(text))) == Restorer(mapping).restore_text(text)


def test_no_beginning_of_a_pseudonym_is_ever_shown() -> None:
    seen = ""
    stream = StreamRestorer(MAPS[0])
    for sign in "Dear <PERSON_1>, hello":
        seen += stream.feed(sign)
        assert "<" not in seen
    assert seen + stream.close() == "Dear Åse Lunde, hello"


def test_what_cannot_become_a_pseudonym_is_shown_at_once() -> None:
    stream = StreamRestorer(MAPS[0])
    assert stream.feed("A week has seven days") == "A week has seven days"
    assert stream.feed(", of which two ") == ", of which two "
    assert stream.feed("persons") == "", "PERSONS_1 is written by some"
    assert stream.feed(" rest.") == "persons rest."


def test_at_most_the_length_of_a_pseudonym_is_held_back() -> None:
    stream, back = StreamRestorer(MAPS[0]), 0
    text = "The persons <whom> I met <<EMAIL_ADDRES are persons, 1 of 1 < 2 email addresses. " * 20
    for count, sign in enumerate(text, start=1):
        back += len(stream.feed(sign))
        assert count - back <= 24
