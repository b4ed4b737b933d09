"""No slip of the pen goes unread: a name with one letter wrong is refused, and the right one is named."""

import string
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.settings import Settings
from forebay.settings.faults import nearest, slips
from forebay.settings.known import OUTSIDE, keys, sections, variable_faults

LETTERS = string.ascii_lowercase + string.digits + "_"
VARIABLES = sorted({*keys().values(), *OUTSIDE})
KEYS = sorted(keys())
NAMES = [kind.section for kind in sections()]


@st.composite
def slipped(draw: st.DrawFn, names: Iterable[str], letters: str) -> tuple[str, str]:
    """A name, and what becomes of it when a letter is missing, too many, wrong, or swapped with the next one."""
    name = draw(st.sampled_from(list(names)))
    at = draw(st.integers(0, len(name) - 1))
    letter = draw(st.sampled_from(letters))
    wrong = draw(
        st.sampled_from(
            [
                name[:at] + name[at + 1 :],
                name[:at] + letter + name[at:],
                name[:at] + letter + name[at + 1 :],
                name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
            ]
        )
    )
    return name, wrong


def equally_near(wrong: str, right: str, names: Iterable[str]) -> bool:
    """Whether other names are as near to ``wrong``: then any three of them may be named."""
    return sum(slips(wrong.casefold(), one.casefold(), 1) == 1 for one in names if one != right) > 2


@given(slipped(VARIABLES, LETTERS.upper()))
def test_a_variable(slip: tuple[str, str]) -> None:
    right, wrong = slip
    if wrong in VARIABLES:
        return
    [fault] = variable_faults({wrong: "1", "PATH": "/bin", "HOME": "/"}, [])
    assert fault.place == wrong
    assert right in fault.message or equally_near(wrong, right, VARIABLES)


@given(slipped(NAMES, LETTERS))
def test_a_section(slip: tuple[str, str]) -> None:
    right, wrong = slip
    if wrong in NAMES:
        return
    faults = Settings({wrong: {}, "models": TIERS}, environment={}).faults()
    assert [fault.key for fault in faults] == [wrong or "''"]
    assert right in faults[0].message


@given(slipped(KEYS, LETTERS))
def test_a_key(slip: tuple[str, str]) -> None:
    right, wrong = slip
    section, _, key = right.partition(".")
    own = [one.partition(".")[2] for one in KEYS if one.startswith(f"{section}.")]
    if not wrong.startswith(f"{section}.") or (misspelt := wrong.removeprefix(f"{section}.")) in own:
        return
    content: dict[str, Any] = {"models": TIERS} | {section: {misspelt: 1} | (TIERS if section == "models" else {})}
    [fault] = Settings(content, environment={}).faults()
    assert key in fault.message or equally_near(misspelt, key, own)


@given(slipped(["name", "deployments", "accept", "context_tokens", "max_answer_tokens"], LETTERS))
def test_a_key_of_a_tier(slip: tuple[str, str]) -> None:
    right, wrong = slip
    if wrong in {"name", "deployments", "accept", "context_tokens", "max_answer_tokens"}:
        return
    [tier] = TIERS["tiers"]
    left = {key: value for key, value in tier.items() if key != right}
    [fault] = Settings({"models": {"tiers": [{**left, wrong: 1}]}}, environment={}).faults()
    assert fault.key.startswith("models.tiers[0]")
    assert right in fault.message


TIERS: dict[str, Any] = {"tiers": [{"name": "only", "deployments": [{"name": "d", "model": "openai/m"}]}]}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("FOREBAY_REDACTION_POLCY", "FOREBAY_REDACTION_POLICY"),
        ("FORBAY_REDACTION_POLICY", "FOREBAY_REDACTION_POLICY"),
        ("FOREBAYREDACTION_POLICY", "FOREBAY_REDACTION_POLICY"),
        ("FOREBAY-REDACTION-POLICY", "FOREBAY_REDACTION_POLICY"),
        ("forebay_redaction_policy", "FOREBAY_REDACTION_POLICY"),
        ("Forebay_Vault_Keys", "FOREBAY_VAULT_KEYS"),
        ("FOREBAY_REDACTION__POLICY", "FOREBAY_REDACTION_POLICY"),
        ("FOREBAY_KAFKA_BOOTSTRAP_SERVERS", "FOREBAY_KAFKA_BOOTSTRAP"),
        ("FOREBAY_CONFIGURATION", "FOREBAY_CONFIG"),
    ],
)
def test_other_ways_to_miss_a_variable(wrong: str, right: str) -> None:
    [fault] = variable_faults({wrong: "x"}, [])
    assert right in fault.message


def test_a_prefix_alone_is_no_variable() -> None:
    assert [fault.place for fault in variable_faults({"FOREBAY_": "", "FOREBAY_X\x1b[2J": ""}, [])] == [
        "FOREBAY_",
        "FOREBAY_X\\x1b[2J",
    ]


def test_names_of_others_are_nobodys_business() -> None:
    others = {"PATH": "", "FORE": "", "FOREST_CACHE_TTL": "", "REDIS_URL": "", "KAFKA_BOOTSTRAP": "", "TEST_RUNS": ""}
    assert variable_faults(others, []) == []


def test_a_name_that_the_file_refers_to_is_known() -> None:
    assert variable_faults({"FOREBAY_OWN_KEY": "k"}, ["FOREBAY_OWN_KEY"]) == []
    assert len(variable_faults({"FOREBAY_OWN_KEY": "k"}, ["FOREBAY_OWN_KEYS"])) == 1


def test_what_kubernetes_sets_for_a_service_called_like_us_is_not_ours() -> None:
    linked = {
        "FOREBAY_API_SERVICE_HOST": "10.0.0.1",
        "FOREBAY_API_SERVICE_PORT_HTTP": "80",
        "FOREBAY_API_PORT": "tcp://10.0.0.1:80",
        "FOREBAY_API_PORT_80_TCP_ADDR": "10.0.0.1",
    }
    assert len(variable_faults(linked, [])) == 4
    assert variable_faults({**linked, "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, []) == []
    assert len(variable_faults({"FOREBAY_REDACTION_POLCY": "", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, [])) == 1


@given(st.text(max_size=12), st.text(max_size=12))
def test_slips_are_counted_the_same_both_ways(one: str, other: str) -> None:
    assert slips(one, other, 20) == slips(other, one, 20)
    assert (slips(one, other, 20) == 0) == (one == other)


def test_the_nearest_of_short_names_is_the_one_that_was_meant() -> None:
    assert nearest("rmp", ["rpm", "tpm"]) == ["rpm"]
    assert nearest("xpm", ["rpm", "tpm"]) == ["rpm", "tpm"]
    assert nearest("zzz", ["rpm", "tpm"]) == []
