"""What the commands of the cache make of files that are not as they should be."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from forebay.contract.json_lines import InvalidLineError
from forebay_agents.cache.cli.loading import lines_of
from forebay_agents.cache.offline.evaluating import Labelled, proposals, report
from forebay_agents.cache.offline.explaining import explain_lines, object_of
from forebay_agents.cache.operations import approved
from tests.unit.cache.memory import WordMatcher


def explained(path: Path) -> list[dict[str, Any]]:
    with lines_of(str(path)) as lines:
        return [output for output, _ in explain_lines(lines, WordMatcher())]


def test_a_byte_order_mark_and_carriage_returns_are_no_part_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "pairs"
    file.write_bytes(b'\xef\xbb\xbf{"id":1,"a":"one","b":"one"}\r\n{"id":2,"a":"one","b":"two"}\r\n')
    assert [(row["id"], row["hit"]) for row in explained(file)] == [(1, True), (2, False)]


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    file = tmp_path / "pairs"
    file.write_text('{"a":"one\u2028two","b":"one\u2028two"}', "utf-8")
    assert [row["hit"] for row in explained(file)] == [True]


def test_bytes_that_are_no_utf8_spoil_their_line_only(tmp_path: Path) -> None:
    file = tmp_path / "pairs"
    file.write_bytes('{"a":"Größe","b":"x"}\n'.encode("latin-1") + b'{"a":"one","b":"one"}\n')
    bad, good = explained(file)
    assert bad == {"error": {"code": "invalid_request", "message": "the line is not UTF-8"}}
    assert good["hit"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_an_id_that_json_has_not_is_refused(number: str) -> None:
    [(output, fine)] = explain_lines([f'{{"id":{number},"a":"x","b":"y"}}'], WordMatcher())
    assert not fine
    assert "error" in json.loads(json.dumps(output, allow_nan=False))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "the line is empty"),
        ("[1]", "a line must be an object"),
        ('{"a": 1\r\n', "not JSON: Expecting ',' delimiter at column 8"),
        ("[" * 100_000, "not JSON that can be read: a number too long, or nested too deeply"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: str, message: str) -> None:
    with pytest.raises(InvalidLineError) as caught:
        object_of(line)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["nothing", "."])
def test_a_file_that_cannot_be_read_ends_the_command(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, lines_of(str(tmp_path / name)):
        pass
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err.startswith(f"forebay: cannot read {tmp_path / name}: ")


@pytest.mark.parametrize("truth", [[True], [False], [True] * 5, [False] * 5])
def test_pairs_of_one_label_leave_open_what_they_cannot_tell(truth: list[bool]) -> None:
    some = np.linspace(0.1, 0.9, len(truth))
    off = np.zeros(len(truth), bool)
    data = Labelled(scores=some, cosines=some, hits=off, forbidden=off, truth=np.array(truth), threshold=0.95)
    found = json.loads(json.dumps(report(data, 0.01), allow_nan=False))
    assert found["score"]["area"] is None
    recalls = set(found["score"]["recall_at_wrong_share"].values())
    assert recalls == ({1.0} if truth[0] else {None})
    assert [row["threshold"] for row in proposals(data, [0.01])] == [None]


@pytest.mark.parametrize(
    "line",
    [
        {"question": "q", "answer": "\ud800"},
        {"question": "q", "answer": "a", "task": "\ud800"},
        {"question": "\ud800", "answer": "a"},
        {"question": "q", "answer": "a", "language": 5},
        {"question": "q", "answer": 5},
        {"answer": "a"},
    ],
)
def test_an_approved_answer_that_cannot_be_kept_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(InvalidLineError):
        approved(line)
