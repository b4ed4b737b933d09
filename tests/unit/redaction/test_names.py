"""The names model and the rules around it."""

import pytest

from forebay_agents.redaction.detection.joining import joined
from forebay_agents.redaction.detection.names.bars import bars
from forebay_agents.redaction.detection.names.cues_abroad import cues_abroad
from forebay_agents.redaction.detection.names.doubts import doubtful
from forebay_agents.redaction.detection.names.encoder.fused import RANGES, fused
from forebay_agents.redaction.detection.names.unlikely import unlikely
from forebay_agents.redaction.detection.names.words import split
from forebay_agents.redaction.detection.propagation import propagated
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.offline.lines import Redactor


def spans_of(redactor: Redactor, text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in redactor.redact(text).spans]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hi, my name is Siobhán O'Neill-Byrne and I need help", "Siobhán O'Neill-Byrne"),
        ("Dear Dr. J. R. Smith, thank you", "Dr. J. R. Smith"),
        ("MY NAME IS WANJIRU KAMAU", "WANJIRU KAMAU"),
        ("what is your name?\nprakash", "prakash"),
        ("Name: Nguyễn Văn An\nAge: 30", "Nguyễn Văn An"),
        ('{"name": "Zora Hurston"}', "Zora Hurston"),
        ("I spoke with Ludwig van der Berg yesterday", "Ludwig van der Berg"),
        ("1:1 w/ Folasade: wants to move to Staff", "Folasade"),
        ("Here is my number for the insurance. Ndèye Coumba Sarr", "Ndèye Coumba Sarr"),
    ],
)
def test_people_are_found(redactor: Redactor, text: str, name: str) -> None:
    assert ("PERSON", name) in spans_of(redactor, text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("card link nahi hua, naam Gurpreet Dhaliwal hai", "Gurpreet"),
        ("Whose bag?\nmine and Oyelaran's", "Oyelaran"),
        ("The new key works again. Caoimhe (dev)", "Caoimhe"),
    ],
)
def test_a_cue_is_enough_for_a_name_that_the_head_doubts(redactor: Redactor, text: str, name: str) -> None:
    assert name not in redactor.redact(text).text


@pytest.mark.parametrize(
    "text",
    [
        "please fix it. Thanks", "It does not load. Google Maps", "we walk w/ care", "a ratio of 1:1 with water",
        "Whose turn is it?\nyours, I think", "I like this list. Nintendo Switch", "See below.\nRelease Notes",
    ],
)  # fmt: skip
def test_a_cue_alone_makes_no_name(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text).text == text


def test_a_name_in_hindi_has_a_capital() -> None:
    assert not list(cues_abroad("yeh naam galat hai"))


@pytest.mark.parametrize(
    "address",
    ["221B Baker Street, London NW1 6XE", "4 Elm Ave, Springfield, IL 62704", "Hauptstraße 12, 10115 Berlin"],
)
def test_an_address_is_one_span(redactor: Redactor, address: str) -> None:
    assert spans_of(redactor, f"Please send it to {address}.") == [("LOCATION", address)]


def test_a_name_is_redacted_wherever_it_stands(redactor: Redactor) -> None:
    text = "I am Katarzyna Nowak. Did katarzyna call? NOWAK, that is."
    assert "nowak" not in redactor.redact(text).text.lower()
    assert "katarzyna" not in redactor.redact(text).text.lower()


def test_everyday_words_are_spared_unless_written_as_names() -> None:
    text = "Mark Stone called. mark the date, Mark!"
    found = propagated(text, [Span(start=0, end=10, kind="PERSON", score=1.0)], {}, lambda word: word == "mark")
    assert [text[span.start : span.end] for span in found if span.start > 0] == ["Mark"]


@pytest.mark.parametrize(
    ("text", "value", "doubted"),
    [
        ("French wine", "French", True),
        ("ask Johnson Ltd about it", "Johnson", True),
        ("the European Union", "European Union", True),
        ("room 12", "room 12", True),
        ("Ca n't wait", "Ca", True),
        ("good one hahaha", "hahaha", True),
        ("the Army of the Potomac", "Potomac", True),
        ("ask Hahn about it", "Hahn", False),
        ("ask Johnson about it", "Johnson", False),
        ("12 Elm Street", "12 Elm Street", False),
    ],
)
def test_known_false_alarms(text: str, value: str, doubted: bool) -> None:
    start = text.index(value)
    assert doubtful(text, start, start + len(value)) is doubted


def test_a_cue_overrules_doubt(redactor: Redactor) -> None:
    assert spans_of(redactor, "My name is French.") == [("PERSON", "French")]


def test_titles_and_initials_belong_to_a_name() -> None:
    text = "see Mrs. A. Kowalski-Reyes Jr. today"
    start = text.index("Kowalski")
    [span] = joined(text, [Span(start=start, end=start + 8, kind="PERSON", score=1.0)])
    assert text[span.start : span.end] == "Mrs. A. Kowalski-Reyes Jr."


def test_an_address_does_not_grow_into_what_was_found_behind_it() -> None:
    text = "Ninghai,1991-04-02,DE89"
    place, birthday = (Span(start=0, end=7, kind="LOCATION", score=0.6), Span(start=8, end=18, kind="DATE", score=0.9))
    assert joined(text, [place, birthday]) == [place, birthday]


@pytest.mark.parametrize(
    ("text", "likely"),
    [
        ("see http://t.co/gKQYPNEA , Ann", ["see", "Ann"]),
        ("see https://example.com/in/jane-miller", ["see", "jane", "miller"]),
        ("thanks laroyal06 and Renz1CE", ["thanks", "and"]),
        ("12 Elm St, London ec1a 1bb, NW1", ["12", "Elm", "St", "London", "ec1a", "1bb", "NW1"]),
    ],
)
def test_parts_of_web_addresses_and_handles_are_no_names(text: str, likely: list[str]) -> None:
    words = split(text)
    ruled_out = unlikely(text, words, {"jane", "miller", "london"}.__contains__)
    assert [word for word, out in zip(words.words, ruled_out, strict=True) if not out] == likely


@pytest.mark.parametrize(
    ("text", "announced"),
    [
        ("我叫王小明，想查一下", ["王小明"]),
        ("寄给李建国先生。", ["李建国"]),
        ("田中太郎さんに電話して", ["田中太郎"]),
        ("私の名前は佐藤花子です。", ["佐藤花子"]),
        ("お客様の声を大切に", []),
        ("제 이름은 김민수입니다.", ["김민수"]),
        ("박지영 씨에게 연락해", ["박지영"]),
        ("Меня зовут Алексей Иванов и я хочу", ["Алексей Иванов"]),
        ("Меня зовут Олег и я хочу", ["Олег"]),
        ("اسمي أحمد محمود وأريد", ["أحمد محمود"]),
        ("Je m'appelle Amélie Dubreuil.", ["Amélie Dubreuil"]),
        ("今天天气很好", []),
    ],
)
def test_names_are_announced_in_other_languages_too(text: str, announced: list[str]) -> None:
    assert [text[cue.start : cue.end] for cue in cues_abroad(text)] == announced


def test_bars_are_lower_for_listed_names_and_higher_for_odd_words() -> None:
    def bar(text: str, word: str) -> float:
        words = split(text)
        return float(bars(words, 0.5, {"anna", "ANNA", "Anna"}.__contains__)[words.words.index(word)])

    listed_one, capitalised = bar("see Anna and Xulo", "Anna"), bar("see Anna and Xulo", "Xulo")
    alone, beside_capitals = bar("see anna or xulo", "xulo"), bar("See anna or xulo", "xulo")
    assert listed_one < capitalised < alone < beside_capitals < bar("see xuLo", "xuLo")
    assert bar("see anna", "anna") < alone
    assert bar("SEE ANNA NOW", "ANNA") == listed_one
    assert bar("see XULO now", "XULO") > capitalised == bar("SEE XULO NOW", "XULO")


def test_vowel_signs_do_not_cut_words() -> None:
    assert split("मेरा नाम राजेश है।").words == ("मेरा", "नाम", "राजेश", "है")


def test_words_of_scripts_without_blanks_are_characters() -> None:
    assert split("Ann's 田中です, O'Neil").words == ("Ann", "s", "田", "中", "で", "す", "O'Neil")


@pytest.mark.parametrize("data", [b"\x3a\x02\x0a\x00", b"\xff\xff\xff", b""])
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        fused(data, 3, 12, RANGES)
