"""Each row of the table of records names a test, and the test is there: no row says more than is shown."""

import re
from collections.abc import Iterator

from forebay.contract.error_codes import CODES
from tests.unit.docs.pages import ROOT, every_test

PAGE = (ROOT / "docs/reliability.md").read_text("utf-8")
HEAD = "| record | where | what happens | what its producer sees | shown by |"
KINDS = 20


def rows() -> Iterator[list[str]]:
    """Cells of each row below the head."""
    below = PAGE.partition(HEAD)[2].split("\n\n")[0].strip().splitlines()[1:]
    for line in below:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_is_there() -> None:
    assert PAGE.count(HEAD) == 1
    assert len(list(rows())) >= KINDS
    assert {len(row) for row in rows()} == {5}


def test_each_row_names_tests_that_are_there_once() -> None:
    there = every_test()
    for row in rows():
        named = re.findall(r"`(test_\w+::test_\w+)`", row[-1])
        assert named, f"nothing shows: {row[0]}"
        assert {name: there[name] for name in named} == dict.fromkeys(named, 1)


def test_codes_are_those_of_the_catalogue() -> None:
    words = {
        word for row in rows() for word in re.findall(r"`([a-z]+(?:_[a-z]+)+|bug|undecodable|unreadable)`", row[2])
    }
    assert {"unreadable", "ended_worker", "record_too_large"} <= words <= CODES.keys()
