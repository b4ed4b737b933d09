"""What is public knowledge and asked about stays; what might be somebody's goes, and in doubt it goes."""

from pathlib import Path

import pytest

from forebay.contract.records import Message, MessageRole, Request
from forebay_agents.redaction.detection.detector import Asked, Detector
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.public.deciding import Decision, PublicKnowledge
from forebay_agents.redaction.public.judging import Judged
from forebay_agents.redaction.public.lists import Listed, Lists, opened
from forebay_agents.redaction.public.reading import Text
from forebay_agents.redaction.public.reasons import Reason, Veto
from forebay_agents.redaction.request_parts import Part, collect
from forebay_agents.redaction.settings import Profile, RedactionSettings, TenantRules

PUBLIC = PublicKnowledge()


def decide(text: str, *names: str, kind: str = "LOCATION", public: PublicKnowledge = PUBLIC) -> list[Decision]:
    """Decisions on ``names`` in ``text``."""
    spans = [Span(text.index(name), text.index(name) + len(name), kind, 0.9) for name in names]
    return public.decided([Text(text=text, spans=spans)])[0]


PLACES = [
    ("Which languages are spoken in Ethiopia?", "Ethiopia"),
    ("Recommend three museums in Budapest.", "Budapest"),
    ("Wie viele Menschen leben in Salzburg?", "Salzburg"),
    ("Quelle est la superficie de la Tunisie ?", "Tunisie"),
    ("¿Cuántos habitantes tiene Montevideo?", "Montevideo"),
    ("Quanti abitanti ha la Slovenia?", "Slovenia"),
    ("Escreva um guia curto para Maputo.", "Maputo"),
    ("Hoeveel inwoners heeft Eindhoven?", "Eindhoven"),
    ("Jaka jest stolica Norwegii?", "Norwegii"),
    ("Kenya'nın başkenti neresidir?", "Kenya"),
    ("Какая столица Португалии?", "Португалии"),
]


@pytest.mark.parametrize(("text", "place"), PLACES)
def test_a_place_that_is_asked_about_stays_in_ten_languages(text: str, place: str) -> None:
    [one] = decide(text, place)
    assert one.judged is Reason.ASKED


PEOPLE = [
    ("Who was Johannes Kepler?", "Johannes Kepler", Reason.WHO),
    ("Which symphonies did Gustav Mahler compose?", "Gustav Mahler", Reason.FAME),
    ("What does Faraday's law say?", "Faraday", Reason.EPONYM),
    ("Was besagt das Gesetz von Hooke?", "Hooke", Reason.EPONYM),
    ("Qui était Émile Zola ?", "Émile Zola", Reason.WHO),
    ("¿Quién fue Frida Kahlo?", "Frida Kahlo", Reason.WHO),
    ("When was Michelin founded?", "Michelin", Reason.BRAND),
    ("My daughter Ines asks who Rosa Parks was.", "Rosa Parks", Reason.WHO),
]


@pytest.mark.parametrize(("text", "name", "reason"), PEOPLE)
def test_people_of_history_eponyms_and_brands_stay_with_a_reason(text: str, name: str, reason: Reason) -> None:
    [one] = decide(text, name, kind="PERSON")
    assert one.judged is reason


SOMEBODYS = [
    ("I live in Budapest, which gym is good?", "Budapest", "LOCATION", Veto.FIRST),
    ("Which school in Salzburg does her son attend?", "Salzburg", "LOCATION", Veto.RELATION),
    ("Which bus does she take to Salzburg?", "Salzburg", "LOCATION", Veto.THIRD),
    ("Is the customer in Montevideo still waiting?", "Montevideo", "LOCATION", Veto.RELATION),
    ("Where I was born, city: Maputo is in the east", "Maputo", "LOCATION", Veto.LABEL),
    ("Do you know Salamanca? I grew up there.", "Salamanca", "LOCATION", Veto.FIRST),
    ("Who is Mr Kepler?", "Kepler", "PERSON", Veto.TITLE),
    ("Where did Johannes Kepler leave his bike?", "Johannes Kepler", "PERSON", Veto.MATTER),
    ("What did Rosa Parks like best?", "Rosa Parks", "PERSON", Veto.NEIGHBOUR),
    ("Who was Rosa Parks-Ortega?", "Rosa Parks-Ortega", "PERSON", Veto.UNLISTED),
    ("can you send 40 dollars to lima toledo", "lima toledo", "LOCATION", Veto.UNLISTED),
    ("can you pay 90 dollars to wenzo toledo", "wenzo toledo", "LOCATION", Veto.UNLISTED),
    ("Did they walk over to Obama?", "Obama", "LOCATION", Veto.NEIGHBOUR),
    ("Who was Hedwig Ansbach?", "Hedwig Ansbach", "PERSON", Veto.UNLISTED),
    ("Draft a warning for Johannes Kepler.", "Johannes Kepler", "PERSON", Veto.CONTACT),
    ("The statue of Johannes Kepler was there.", "Johannes Kepler", "PERSON", Veto.SILENT),
    ("Mikä on Perun pääkaupunki?", "Perun", "LOCATION", Veto.LANGUAGE),
    ("Hvad hedder hovedstaden i Peru?", "Peru", "LOCATION", Veto.LANGUAGE),
]


@pytest.mark.parametrize(("text", "name", "kind", "veto"), SOMEBODYS)
def test_what_may_be_somebodys_goes(text: str, name: str, kind: str, veto: Veto) -> None:
    [one] = decide(text, name, kind=kind)
    assert one.judged is veto


def test_what_is_not_listed_beside_a_listed_name_makes_it_another() -> None:
    [one] = decide("Which car does Tesla Ortega drive?", "Tesla Ortega", kind="PERSON")
    assert one.judged is Veto.UNLISTED


def test_a_finding_that_was_cut_beside_the_name_counts_as_the_name() -> None:
    [one] = decide("Quanto dista Torino da Genova?", "Torino da Genova", kind="PERSON")
    assert one.stays
    assert one.keys == ("torino", "genova")


def test_one_name_has_one_fate_in_a_request() -> None:
    first, second = "My sister lives in Lima.", "What is the population of Lima?"
    texts = [Text(text=text, spans=[Span(text.index("Lima"), text.index("Lima") + 4, "LOCATION", 0.9)])
             for text in (first, second)]  # fmt: skip
    assert [one.judged for decisions in PUBLIC.decided(texts) for one in decisions] == [Veto.FIRST, Veto.FATE]


def test_what_the_conversation_has_masked_stays_masked() -> None:
    text = "What is the population of Lima?"
    asked = Text(text=text, spans=[Span(26, 30, "LOCATION", 0.9)])
    assert PUBLIC.decided([asked])[0][0].judged is Reason.ASKED
    assert PUBLIC.decided([asked], known=["Lima"])[0][0].judged is Veto.FATE


def test_an_identifier_masks_its_own_clause_and_all_that_do_not_ask() -> None:
    def judged(text: str, place: str, identifier: str) -> Judged:
        spans = [Span(text.index(one), text.index(one) + len(one), kind, 0.9) for one, kind in
                 ((place, "LOCATION"), (identifier, "EMAIL_ADDRESS"))]  # fmt: skip
        return PUBLIC.decided([Text(text=text, spans=sorted(spans))])[0][0].judged

    assert judged("What is the capital of Peru for ann@example.com?", "Peru", "ann@example.com") is Veto.IDENTIFIER
    assert judged("The ship was built in Peru in spring. Mail ann@example.com", "Peru", "ann@example.com") is (
        Veto.IDENTIFIER
    )
    assert judged("What is the capital of Peru? Mail ann@example.com", "Peru", "ann@example.com") is Reason.ASKED


def test_a_tools_argument_has_the_fate_of_the_question() -> None:
    question = Text(text="What is the weather like in Lima?", spans=[Span(28, 32, "LOCATION", 0.9)])
    argument = Text(text="Lima", spans=[Span(0, 4, "LOCATION", 0.9)], asked=False)
    assert all(one.stays for decisions in PUBLIC.decided([question, argument]) for one in decisions)
    assert not PUBLIC.decided([argument])[0][0].stays


def test_without_its_lists_nothing_is_public(tmp_path: Path) -> None:
    assert not opened(tmp_path / "none.npz")
    assert decide("What is the capital of Peru?", "Peru", public=PublicKnowledge(lists=Lists())) == []


def test_only_the_chosen_kinds_stay() -> None:
    text = "What is the capital of Peru?"
    asked = Text(text=text, spans=[Span(23, 27, "LOCATION", 0.9)])
    assert PUBLIC.decided([asked], kinds=["people"])[0][0].judged is Veto.KIND


def test_names_are_compared_without_case_accents_and_endings() -> None:
    lists = Lists.of([("Łódź", Listed.CITY), ("Albert Einstein", Listed.PERSON), ("Москва", Listed.CITY)])
    assert lists.named("lodz", "pl") is Listed.CITY
    assert lists.named("москве", "ru") is Listed.CITY
    assert lists.named("москве", "en") == Listed(0)


@pytest.fixture(scope="module")
def balanced() -> Detector:
    rules = {
        "careful": TenantRules(profile=Profile.STRICT),
        "open": TenantRules(profile=Profile.STRICT, looser_requests=True),
    }
    return Detector(RedactionSettings(profile=Profile.BALANCED, tenants=rules))


def masked(detector: Detector, text: str, tenant: str = "default", profile: str | None = None) -> list[str]:
    found = detector.find(Asked(parts=[Part(text=text)], tenant_id=tenant, profile=profile))
    return [text[span.start : span.end] for span in found.spans[0]]


def test_a_request_may_be_stricter_than_its_tenant_and_looser_only_where_that_is_allowed(balanced: Detector) -> None:
    text = "What is the capital of Bolivia?"
    assert masked(balanced, text) == []
    assert masked(balanced, text, profile="strict") == ["Bolivia"]
    assert masked(balanced, text, tenant="careful") == ["Bolivia"]
    assert masked(balanced, text, tenant="careful", profile="balanced") == ["Bolivia"]
    assert masked(balanced, text, tenant="open", profile="balanced") == []


def test_system_prompt_question_and_tools_have_one_fate(balanced: Detector) -> None:
    request = Request(
        request_id="r",
        messages=(
            Message(role=MessageRole.SYSTEM, content="Our customer lives in Quito."),
            Message(role=MessageRole.USER, content="How high is Quito?"),
        ),
    )
    found = balanced.find(Asked(parts=collect(request)))
    assert [len(spans) for spans in found.spans] == [1, 1]
    assert {one.judged for one in found.public} >= {Veto.FATE}


NAMESAKES = [
    line
    for line in (Path(__file__).parents[2] / "data" / "namesakes.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize(
    ("asked", "places"),
    [("Is Paris bigger than Berlin? " * 10, 0), ("Is Paris bigger than Berlin? " * 260, 520),
     ("Is Paris bigger than Berlin or " * 10 + "Rome?", 0), ("Is Paris bigger than Berlin or " * 90 + "Rome?", 181)],
)  # fmt: skip
def test_nobody_asks_about_hundreds_of_places_at_once(balanced: Detector, asked: str, places: int) -> None:
    assert len(masked(balanced, asked)) == places


def test_namesakes_of_the_famous_go_in_everyday_sentences(balanced: Detector) -> None:
    strict = [masked(balanced, text, profile="strict") for text in NAMESAKES]
    assert [masked(balanced, text) for text in NAMESAKES] == strict
    assert sum(map(bool, strict)) > 0.9 * len(NAMESAKES)


PAGE = (Path(__file__).parents[3] / "docs" / "explanation" / "redaction.md").read_text("utf-8")
TABLE = PAGE.partition("| stays | goes |")[2].partition("\n\n")[0].splitlines()[2:]


@pytest.mark.parametrize("row", TABLE)
def test_what_the_page_says_is_so(balanced: Detector, row: str) -> None:
    stays, goes = (cell.strip() for cell in row.strip("|").split("|"))
    assert masked(balanced, stays.replace("*", "")) == []
    gone = masked(balanced, goes.replace("`", ""))
    assert all(any(word in value for value in gone) for word in goes.split("`")[1::2])
