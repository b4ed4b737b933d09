"""What people typed yesterday works today: each name of version 0.1 is on the reference pages, or names its heir."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from forebay import reference
from tests.unit.docs.names import Name, gone, in_file, in_pages, written
from tests.unit.docs.pages import ROOT

BEFORE = ROOT / "tests/data/names-0.1.txt"


def test_every_name_is_still_there() -> None:
    assert gone(BEFORE, reference.default_folder()) == []


def test_the_list_has_names_of_all_kinds() -> None:
    names, _ = in_file(BEFORE)
    assert len(set(names)) == len(names)
    kinds = Counter(name.kind for name in names)
    assert kinds.keys() == {
        "command", "option", "key", "variable", "topic", "field", "value", "metric", "label", "code",
    }  # fmt: skip
    assert (kinds["command"], kinds["topic"], kinds["metric"]) == (46, 19, 39)
    assert {Name("command", "", "dlq_replay"), Name("option", "dlq replay", "--canary"), Name("topic", "", "spend"),
            Name("key", "vault", "ttl_s"), Name("key", "Price", "input"), Name("field", "Request", "deadline_ms"),
            Name("value", "CacheMode", "bypass"), Name("label", "forebay_consumer_lag", "partition"),
            Name("code", "", "pii_egress"), Name("variable", "", "FOREBAY_CONFIG")} <= set(names)  # fmt: skip


def test_the_list_is_in_the_form_that_the_program_writes() -> None:
    names, successors = in_file(BEFORE)
    text = "".join(line for line in BEFORE.read_text("utf-8").splitlines(keepends=True) if not line.startswith("#"))
    old = [Name(n.kind, n.owner, f"{n.text}->{successors[n].text}" if n in successors else n.text) for n in names]
    assert text == written(old)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    shutil.copytree(reference.default_folder(), tmp_path / "reference")
    return tmp_path / "reference"


@pytest.mark.parametrize(
    ("page", "text", "lost"),
    [
        ("commands.md", "## forebay dlq park\n", Name("command", "", "dlq_park")),
        ("commands.md", "| `--canary` |", Name("option", "dlq replay", "--canary")),
        ("configuration.md", "| `bootstrap` |", Name("key", "kafka", "bootstrap")),
        ("configuration.md", "| `FOREBAY_CONFIG` |", Name("variable", "", "FOREBAY_CONFIG")),
        ("topics.md", "| `spend` |", Name("topic", "", "spend")),
        ("records.md", "| `deadline_ms` |", Name("field", "Request", "deadline_ms")),
        ("records.md", "`bypass`, ", Name("value", "CacheMode", "bypass")),
        ("metrics.md", "| `forebay_dead_letters_total` |", Name("metric", "", "forebay_dead_letters_total")),
        ("errors.md", "`no_tier` |", Name("code", "", "no_tier")),
    ],
)
def test_a_name_that_goes_is_missed_until_it_names_its_successor(
    pages: Path, page: str, text: str, lost: Name, tmp_path: Path
) -> None:
    old = (pages / page).read_text("utf-8")
    assert text in old
    name = lost.text.replace("_", " ") if lost.kind == "command" else lost.text
    (pages / page).write_text(old.replace(text, text.replace(name, name + "2")), "utf-8")
    assert lost in gone(BEFORE, pages)
    names, _ = in_file(BEFORE)
    list_ = tmp_path / "names.txt"
    list_.write_text(written([Name(n.kind, n.owner, n.text + f"->{n.text}2" * (n == lost)) for n in names]), "utf-8")
    assert lost not in gone(list_, pages)


def test_the_pages_are_read_to_the_last_table(pages: Path) -> None:
    names = in_pages(pages)
    assert names[-1].kind == "code"
    assert Name("value", "WindowKind", "month") in names
