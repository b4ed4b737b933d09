"""A worker says with which configuration it starts; it starts without a protection only if a setting says so."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from forebay.runtime.protection import refuse_shipped, tell_configuration
from forebay.settings import ConfigurationError, Settings, load
from forebay.settings.effective import fingerprint
from forebay.settings.file import ConfigurationFile

SHIPPED = ConfigurationFile(name="/usr/lib/forebay.yaml", content={}, shipped=True)
TLS = {
    "FOREBAY_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "FOREBAY_KAFKA_SASL_USERNAME": "u",
    "FOREBAY_KAFKA_SASL_PASSWORD": "p",
}


def from_file(folder: Path, text: str) -> Settings:
    (folder / "own.yaml").write_text(text, "utf-8")
    return load(folder / "own.yaml")


def test_path_and_hash_are_logged(tmp_path: Path) -> None:
    settings = from_file(tmp_path, "stage: {window: 3}")
    with capture_logs() as lines:
        tell_configuration(settings)
    [line] = [line for line in lines if line["event"] == "configuration"]
    assert line["path"] == str(tmp_path / "own.yaml")
    assert line["sha256"] == fingerprint(settings)
    assert not line["shipped"]


def test_what_a_setting_takes_away_is_logged_at_every_start(tmp_path: Path) -> None:
    settings = from_file(tmp_path, "redaction:\n  policy: {DEFAULT: allow, URL: allow}\n")
    for _ in range(2):
        with capture_logs() as lines:
            tell_configuration(settings)
        [warned] = [line for line in lines if line["log_level"] == "warning"]
        assert warned["setting"] == "redaction.policy"
        assert warned["origin"].endswith("own.yaml:2")
        assert "URL" in warned["what"]


def test_brokers_elsewhere_without_a_word_about_how_they_are_reached(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"no authentication; if that is meant, say so: kafka\.security_protocol: PLAINTEXT"
    ):
        tell_configuration(from_file(tmp_path, "kafka: {bootstrap: 'kafka-1:9092'}"))
    with capture_logs() as lines:
        tell_configuration(from_file(tmp_path, "kafka: {bootstrap: 'kafka-1:9092', security_protocol: PLAINTEXT}\n"))
    assert [line["setting"] for line in lines if line["event"] == "unprotected"] == ["kafka.security_protocol"] * 2


@pytest.mark.parametrize("topics", [{"requests"}, {"completions", "requests"}, {"responses"}])
def test_personal_data_over_tls_wants_a_file_that_somebody_wrote(topics: set[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"personal data.*FOREBAY_CONFIG"):
        refuse_shipped(Settings({}, file=SHIPPED, environment=TLS), topics)


def test_a_trial_and_other_topics_do_with_the_shipped_one() -> None:
    refuse_shipped(Settings({}, file=SHIPPED, environment={}), {"requests"})
    refuse_shipped(Settings({}, file=SHIPPED, environment=TLS), {"completions", "no.topic.of.ours"})
    refuse_shipped(Settings({}, environment=TLS), {"requests"})
