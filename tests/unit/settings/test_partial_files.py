"""A file says what it wants otherwise; all that it leaves out is as shipped, however deep."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import SettingsConfigDict

from forebay.resources import data_path
from forebay.settings import (
    KafkaSettings,
    RedisSettings,
    RetrySettings,
    Section,
    Settings,
    StageSettings,
    VaultSettings,
    load,
)
from forebay.settings.known import sections
from forebay_agents.completion.quotas.settings import LimitsSettings, Rate
from forebay_agents.models.settings import ModelsSettings
from tests.unit.settings.conftest import Written

SHIPPED: dict[str, dict[str, Any]] = yaml.safe_load(data_path("forebay.yaml").read_text("utf-8"))


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "kafka:\n", "stage: {}\nmodels:\n"])
def test_nothing_is_a_whole_configuration(written: Written, text: str) -> None:
    empty, shipped = written(text), Settings(SHIPPED, environment={})
    for kind in sections():
        if kind is not ModelsSettings:
            assert empty[kind] == shipped[kind] == Settings({}, environment={})[kind]
    assert [tier.name for tier in empty[ModelsSettings].tiers] == ["small", "large"]
    assert empty[ModelsSettings].tiers[0].deployments[0].model == "openai/smollm2-135m-instruct"


def test_a_section_keeps_its_other_keys_and_a_list_is_one_value(written: Written) -> None:
    found = written(
        "kafka: {partitions: 9}\nretry: {delays_s: [1]}\nlimits: {tenant: {rpm: 3}, tenants: {a: {tpm: 4}}}"
    )
    assert (found[KafkaSettings].partitions, found[KafkaSettings].topic_prefix) == (9, "forebay.")
    assert found[RetrySettings].delays_s == (1.0,)
    assert found[LimitsSettings].tenant == Rate(rpm=3, tpm=None)
    assert found[LimitsSettings].tenants == {"a": Rate(rpm=None, tpm=4)}
    assert found[LimitsSettings].burst_s == 10.0
    assert len(found[ModelsSettings].tiers) == 2


def test_tiers_of_ones_own_replace_those_that_are_shipped(written: Written) -> None:
    found = written("models: {tiers: [{name: only, deployments: [{name: d, model: openai/m}]}]}")[ModelsSettings]
    assert [tier.name for tier in found.tiers] == ["only"]
    assert found.tiers[0].context_tokens == 8192
    assert found.cooldown_s == 10.0


def test_the_environment_fills_in_models_that_the_file_leaves_out(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOREBAY_TIER_SMALL_MODEL", "openai/own")
    assert written("stage: {window: 3}")[ModelsSettings].tiers[0].deployments[0].model == "openai/own"


def test_the_environment_wins_over_the_file_and_a_running_stack_over_neither(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    written("stage: {window: 3}\nvault: {ttl_s: 70}")
    monkeypatch.setenv("FOREBAY_STAGE_WINDOW", "4")
    reached = {"FOREBAY_STAGE_WINDOW": "5", "FOREBAY_VAULT_TTL_S": "80", "FOREBAY_RETRY_DELAYS_S": "[2, 3]"}
    found = load(reached=reached)
    assert found[StageSettings].window == 4
    assert found[VaultSettings].ttl_s == 80
    assert found[RetrySettings].delays_s == (2.0, 3.0)
    assert found[RedisSettings].timeout_ms == 500


def test_the_shipped_file_says_what_is_the_default_anyway_but_for_models() -> None:
    without = Settings({name: keys for name, keys in SHIPPED.items() if name != "models"}, environment={})
    for kind in sections():
        if kind is not ModelsSettings:
            assert without[kind] == Settings({}, environment={})[kind], kind.section


def test_without_a_file_the_shipped_one_counts_and_is_said_to() -> None:
    assert load().file.shipped
    Path("forebay.yaml").write_text("{}", "utf-8")
    assert not load().file.shipped
    assert load().file.name == "forebay.yaml"


def test_a_section_of_ones_own_is_read_from_the_same_file() -> None:
    assert Settings({"greeting": {"word": "hi"}}, environment={})[Greeting].word == "hi"
    assert Settings({}, environment={"FOREBAY_GREETING_WORD": "ho"})[Greeting].word == "ho"


class Greeting(Section):
    """A section that no entry point names."""

    section = "greeting"
    model_config = SettingsConfigDict(env_prefix="FOREBAY_GREETING_")
    word: str = ""


class Renamed(Greeting):
    """A section whose keys have moved."""

    renamed = {"greetings": "greeting.word", "prefix": "kafka.topic_prefix"}  # noqa: RUF012 - as sections write it


def test_a_key_that_was_renamed_names_its_successor() -> None:
    from forebay.settings.written import known_only

    said: list[str] = []
    known_only(Renamed, {"greetings": "x", "prefix": "y"}, (), lambda path, words: said.append(f"{path[-1]} {words}"))
    assert said == ["greetings is called greeting.word now", "prefix is called kafka.topic_prefix now"]
