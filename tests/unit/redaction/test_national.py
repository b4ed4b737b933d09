"""National numbers: those that prove themselves are found alone, the others behind their label; look-alikes stay."""

import pytest

from forebay_agents.redaction.detection.recognizers.identifiers import checksums, citizens, overseas
from forebay_agents.redaction.offline.lines import Redactor

ALONE = [
    "11010519491231002X", "811228-9874", "19811228-9874", "070761-4285", "120174-3399", "131052-308T", "01010750160",
    "37605030299", "161175-19997", "860104-1234567", "900101-14-5678", "8001015009087", "0101006500006",
    "784-1987-1234567-8", "S1234567D", "A123456(3)", "GHA-714402913-6", "529.982.247-25", "11.222.333/0001-81",
    "12.345.678-5", "20-12345678-6", "HEGG560427MVZRRL04", "85.07.30-033.28", "85073003328", "1237 010180",
    "1-1012-00003-67-2", "112-233-445 95", "2341 2341 2346", "GODE561231GR8", "736028/5163", "44051401359",
    "35202-1234567-1", "2 84 05 75 116 001 91",
]  # fmt: skip
LABELLED = [
    ("T.C. {}", "10000000146"), ("TC Kimlik No: {}", "10000000146"), ("My Number {}", "123456789018"),
    ("個人番号: {}", "123456789018"), ("ИНН {}", "500100732259"), ("ЕГН: {}", "7523169263"),
    ("NIK: {}", "3171011708450001"),
    ("teudat zehut {}", "543286799"), ("NIN: {}", "12345678901"), ("OIB: {}", "94577403194"),
    ("PPS 1234567T", "1234567T"),
    ("CCCD: {}", "001099012345"), ("civil id {}", "290010112345"), ("Emirates ID {}", "784198712345678"),
]  # fmt: skip
ALIKE = [
    "order 811228-9874x", "part 830517-2417", "ean 4006381333931", "ts 1710144862123", "build 20240311131111",
    "serial 44051401359", "112-233-445 96", "529.982.247-26", "12.345.678-9", "S1234567A",
    "A123456(4)", "SKU 2341 2341 2346", "2341-2341-2346", "the range 1000-2000",
    "ratio 12.345.678", "order 736028/5163",
    "10000000146 rows", "131052-308U", "11010519491231003X", "784 apples", "1.2.3.4-5",
]  # fmt: skip


@pytest.mark.parametrize("value", ALONE)
@pytest.mark.parametrize("frame", ["{}", "Ms Doe ({}) moved away", "it says {}.", "a;{};b"])
def test_what_proves_itself_needs_no_label(structured: Redactor, frame: str, value: str) -> None:
    assert value not in structured.redact(frame.format(value)).text


@pytest.mark.parametrize(("frame", "value"), LABELLED)
def test_the_others_are_found_behind_their_label(structured: Redactor, frame: str, value: str) -> None:
    assert value not in structured.redact(frame.format(value)).text


@pytest.mark.parametrize("text", ALIKE)
def test_what_only_looks_alike_stays(structured: Redactor, text: str) -> None:
    assert structured.redact(text).text == text


def test_check_digits() -> None:
    assert overseas.taiwan("A123456789")
    assert not overseas.taiwan("A123456788")
    assert not citizens.romania("1710144862123")


@pytest.mark.parametrize(
    ("number", "is_card"),
    [
        ("4111111111111111", True), ("4222222222222", True), ("5500005555555559", True), ("378282246310005", True),
        ("30569309025904", True), ("6011000990139424", True), ("3530111333300000", True), ("2223003122003222", True),
        ("2200770239097761", True), ("441722039985", False), ("5012345678924", False), ("6759649826438453", False),
        ("411111111111116", False), ("37828224631000", False),
    ],
)  # fmt: skip
def test_cards_are_as_long_as_their_issuers_make_them(number: str, is_card: bool) -> None:
    assert checksums.card(number) is is_card


@pytest.mark.parametrize("text", ["SKU 4417-2203-9985", "x,5012345678924,12", "ean 5012345678924", "4006381333931",
                                  "UPS 1Z 999 AA1 01 2345 6784"])  # fmt: skip
def test_articles_and_parcels_are_no_cards_and_no_phones(structured: Redactor, text: str) -> None:
    assert structured.redact(text).text == text


def test_a_word_makes_a_debit_card_of_a_number(structured: Redactor) -> None:
    assert "6759649826438453" not in structured.redact("my card 6759649826438453").text
