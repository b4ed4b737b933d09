"""An audit that could not look has failed, and says of what."""

from pathlib import Path
from typing import Any

import pytest

from supply.audit import FOUND, NOT_LOOKED, AuditError, judged, main
from supply.locks import packages

HASH = "--hash=sha256:" + "ab" * 32
LOCK = (
    f"left-pad==1.0.0 \\\n    {HASH}\n"
    f"right.pad==2.1 \\\n    {HASH} \\\n    {HASH}\n"
    f"elsewhere==3 ; sys_platform == 'plan9' \\\n    {HASH}\n"
)


def report(**entries: Any) -> dict[str, Any]:
    found = []
    for name, (version, said) in entries.items():
        known = {"skip_reason": said} if isinstance(said, str) else {"version": version, "vulns": said}
        found.append({"name": name.replace("_", "-"), **known})
    return {"dependencies": found, "fixes": []}


CLEAN = report(left_pad=("1.0.0", []), right_pad=("2.1", []))
SKIPPED = report(left_pad=("1.0.0", "could not be audited"), right_pad=("2.1", "could not be audited"))


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "some.lock"
    path.write_text(LOCK)
    return path


def test_all_looked_up_and_none_weak_is_the_only_good_end(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(lock)], lambda _: CLEAN) == 0
    assert capsys.readouterr().out == "some.lock: 2 packages looked up, 0 known weaknesses\n"


def test_a_report_that_skips_all_is_no_good_end_though_pip_audit_calls_it_one(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(lock)], lambda _: SKIPPED) == NOT_LOOKED
    assert "NOT AUDITED: nothing is known of 2 of 2 packages (left-pad, right.pad)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (report(left_pad=("1.0.0", [])), "a package that the report does not mention"),
        (report(left_pad=("1.0.0", []), right_pad=("2.0", [])), "a version that is not the locked one"),
        (report(left_pad=("1.0.0", []), right_pad=("2.1", "no such package")), "one of many"),
        (report(), "an empty report"),
    ],
)
def test_one_package_not_looked_up_is_enough_to_fail(missing: Any, said: str, lock: Path) -> None:
    assert main([str(lock)], lambda _: missing) == NOT_LOOKED, said


def test_a_weakness_is_named_and_counts_more_than_what_was_not_looked_up(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weak = report(left_pad=("1.0.0", [{"id": "GHSA-x", "fix_versions": []}]), right_pad=("2.1", "skipped"))
    assert main([str(lock)], lambda _: weak) == FOUND
    said = capsys.readouterr().err
    assert "left-pad 1.0.0: GHSA-x" in said
    assert "NOT AUDITED" in said


def test_the_worst_lock_decides(lock: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.lock"
    other.write_text(LOCK)
    answers = {"some.lock": SKIPPED, "other.lock": CLEAN}
    assert main([str(lock), str(other)], lambda path: answers[path.name]) == NOT_LOOKED
    assert main([str(other), str(lock)], lambda path: answers[path.name]) == NOT_LOOKED


@pytest.mark.parametrize("garbage", [None, [], {}, {"dependencies": None}, {"dependencies": [{}]}, {"error": "500"}])
def test_what_is_no_report_is_no_good_end(garbage: Any, lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(lock)], lambda _: garbage) == NOT_LOOKED
    assert "NOT AUDITED" in capsys.readouterr().err


def test_a_tool_that_ends_without_a_report_is_no_good_end(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: Path) -> Any:
        raise AuditError("pip-audit wrote no report: no network")

    assert main([str(lock)], broken) == NOT_LOOKED
    assert "some.lock: NOT AUDITED: pip-audit wrote no report: no network" in capsys.readouterr().err
    assert main([str(lock.parent / "missing.lock")], lambda _: CLEAN) == NOT_LOOKED


def test_what_is_not_installed_here_is_not_asked_for() -> None:
    assert [package.name for package in packages(LOCK) if not package.here] == ["elsewhere"]
    assert judged(CLEAN, packages(LOCK)).status == 0


@pytest.mark.parametrize("line", ["left-pad>=1", "left-pad", "left-pad==1 --hash=md5:ab", f"left-pad==1 {HASH}ff"])
def test_a_lock_is_exact(line: str) -> None:
    with pytest.raises(ValueError, match="left-pad"):
        packages(line + "\n")
