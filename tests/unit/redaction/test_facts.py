"""Of which hidden values is a fact asked? Questions of ours, each with two values that it may be about."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract.records import Message, RedactedRequest, Request
from forebay.testing import context, memory_vault
from forebay_agents.redaction.detection.detector import Asked, Detector, Found
from forebay_agents.redaction.detection.spans import Span
from forebay_agents.redaction.handler import RedactionHandler
from forebay_agents.redaction.metrics import RedactionMetrics
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.public.cues import shipped
from forebay_agents.redaction.public.facts import Facts, sealed
from forebay_agents.redaction.public.reading import Text
from forebay_agents.redaction.settings import RedactionSettings

CASES = [
    line.split("\t")
    for line in (Path(__file__).parents[2] / "data" / "asked-facts.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
_VALUE = re.compile(r"\[([A-Z_]+) ([^\]|]*)\|([^\]|]*)\]")


@pytest.fixture(scope="module")
def facts() -> Facts:
    return Facts(shipped())


def written(case: str, which: int) -> Text:
    """The question with its first or second values, and where they are."""
    pieces, spans, at, length = [], [], 0, 0
    for match in _VALUE.finditer(case):
        pieces += [case[at : match.start()], match[which]]
        start = length + match.start() - at
        spans.append(Span(start=start, end=start + len(match[which]), kind=match[1], score=1.0))
        at, length = match.end(), start + len(match[which])
    return Text(text="".join([*pieces, case[at:]]), spans=spans)


@pytest.mark.parametrize(("wanted", "case"), CASES, ids=[case for _, case in CASES])
def test_a_fact_of_a_value_is_told_from_a_value_that_is_passed_on(facts: Facts, wanted: str, case: str) -> None:
    first, second = (facts.asked([written(case, which)]) for which in (2, 3))
    assert (first != second) is (wanted == "ask")
    assert bool(first) is (wanted == "ask")


def test_there_are_cases_of_both_in_all_languages_with_cues() -> None:
    assert sum(wanted == "ask" for wanted, _ in CASES) >= 40
    assert sum(wanted == "pass" for wanted, _ in CASES) >= 60


def test_equal_values_are_equal_however_they_are_spelt(facts: Facts) -> None:
    spelt = [facts.asked([written(f"Where is [LOCATION {name}|x]?", 2)]) for name in ("São Paulo", "sao  paulo")]
    assert spelt[0] == spelt[1] == ("LOCATION sao paulo",)


def test_values_count_in_the_order_of_their_tags(facts: Facts) -> None:
    to, back = (written(f"How far is it from [LOCATION {a}|x] to [LOCATION {b}|x]?", 2) for a, b in ("AB", "BA"))
    assert facts.asked([to]) == tuple(reversed(facts.asked([back])))


def test_a_place_counts_where_a_later_message_looks_back_to_it(facts: Facts) -> None:
    said = written("We are in [LOCATION Leeds|x].", 2)
    assert facts.asked([said, Text(text="Which hotels are there?", spans=[])])
    assert not facts.asked([said, Text(text="Is there a fee?", spans=[])])


def test_what_a_tool_returns_does_not_ask(facts: Facts) -> None:
    said = written("Who is [PERSON Ana Lee|x]?", 2)
    assert not facts.asked([Text(text=said.text, spans=said.spans, asked=False)])


def test_every_value_counts_in_a_language_without_cues(facts: Facts) -> None:
    assert facts.asked([written("Kan jag lägga till [PERSON Ana Lee|x] på mitt konto?", 2)])
    assert not facts.asked([written("[PERSON Ana Lee|x]", 2)])


def test_the_hash_is_of_one_tenant_and_key_and_has_nothing_of_the_value() -> None:
    asked = ("LOCATION lima",)
    one = sealed(asked, b"k" * 32, "acme")
    assert one == sealed(asked, b"k" * 32, "acme")
    assert len({one, sealed(asked, b"j" * 32, "acme"), sealed(asked, b"k" * 32, "other")}) == 3
    assert re.fullmatch("[0-9a-f]{32}", one)
    assert sealed((), b"k" * 32, "acme") == ""


@pytest.mark.parametrize(("wanted", "text"), [(True, "Where does {} live?"), (False, "I am {}. How do I pay?")])
async def test_the_redacted_record_has_the_hash(wanted: bool, text: str) -> None:
    detector = Detector(RedactionSettings())

    async def find(asked: Asked) -> Found:
        return detector.find(asked)

    handler = RedactionHandler(
        find,
        memory_vault(),
        Policies(RedactionSettings()),
        RedactionMetrics(CollectorRegistry()),
        Uncounted(),
        max_messages=9,
        max_chars=999,
        asked_key=b"k" * 32,
    )
    found = []
    for name in ("Maria Huber", "Peter Novak", "MARIA HUBER"):
        asks = Request(request_id="r", messages=(Message(content=text.format(name)),))
        [output] = await handler.handle(asks, context("requests", key=b"r", accepted_at=5))
        assert isinstance(output.value, RedactedRequest)
        assert name not in str(output.value)
        found.append((output.value.asked, output.value.prompt_hash))
    assert found[0] == found[2]
    assert (found[0] != found[1]) is wanted
    assert bool(found[0][0]) is wanted


class Uncounted:
    """Nobody looks at the counts."""

    def add(self, tenant_id: str, actions: Mapping[tuple[str, str], int]) -> None: ...
