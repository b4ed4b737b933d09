"""The last check: silent on redacted text, loud on everything else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from forebay.contract.failures import Permanent
from forebay.observability.metrics import Metrics
from forebay.privacy.egress import ORIGINAL, EgressGuard, Finding
from forebay.privacy.identifiers import IDENTIFIERS
from forebay.privacy.occurrences import Occurrences, telling
from forebay.settings import EgressSettings
from forebay_agents.redaction.offline.lines import Redactor
from tests.unit.redaction.test_corpus import corpus

CHECKED = set(IDENTIFIERS)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def guard(registry: CollectorRegistry) -> EgressGuard:
    return EgressGuard(EgressSettings(), Metrics(registry))


def test_it_is_silent_on_what_the_redactor_lets_through(guard: EgressGuard, redactor: Redactor) -> None:
    for row in corpus():
        redacted = redactor.redact(row.text)
        originals = {row.text[span.start : span.end] for span in redacted.spans}
        assert guard.check([redacted.text], originals) == [], row.source


def test_with_the_redactor_off_it_catches_every_identifier_that_proves_itself(guard: EgressGuard) -> None:
    missed = []
    seen = set()
    for row in corpus():
        for start, end, kind in row.spans:
            value = row.text[start:end]
            # Spelled-out addresses, digits apart, and national phone forms prove nothing: the originals are for those.
            spelled = kind == "EMAIL_ADDRESS" and re.search(r"[ \[(]at[ \])]|%5bat", value, re.IGNORECASE)
            national = kind == "PHONE_NUMBER" and not value.startswith("+")
            apart = kind == "US_SSN" and value[3:4] != "-"
            if kind not in CHECKED or spelled or national or apart:
                continue
            seen.add(kind)
            if not guard.check([row.text]):
                missed.append((row.source, kind, value))
    assert missed == []
    assert len(seen) >= 9


def test_with_the_redactor_off_it_catches_every_original(guard: EgressGuard) -> None:
    for row in corpus():
        # A lower-case word alone may be a name or not: "mark".
        if any(telling(row.text[start:end]) for start, end, _ in row.spans):
            assert guard.check([row.text], [row.text[start:end] for start, end, _ in row.spans])


def test_a_hit_is_counted_and_blocks_without_a_value(guard: EgressGuard, registry: CollectorRegistry) -> None:
    with pytest.raises(Permanent) as blocked:
        guard.enforce(["pay with 4111 1111 1111 1111", "Ann Lee"], {"<PERSON_1>": "Ann Lee"}, sink="cache")
    assert blocked.value.code == "pii_egress"
    assert "4111" not in blocked.value.message
    assert "Ann" not in blocked.value.message
    labels = {"sink": "cache", "kind": "CREDIT_CARD"}
    assert registry.get_sample_value("forebay_egress_blocked_total", labels) == 1
    guard.enforce(["pay with <CREDIT_CARD_1>"], {"<CREDIT_CARD_1>": "4111 1111 1111 1111"}, sink="cache")


def test_originals_count_as_whole_words_only(guard: EgressGuard) -> None:
    assert guard.check(["an annual plan, Annual too"], ["Ann", "an"]) == []
    assert guard.check(["ask Ann."], ["Ann"]) == [Finding(kind=ORIGINAL, count=1)]
    assert guard.check(["mark the date"], ["mark"]) == []
    assert guard.check(["see <PERSON_1>"], {"<PERSON_1>": "PERSON_1"}) == []


def test_stand_ins_and_what_is_allowed_may_leave(registry: CollectorRegistry) -> None:
    guard = EgressGuard(EgressSettings(allow=("help@acme.com",), allow_kinds=("MAC_ADDRESS",)), Metrics(registry))
    text = "mail Help@acme.com or joe@example.org from 00:1b:44:11:3a:b7"
    assert guard.check([text], {"joe@example.org": "ann@x.com"}) == []
    assert guard.check([text]) == [Finding(kind="EMAIL_ADDRESS", count=1)]


@given(st.text(max_size=80), st.lists(st.text(min_size=1, max_size=6), max_size=6))
def test_occurrences_are_what_a_search_finds(text: str, values: list[str]) -> None:
    found = {text[start:end] for start, end in Occurrences(values).find(text)}
    assert found <= set(values)
    for value in values:
        if any(map(str.isalnum, value)) and text == f" {value} ".strip() == value:
            assert list(Occurrences([value]).find(value)) in ([(0, len(value))], [])


@pytest.mark.parametrize(
    ("original", "text", "caught"),
    [
        ("Maria Lopez", "dear maria lopez", True),
        ("Maria", "MARIA said", True),
        ("AB-12cd", "number ab-12CD", True),
        ("Mark", "mark the date", False),
        ("Ann", "an annual thing", False),
    ],
)
def test_another_case_hides_no_original(original: str, text: str, caught: bool) -> None:
    guard = EgressGuard(metrics=Metrics(CollectorRegistry()))
    assert [finding.kind for finding in guard.check([text], [original])] == (["ORIGINAL"] if caught else [])


@pytest.mark.parametrize("text", ["SKU 4417-2203-9985", "ean 5012345678924", "6759649826438453", "37828224631000"])
def test_what_the_stage_takes_for_no_card_does_not_block(guard: EgressGuard, text: str) -> None:
    assert guard.check([text]) == []
