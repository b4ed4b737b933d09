"""Input that was made to get past redaction, to slow it down, or to break it."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from forebay.contract.failures import Permanent, Rejected
from forebay.observability.metrics import Metrics
from forebay.privacy.egress import EgressGuard
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.restoring import Restorer
from forebay.privacy.stream_restoring import StreamRestorer
from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.detection.encoded import pieces
from forebay_agents.redaction.detection.engine import structured
from forebay_agents.redaction.detection.names.cues import cues
from forebay_agents.redaction.detection.normalise import normalised
from forebay_agents.redaction.detection.recognizers.facts import Facts
from forebay_agents.redaction.detection.recognizers.presidio import national
from forebay_agents.redaction.detection.recognizers.rules import RuleRecognizer
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.pseudonymise import pseudonymise
from forebay_agents.redaction.request_parts import Part, Sort
from forebay_agents.redaction.settings import Action, Custom, RedactionSettings, TenantRules

RULES = [rule for recogniser in structured() if isinstance(recogniser, RuleRecognizer) for rule in recogniser.rules]
NATIONAL = national()
PIECES = ["1", "a", " ", "1 ", "a ", "-", "1-", "a.", "a@", "a1", "A1 ", ".", "://", "a:b@", "=", "st ", "é", "\n",
          ": ", "eyJ", "11 ", "x.a", "key=", "at ", "dot ", "ssn ", "12/", "+1 ", "bearer ",
          "-----BEGIN "]  # fmt: skip


@pytest.mark.timeout(60)  # the bound: one quadratic pattern on these texts takes minutes
@pytest.mark.parametrize("piece", PIECES)
def test_no_pattern_backtracks(piece: str) -> None:
    text = piece * (30_000 // len(piece)) + "!"
    facts = Facts(text=text)
    for rule in RULES:
        rule.find(facts)
    NATIONAL.analyze(text, [])
    list(cues(text))
    normalised(text)
    list(pieces(text))


@pytest.mark.timeout(60)
def test_no_pattern_backtracks_on_mixtures() -> None:
    rng = random.Random(3)
    for _ in range(6):
        few = rng.sample(PIECES, 3)
        facts = Facts(text="".join(rng.choices(few, k=12_000)))
        for rule in RULES:
            rule.find(facts)


@pytest.mark.timeout(120)  # the bound
def test_a_long_text_is_read_to_its_end(structured: Redactor) -> None:
    line = "Nothing to see here, version 1.2.3 of 2026-03-01 costs 12.50 for 300 units; ask again later.\n"
    text = line * (250_000 // len(line)) + "my card is 4111 1111 1111 1111"
    redacted = structured.redact(text)
    assert redacted.text.endswith("my card is <CREDIT_CARD_1>")


@pytest.mark.parametrize(
    "hidden", ["&\u200b#52;", "&#\u200b52;", "&#5\u20602;", "%\u200b34", "\\\u200bx34", "\\u00\ufeff34"]
)
def test_what_is_not_seen_hides_no_escape(structured: Redactor, hidden: str) -> None:
    redacted = structured.redact(f"my card is {hidden}111 1111 1111 1111, thanks")
    assert redacted.text == "my card is <CREDIT_CARD_1>, thanks"


@pytest.mark.parametrize("value", ["4111111111111111", "219-09-9999", "ann@example.com"])
@pytest.mark.parametrize(
    "before",
    [
        "%b3",
        "%A0",
        "%00",
        "%0A",
        "\\x00",
        "\\u000a",
        "&#10;",
        "&NewLine;",
        "%25%30%41",
        "&amp;#10;",
        "%E2%80%8B",
    ],
)
def test_an_escape_is_no_part_of_what_follows_it(structured: Redactor, before: str, value: str) -> None:
    redacted = structured.redact(f"it is {before}{value}, thanks").text
    assert value not in redacted
    assert redacted.startswith("it is ")
    assert EgressGuard(metrics=Metrics(CollectorRegistry())).check([redacted]) == []


@pytest.mark.parametrize(
    "written",
    ["&#52;111", "&#52 111", "&amp;#52;111", "%34111", "%2534111", "&#37;34111", "%5Cx34111", "4⑪1", "&#65300;111"],
)
def test_what_is_written_in_escapes_is_found(structured: Redactor, written: str) -> None:
    redacted = structured.redact(f"my card is {written} 1111 1111 1111, thanks").text
    assert redacted == "my card is <CREDIT_CARD_1>, thanks"


@pytest.mark.parametrize("before", ["token=", "", "card 4111111111111111 "])
@pytest.mark.parametrize("after", ["", "&x=1", "-", "/"])
def test_base64_is_read_whatever_stands_beside_it(structured: Redactor, before: str, after: str) -> None:
    hidden = "Y2FyZCA1NTU1NTU1NTU1NTU0NDQ0IQ=="  # card 5555555555554444!
    assert hidden not in structured.redact(f"{before}{hidden}{after}").text


TRICKY = st.sampled_from(
    ["\u200b", "\u202e", "&#49;", "&amp;", "%31", "\\n", "\\u0031", "\\x31", "１", "е", "é", "e\u0301",
     "\U0001d7d9", "🙂", "a", "4111", " ", "Ann", "@", "\ud83d", "½", "ﬁ", "\u00ad"]
)  # fmt: skip
TEXT = st.one_of(st.text(max_size=50), st.lists(TRICKY, max_size=30).map("".join))


@given(TEXT)
def test_every_place_of_a_normalised_text_has_its_place_in_the_original(text: str) -> None:
    view = normalised(text)
    assert view.original(0, len(view.text))[1] <= len(text)
    last = 0
    for at in range(len(view.text)):
        start, end = view.original(at, at + 1)
        assert 0 <= start < end <= len(text)
        assert start >= last
        last = start
        if text[start:end].isascii() and end - start == 1:
            assert view.text[at] == text[start]


@settings(max_examples=60, deadline=None)
@given(TEXT)
def test_redacting_and_restoring_gives_the_text_back(structured: Redactor, text: str) -> None:
    found = structured._detector.find(Asked(parts=[Part(text=text)]))
    last = 0
    for span in found.spans[0]:
        assert last <= span.start < span.end <= len(text)
        last = span.end
    result = pseudonymise([text], found.spans, {})
    assert Restorer(result.mapping).restore(result.texts[0]) == text


MAP = PseudonymMap(
    originals={"<PERSON_1>": "Ana", "<PERSON_12>": "Zoe", "<EMAIL_ADDRESS_1>": "a@b.co", "Joe Roe": "Al"}
)
WRITTEN = st.lists(
    st.sampled_from(["<PERSON_1>", "[person 12]", "PERSON_1", "EMAIL_ADDRESS_1", "&lt;PERSON_1&gt;", "Joe Roe", "Joe",
                     "<", "1", "_", " ", "x", "<PERSON", "PERSON", "_1s", "\\u003cPERSON_1\\u003e"]),
    max_size=12,
).map("".join)  # fmt: skip


@given(WRITTEN, st.lists(st.integers(0, 80), max_size=8))
def test_pieces_are_restored_as_the_whole(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    stream = StreamRestorer(MAP)
    shown = [stream.feed(text[start:end]) for start, end in pairwise(places)]
    assert "".join([*shown, stream.close()]) == Restorer(MAP).restore(text)


def test_a_stream_shows_what_cannot_change_any_more() -> None:
    stream = StreamRestorer(MAP)
    assert stream.feed("Dear <PERSON_1>, " + "x" * 200).startswith("Dear Ana, xxx")


def test_data_over_the_border_of_messages_is_found(structured: Redactor) -> None:
    parts = [Part(text="my ssn is", speaker="user"), Part(text="219099999", speaker="user")]
    found = structured._detector.find(Asked(parts=parts))
    assert [span.kind for span in found.spans[1]] == ["US_SSN"]


def test_keys_are_context_of_their_values(structured: Redactor) -> None:
    parts = [Part(text="ssn", sort=Sort.IDENTIFIER), Part(text="219099999", joined=True)]
    assert [span.kind for span in structured._detector.find(Asked(parts=parts)).spans[1]] == ["US_SSN"]


def test_a_custom_pattern_that_takes_too_long_fails_closed() -> None:
    chosen = RedactionSettings(names="none", custom=(Custom(entity="BOMB", regex="^(a|aa)+$"),), custom_timeout_ms=20)
    with pytest.raises(Permanent, match="BOMB") as failed:
        Detector(chosen).text("a" * 60 + "!")
    assert failed.value.code == "redaction_failed"


def _with(**changes: object) -> Redactor:
    chosen = RedactionSettings(names="none", **changes)  # type: ignore[arg-type]  # test helper
    return Redactor(Detector(chosen), Policies(chosen), chosen.max_chars)


def test_actions_custom_recognisers_and_lists_of_a_tenant() -> None:
    redactor = _with(
        custom=(
            Custom(entity="EMPLOYEE_ID", regex=r"E-\d{4}", context=("staff",)),
            Custom(entity="CODE", words=("Zeus",)),
        ),
        hash_key="k",
        allow=("help@acme.com",),
        tenants={
            "t": TenantRules(
                policy={"CREDIT_CARD": Action.MASK, "EMAIL_ADDRESS": Action.HASH, "US_SSN": Action.DROP,
                        "IP_ADDRESS": Action.ALLOW, "IBAN_CODE": Action.BLOCK},
                deny=("Project Falcon",),
                allow=("joe@x.org",),
            )
        },
    )  # fmt: skip
    text = "card 4111 1111 1111 1111, ann@x.org, help@acme.com, joe@x.org, ssn 219-09-9999, 203.0.113.7, project falcon"
    one = redactor.redact(text, "t").text
    assert one.startswith("card ****, EMAIL_ADDRESS#")
    assert one.endswith(", help@acme.com, joe@x.org, ssn , 203.0.113.7, <DENIED_1>")
    assert redactor.redact("ANN@x.org", "t").text == redactor.redact("ann@x.org", "t").text
    assert "<IP_ADDRESS_1>, project falcon" in redactor.redact(text).text
    assert redactor.redact("staff E-1234, zeus, E-9999" + " " * 99 + "E-1111").text.count("<EMPLOYEE_ID_") == 2
    with pytest.raises(Rejected, match="IBAN_CODE"):
        redactor.redact("DE89 3704 0044 0532 0130 00", "t")


def test_languages_that_are_not_supported() -> None:
    polish = "proszę o pomoc, moja karta 4111 1111 1111 1111 nie działa i nie mam jak jej użyć"
    assert "<CREDIT_CARD_1>" in _with(other_languages="structured").redact(polish).text
    blocking = RedactionSettings(names="builtin", other_languages="block")
    with pytest.raises(Rejected) as refused:
        Detector(blocking).text(polish)
    assert refused.value.code == "language_unsupported"


def test_spans_that_overlap_become_one(structured: Redactor) -> None:
    text = "https://ann:pw@x.org/?mail=bob@example.com&card=4111111111111111"
    redacted = structured.redact(text)
    assert isinstance(redacted.spans[0], Span)
    assert "bob" not in redacted.text
    assert "4111" not in redacted.text
