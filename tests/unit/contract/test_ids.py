"""Ids: which are plain, and as what the others travel."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.ids import LONGEST, LONGEST_RETURNED, for_header, id_fault, plain_id, refused_id, returned_id
from forebay.contract.records import Request

ODD = ["", " ", "a b", "a\tb", "a\nb", "a\0b", "a\x7fb", "a\x85b", "a|b", "\u202ea", "a\u200db", "a\u2028b", "\ud800",
       "\ufdd0", "a\u00adb", "a\ufeffb", "a\ue000b", "a\u3000b", "\uff41cme", "\ufb01nance", "acme\u00b2",
       "cafe\u0301", "i" * (LONGEST + 1), "i" * 10_000]  # fmt: skip
PLAIN = [
    "r-1",
    "a:b/c?d=e&f#g%20",
    "日本語",
    "straße",
    "🦉1795",
    "..",
    "../../etc",
    "';DROP",
    "caf\u00e9",
    "i" * LONGEST,
]


@pytest.mark.parametrize("text", PLAIN)
def test_letters_of_all_scripts_signs_and_emoji_are_plain(text: str) -> None:
    assert plain_id(text)
    assert id_fault(Request(request_id=text, tenant_id=text, user_id=text, conversation_id=text)) is None
    assert returned_id(text) == text


@pytest.mark.parametrize("text", ODD)
def test_what_breaks_lines_hides_or_joins_is_not(text: str) -> None:
    assert not plain_id(text)
    for name in ("request_id", "tenant_id", "user_id", "conversation_id"):
        ids = {"request_id": "r", "tenant_id": "t", "user_id": "u"} | {name: text}
        fault = id_fault(Request(**ids))  # type: ignore[arg-type]  # one of its ids
        assert fault == f"{name} must be 1 to 128 printable characters without blanks or |, as Unicode's NFKC has them"


@given(st.text(min_size=1) | st.sampled_from(ODD[1:]) | st.text(min_size=600, max_size=2_000))
def test_a_refusal_comes_back_under_the_id_or_a_digest_of_it(sent: str) -> None:
    long = len(sent.encode("utf-8", "surrogatepass")) > LONGEST_RETURNED
    assert returned_id(sent) == (refused_id(sent) if long else sent)
    assert plain_id(refused_id(sent))
    assert sent not in refused_id(sent) or len(sent) < 10


def test_other_ids_have_other_digests() -> None:
    assert refused_id("a\n") == refused_id("a\n") != refused_id("a\0")


@given(st.text(max_size=400))
def test_in_a_header_an_id_is_printable_ascii_and_no_two_are_one(text: str) -> None:
    header = for_header(text)
    assert re.fullmatch(r"[!-~]*", header)
    assert len(header) <= 512
    if re.fullmatch(r"[!-$&-~]*", text) and len(text) <= 512:
        assert header == text, "as before"


@given(st.text(max_size=60), st.text(max_size=60))
def test_two_ids_are_two_headers(one: str, other: str) -> None:
    assert (for_header(one) == for_header(other)) == (one == other)


@pytest.mark.parametrize("category", ["Cc", "Cf", "Co", "Cs", "Zs", "Zl", "Zp"])
def test_no_character_of_these_categories_is_in_a_plain_id(category: str) -> None:
    found = [char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) == category]
    assert not [hex(ord(char)) for char in found if plain_id(f"a{char}b")]


@given(st.text(min_size=1, max_size=20))
def test_two_plain_ids_are_two_for_who_normalises_them(text: str) -> None:
    assert not plain_id(text) or unicodedata.normalize("NFKC", text) == text
