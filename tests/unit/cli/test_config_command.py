"""``forebay config``, and that no command runs beside a configuration that nobody reads."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forebay.cli import main
from forebay_agents.redaction.cli import app as redact


@dataclass(frozen=True, kw_only=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Forebay = Callable[..., Done]


@pytest.fixture
def forebay(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Forebay:
    """The command, in a folder and an environment of its own."""
    for name in os.environ:
        if name.startswith("FOREBAY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **environment: str) -> Done:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        code, told = ended.value.code, capsys.readouterr()
        return Done(returncode=code if isinstance(code, int) else 0, stdout=told.out, stderr=told.err)

    return run


@pytest.mark.parametrize(
    "arguments",
    [("compress",), ("vault", "key", "2026b"), ("send", "x"), ("topics", "describe"), ("worker", "response"), ("up",)],
    ids=" ".join,
)
def test_a_misspelt_variable_stops_a_command(forebay: Forebay, arguments: tuple[str, ...]) -> None:
    done = forebay(*arguments, FOREBAY_REDACTION_POLCY="{}")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "FOREBAY_REDACTION_POLCY: there is no such variable; did you mean FOREBAY_REDACTION_POLICY?" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("down",), ("vault", "key", "--help"), ("--version",)], ids=" ".join)
def test_what_needs_no_configuration_is_not_stopped_by_it(forebay: Forebay, arguments: tuple[str, ...]) -> None:
    assert forebay(*arguments, FOREBAY_REDACTION_POLCY="{}").returncode == 0


def test_check_tells_all_and_ends_with_2(forebay: Forebay, tmp_path: Path) -> None:
    (tmp_path / "next.yaml").write_text("kafka: {partitons: 3}\nredacton: {}\n", "utf-8")
    done = forebay("config", "check", "next.yaml", FOREBAY_STAGE_WINDOW="0")
    assert done.returncode == 2
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [
        "FOREBAY_STAGE_WINDOW",
        "next.yaml:1",
        "next.yaml:2",
    ]
    told = json.loads(forebay("config", "check", "next.yaml", "--json").stdout)
    assert [fault["key"] for fault in told["faults"]] == ["", "kafka.partitons", "redacton"]
    assert forebay("config", "check", "no.yaml").returncode == 2


def test_check_of_a_good_one_says_its_hash(forebay: Forebay, tmp_path: Path) -> None:
    (tmp_path / "next.yaml").write_text("egress: {allow_kinds: [MAC_ADDRESS]}\n", "utf-8")
    done = forebay("config", "check", "next.yaml")
    assert done.returncode == 0
    assert "next.yaml: can be used, sha256 " in done.stdout
    assert "egress.allow_kinds: the guard lets out MAC_ADDRESS (next.yaml:1)" in done.stdout


def test_show_says_what_counts_and_why(forebay: Forebay, tmp_path: Path) -> None:
    (tmp_path / "forebay.yaml").write_text("kafka:\n  partitions: 3\n", "utf-8")
    environment = {"FOREBAY_KAFKA_SASL_PASSWORD": "hunter2", "FOREBAY_REDACTION_ALLOW": '["\\u001b[2J[/red]"]'}
    shown = forebay("config", "show", "--origin", **environment).stdout
    assert "kafka.partitions: 3  # forebay.yaml:2\n" in shown
    assert 'kafka.sasl_password: "********"  # FOREBAY_KAFKA_SASL_PASSWORD\n' in shown
    assert "hunter2" not in shown
    assert "\x1b" not in shown
    lines = [json.loads(line) for line in forebay("config", "show", "--json").stdout.splitlines()]
    assert {"key": "kafka.partitions", "value": 3, "origin": "forebay.yaml:2"} in lines


def test_redact_says_that_its_rules_are_the_shipped_ones(
    forebay: Forebay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FOREBAY_REDACTION_NAMES", "none")
    assert "forebay.yaml" in CliRunner().invoke(redact, [], input="").stderr
    (tmp_path / "forebay.yaml").write_text("{}", "utf-8")
    assert CliRunner().invoke(redact, [], input="").stderr == ""
