"""Pseudonyms: numbering, and restoration of whatever models make of them."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.privacy.pseudonym_variants import reserved_tags
from forebay.privacy.pseudonyms import TAG, Numbering, PseudonymMap
from forebay.privacy.restoring import Restorer, sealed_map
from forebay_agents.redaction.detection.spans import Span, resolved
from forebay_agents.redaction.pseudonymise import pseudonymise

MAP = PseudonymMap(originals={"<PERSON_1>": "Ana", "<PERSON_12>": "Zoe", "<EMAIL_ADDRESS_1>": "a@b.co"})


@pytest.mark.parametrize(
    "written",
    [
        "<PERSON_1>", "<person_1>", "<Person_1>", "<PERSON 1>", "< PERSON_1 >", "<PERSON-1>", "<PERSON1>",
        "<PERSON_01>", "[PERSON_1]", "{PERSON_1}", "{{PERSON_1}}", "[person 1]", "«PERSON_1»", "PERSON_1", "person_1",
        "Person 1", "PERSON 1", "PERSON-1", r"PERSON\_1", r"\<PERSON\_1\>", "&lt;PERSON_1&gt;", r"\u003cPERSON_1\u003e",
        "<PERSONS_1>", "<PERSON_1s>", "</PERSON_1>", "<PERSON_1/>", "%3CPERSON_1%3E",
    ],
)  # fmt: skip
def test_variants_are_restored(written: str) -> None:
    assert Restorer(MAP).restore(f"Dear {written}, hello") == "Dear Ana, hello"


@pytest.mark.parametrize(
    "written", ["<EMAIL_ADDRESS_1>", "<EMAIL ADDRESS 1>", "email_address_1", "[Email Address 1]", "<EMAIL_ADDRESS>"]
)
def test_kinds_of_two_words(written: str) -> None:
    assert Restorer(MAP).restore(f"to {written}.") == "to a@b.co."


@pytest.mark.parametrize(
    "written",
    ["person 1", "first person 1", "<PERSON_2>", "PERSON_123", "MY_PERSON_1", "person_1_name", "<PERSON>", "person",
     "<LOCATION_1>", "PERSON_1a", "PERSON_00000001"],
)  # fmt: skip
def test_what_is_not_ours_stays(written: str) -> None:
    assert Restorer(MAP).restore(f"a {written} b") == f"a {written} b"


def test_a_dropped_number_is_restored_only_when_one_value_can_be_meant() -> None:
    only = PseudonymMap(originals={"<PERSON_1>": "Ana"})
    assert Restorer(only).restore("Dear <PERSON> and [Person]") == "Dear Ana and Ana"
    assert Restorer(MAP).restore("Dear <PERSON>") == "Dear <PERSON>"


def test_plural_and_possessive_keep_their_ending() -> None:
    restore = Restorer(MAP).restore
    assert restore("<PERSON_1>'s, the <PERSON_1>s, PERSON_1s") == "Ana's, the Anas, Anas"


def test_json_stays_json() -> None:
    restorer = Restorer(PseudonymMap(originals={"<LOCATION_1>": '1 "Old" Rd\nBath'}))
    assert json.loads(restorer.restore_text('{"to": "<LOCATION_1>"}')) == {"to": '1 "Old" Rd\nBath'}
    arguments = json.dumps([{"function": {"arguments": json.dumps({"to": "[LOCATION_1]"})}}])
    restored = json.loads(restorer.restore_json(arguments))
    assert json.loads(restored[0]["function"]["arguments"]) == {"to": '1 "Old" Rd\nBath'}


def test_numbers_go_by_first_appearance_and_values_keep_theirs() -> None:
    numbering = Numbering({"<PERSON_1>": "Ana"})
    assert [numbering.tag_for("PERSON", name) for name in ("Bo", "Ana", "Bo")] == [
        "<PERSON_2>", "<PERSON_1>", "<PERSON_2>",
    ]  # fmt: skip
    assert numbering.tag_for("LOCATION", "Ana") == "<PERSON_1>"
    assert numbering.used == {"<PERSON_1>": "Ana", "<PERSON_2>": "Bo"}


def test_tags_that_the_user_types_are_never_handed_out_nor_restored() -> None:
    text = "Who is <PERSON_1>? And person-2? I am Ana."
    at = text.index("Ana")
    result = pseudonymise([text], [[Span(start=at, end=at + 3, kind="PERSON", score=1.0)]], {"<PERSON_1>": "Bob"})
    assert result.texts == ("Who is <PERSON_1>? And person-2? I am <PERSON_3>.",)
    assert Restorer(result.mapping).restore(result.texts[0]) == text
    assert "Bob" not in Restorer(result.mapping).restore("<PERSON_1> <PERSON_2>")


def test_a_known_value_gets_another_tag_when_the_user_types_its_tag() -> None:
    text = "Bob is not <PERSON_1>"
    result = pseudonymise([text], [[Span(start=0, end=3, kind="PERSON", score=1.0)]], {"<PERSON_1>": "Bob"})
    assert result.texts == ("<PERSON_2> is not <PERSON_1>",)
    assert Restorer(result.mapping).restore("<PERSON_1>, <PERSON_2>") == "<PERSON_1>, Bob"


def test_reserved_tags_see_variants() -> None:
    assert reserved_tags(["[Person 3] and PERSON_4"], ["PERSON"]) == {("PERSON", 3), ("PERSON", 4)}


_PIECES = st.sampled_from(
    ["<PERSON_1>", "PERSON_1", "<", ">", "[", "]", "1", "_", " ", "Person ", "<PERSON>", "&lt;", "\\", "Ana", "{", "s",
     "<PERSON_", "person", "LOCATION", "\n", "é", "<<", "-"]
)  # fmt: skip
_TEXT = st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=20).map("".join))


@st.composite
def _with_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    text = draw(_TEXT)
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=8))
    spans: list[Span] = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        kind = draw(st.sampled_from(["PERSON", "LOCATION", "EMAIL_ADDRESS"]))
        spans.append(Span(start=min(start, end), end=max(start, end), kind=kind, score=1.0))
    return text, resolved(spans)


@given(st.lists(_with_spans(), min_size=1, max_size=4), st.dictionaries(st.text(min_size=1, max_size=5), st.none()))
def test_restoring_is_the_inverse_of_redacting(parts: Sequence[tuple[str, list[Span]]], known: dict[str, None]) -> None:
    tags = {f"<PERSON_{number}>": value for number, value in enumerate(known, start=1)}
    texts = [text for text, _ in parts]
    result = pseudonymise(texts, [spans for _, spans in parts], tags)
    restore = Restorer(PseudonymMap.from_json(result.mapping.to_json())).restore
    assert [restore(text) for text in result.texts] == texts
    for (text, spans), redacted in zip(parts, result.texts, strict=True):
        assert bool(spans) <= (redacted != text or text == "")


WRITTEN_NEAR_TAGS = st.lists(
    st.sampled_from(["<PERSON_1>", "<PERSON_2>", "<US_SSN_1>", "<A_1_2>", "<FOO_1>", "<", "\\", "[", "&lt;", ">", "_",
                     "person", "PERSON_1", "ssn", "us", "US SSN 1", "\u017f\u017fn 1", " ", "x", "\u00e9"]),
    max_size=7,
).map("".join)  # fmt: skip
NEAR = {"<PERSON_1>": "Ann", "<PERSON_2>": "person 1", "<US_SSN_1>": "078", "<A_1>": "q", "<A_1_2>": "zz"}


@given(WRITTEN_NEAR_TAGS, st.sets(st.sampled_from(sorted(NEAR))))
def test_the_short_proof_of_restoration_is_as_strict_as_the_long_one(redacted: str, chosen: set[str]) -> None:
    originals = {tag: NEAR[tag] for tag in chosen}
    original = TAG.sub(lambda match: originals.get(match[0], match[0]), redacted)

    def restores(strict: bool) -> bool:
        return Restorer(PseudonymMap(originals=originals, strict=strict)).restore(redacted) == original

    try:
        sealed = sealed_map(originals, [(original, redacted)])
    except ValueError:
        assert not restores(False)
        assert not restores(True)
        return
    assert sealed.strict is not restores(False)
