"""The generated reference pages say what the code says, and the code says enough to generate them."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forebay import reference
from forebay.cli.reference import app
from forebay.contract.error_codes import CODES
from forebay.contract.topics import TOPICS
from forebay.reference.commands import commands
from forebay.reference.configuration import environment_names, sections
from forebay.reference.counters import collectors, series
from forebay.runtime.worker import stage_names

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [path for package in ("streams", "agents") for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_is_current(name: str) -> None:
    stored = (reference.default_folder() / name).read_text("utf-8")
    assert stored == reference.PAGES[name](), "run `forebay reference write` and commit the pages"


def test_write_mends_what_check_complains_about(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(app, ["check", "--folder", str(tmp_path)]).exit_code == 1
    assert run(app, ["write", "--folder", str(tmp_path)]).exit_code == 0
    assert run(app, ["check", "--folder", str(tmp_path)]).exit_code == 0
    page = tmp_path / "errors.md"
    page.write_text(page.read_text().replace("retries_exhausted", "retries_exhausting"))
    checked = run(app, ["check", "--folder", str(tmp_path)])
    assert checked.exit_code == 1
    assert "errors.md" in checked.output
    assert "topics.md" not in checked.output
    assert reference.write(tmp_path) == ["errors.md"]


def test_check_needs_a_folder(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["check", "--folder", str(tmp_path / "none")]).exit_code == 2


def test_every_section_key_has_a_description_and_a_variable_of_its_own() -> None:
    found = sections()
    assert {"kafka", "redis", "vault", "models", "completion"} <= {section.section for section in found}
    for section in found:
        assert section.model_config["env_prefix"] == f"FOREBAY_{section.section.upper()}_"
        for key, field in section.model_fields.items():
            assert field.description, f"{section.section}.{key} says nothing about itself"


def test_every_section_of_the_source_is_named_by_an_entry_point() -> None:
    classes = {
        name
        for path in SOURCES
        for name in re.findall(r"^class (\w+)\(Section\)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert {"KafkaSettings", "CacheSettings"} <= classes
    assert classes == {section.__name__ for section in sections()}


def test_nested_models_are_on_the_page() -> None:
    page = reference.PAGES["configuration.md"]()
    assert "### Price: `models.tiers[].deployments[].price[]`" in page
    assert page.count("### Price:") == 1  # prices, too, are made of it
    assert "| mapping of text to list of Price (below) | empty |" in page
    assert "| `in_flight` | `FOREBAY_STAGE_IN_FLIGHT` | whole number, ≥ 1 | `64` |" in page


def test_every_topic_code_stage_and_command_is_found() -> None:
    pages = {name: page() for name, page in reference.PAGES.items()}
    assert all(f"`{name}`" in pages["topics.md"] for name in TOPICS)
    assert all(f"`{code}`" in pages["errors.md"] for code in CODES)
    assert {"worker", "send", "tail", "schemas register", "reference check", "review correct"} <= commands().keys()
    assert "retry" in stage_names()


def test_every_metric_of_the_source_is_on_the_page() -> None:
    declared = {name for path in SOURCES for name in re.findall(r'"(forebay_[a-z_]+)"', path.read_text("utf-8"))}
    assert {"forebay_records_in", "forebay_model_calls"} <= declared
    assert declared == collectors().keys()
    assert {"forebay_records_in_total", "forebay_stage_latency_seconds_bucket", "forebay_consumer_lag"} <= series()


def test_every_variable_that_the_source_reads_is_documented() -> None:
    reads = re.compile(r'environ[^"\n]*"(FOREBAY_[A-Z_]*[A-Z])"')
    read = {name for path in SOURCES for name in reads.findall(path.read_text("utf-8"))}
    assert "FOREBAY_CONFIG" in read
    assert read <= environment_names()
