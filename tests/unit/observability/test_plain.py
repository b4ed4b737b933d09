"""Is a text that people are shown nothing but text? Whoever wrote it, and on whatever terminal, log or pager."""

import json
import sys
import unicodedata

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.records import Alert
from forebay.observability.plain import json_shown, shown

TEXTS = st.text(st.characters(codec=None), max_size=60)


def steers(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def test_the_characters_that_steer_and_no_others_become_escapes() -> None:
    every = [char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) != "Cn"]
    seen = [char.encode("unicode_escape").decode() if steers(char) else char for char in every]
    assert shown("a".join(every)).split("a") == "a".join(seen).split("a")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b]8;;http://x.example\x07here\x1b]8;;\x07", r"\x1b]8;;http://x.example\x07here\x1b]8;;\x07"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("one\ttwo\r\nthree", r"one\ttwo\r\nthree"),
        ("\x9b2J \x7f \ufeff \u2028", r"\x9b2J \x7f \ufeff \u2028"),
        ("half \ud83d", r"half \ud83d"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("[bold]no markup[/bold] :smile:", "[bold]no markup[/bold] :smile:"),
        ("Grüße, 東京, שָׁלוֹם, 👍🏽", "Grüße, 東京, שָׁלוֹם, 👍🏽"),
    ],
)
def test_how_it_is_seen(text: str, seen: str) -> None:
    assert shown(text) == seen


def test_only_line_feeds_of_texts_of_several_lines_stay() -> None:
    assert shown("a\nb\tc\x0bd", lines=True) == "a\nb\\tc\\x0bd"


def test_marks_pile_up_no_higher_than_any_language_needs() -> None:
    piled = shown("Z" + "\u0335" * 500 + "a")
    assert piled.startswith("Z" + "\u0335" * 6 + r"\u0335")
    assert piled.count("\u0335") == 6


@given(TEXTS)
def test_what_was_shown_is_shown_as_it_is(text: str) -> None:
    once = shown(text)
    assert shown(once) == once
    assert not any(map(steers, once))


@given(TEXTS, st.booleans())
def test_json_says_exactly_the_same(text: str, ascii_only: bool) -> None:
    written = json_shown(json.dumps({text: [text]}, ensure_ascii=ascii_only))
    assert not any(map(steers, written))
    assert json.loads(written) == {text: [text]}


@given(st.text(max_size=60))
def test_so_it_does_when_indented(text: str) -> None:
    written = json_shown(orjson.dumps({"t": text}, option=orjson.OPT_INDENT_2).decode())
    assert written.count("\n") == 2
    assert json.loads(written) == {"t": text}


def test_alerts_are_plain_from_the_beginning() -> None:
    alert = Alert(subject="m\x1b[2J", message="why\n\u202eyhw\u2066")
    assert (alert.subject, alert.message) == (r"m\x1b[2J", "why\n\\u202eyhw\\u2066")
