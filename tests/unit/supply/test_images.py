"""Images are named by digest, or it is said that they are not; nobody invents one."""

import re
import shutil
from pathlib import Path

import pytest

from supply import images
from supply.images import FILES, ImageError, faults, main, pin, pinned, unpinned, used
from supply.locks import ROOT

REAL = "sha256:" + "3f9a" * 16
OTHER = "sha256:" + "b07c" * 16
COMPOSE = "services:\n  a:\n    image: some/server:1.2.3{a}\n  b:\n    image: forebay:0.1.0\n"
DOCKERFILE = "FROM python:3.11.1-slim{b} AS build\nRUN true\nFROM python:3.11.1-slim{c}\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return written(tmp_path, "", "", "")


def written(folder: Path, a: str, b: str, c: str) -> Path:
    (folder / "docker-compose.yml").write_text(COMPOSE.format(a=a))
    (folder / "Dockerfile").write_text(DOCKERFILE.format(b=b, c=c))
    return folder


def everything(folder: Path) -> str:
    return "".join((folder / file).read_text() for file in FILES)


def test_images_of_others_are_found_and_our_own_is_not() -> None:
    found = used("docker-compose.yml", COMPOSE.format(a="@" + REAL)) + used("Dockerfile", DOCKERFILE.format(b="", c=""))
    assert [(image.tagged, image.digest) for image in found] == [
        ("some/server:1.2.3", REAL),
        ("python:3.11.1-slim", ""),
        ("python:3.11.1-slim", ""),
    ]
    assert unpinned(found) == ["python:3.11.1-slim"]
    assert faults(found) == []


@pytest.mark.parametrize(
    ("a", "b", "c", "says"),
    [
        ("@sha256:abc", "", "", "has a digest that is none"),
        ("@" + REAL.upper(), "", "", "has a digest that is none"),
        ("@TODO", "", "", "has a digest that is none"),
        ("", "@" + REAL, "@" + OTHER, "named by two digests"),
        ("", "@" + REAL, "", "or once without"),
    ],
)
def test_what_is_no_digest_or_not_the_only_one_is_a_fault(
    a: str, b: str, c: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check"], written(tmp_path, a, b, c)) == 1
    assert says in capsys.readouterr().err


def test_an_image_without_a_tag_or_a_version_is_a_fault(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, says in {"some/server": "is not NAME:TAG", "some/server:latest": "names no version"}.items():
        (checkout / "docker-compose.yml").write_text(f"    image: {name}\n")
        assert main(["check"], checkout) == 1
        assert says in capsys.readouterr().err


def test_without_digests_the_check_says_so_and_a_release_is_refused(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check"], checkout) == 0
    said = capsys.readouterr().out
    assert "python:3.11.1-slim, some/server:1.2.3" in said
    assert "no release" in said
    assert main(["check", "--release"], checkout) == 1
    assert "no release: named by tag only" in capsys.readouterr().err


def test_who_reaches_the_images_has_all_digests_written_where_they_are_used(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"some/server:1.2.3": REAL, "python:3.11.1-slim": OTHER}
    assert main(["pin"], checkout, known.__getitem__) == 0
    assert everything(checkout) == COMPOSE.format(a="@" + REAL) + DOCKERFILE.format(b="@" + OTHER, c="@" + OTHER)
    assert main(["check", "--release"], checkout) == 0
    newer = dict.fromkeys(known, "sha256:" + "5e11" * 16)
    pin(checkout, newer.__getitem__)
    assert REAL not in everything(checkout), "asked again, and replaced"
    assert everything(checkout).count("5e11" * 16) == 3


@pytest.mark.parametrize("answer", ["", "sha256:", "latest", REAL + "0"])
def test_one_answer_that_is_none_and_nothing_is_written(
    answer: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(checkout)
    known = {"some/server:1.2.3": REAL, "python:3.11.1-slim": answer}
    assert main(["pin"], checkout, known.__getitem__) == 3
    assert everything(checkout) == before
    assert "nothing was written" in capsys.readouterr().err


def test_where_docker_is_not_or_reaches_nothing_no_digest_is_invented(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = everything(checkout)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImageError):
        pin(checkout)
    docker = tmp_path / "docker"
    for program in ("echo no route >&2; exit 1", "echo '{}'", "echo no JSON", "echo '[]'"):
        docker.write_text(f"#!/bin/sh\n{program}\n")
        docker.chmod(0o755)
        with pytest.raises(ImageError):
            pin(checkout)
    assert everything(checkout) == before


def test_what_docker_says_of_an_index_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    answer = f'{{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{REAL}","size":1}}'
    docker.write_text(f"#!/bin/sh\n[ \"$6\" = some/server:1.2.3 ] && echo '{answer}'\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert images.ask_registry("some/server:1.2.3") == REAL


def test_our_files_have_the_form_and_keep_it_when_they_are_pinned(tmp_path: Path) -> None:
    for file in FILES:
        shutil.copy(ROOT / file, tmp_path / file)
    assert main(["check"], tmp_path) == 0
    before = [image.tagged for file in FILES for image in used(file, (ROOT / file).read_text("utf-8"))]
    pin(tmp_path, lambda _: REAL)
    after = [image for file in FILES for image in used(file, (tmp_path / file).read_text("utf-8"))]
    assert [image.tagged for image in after] == before
    assert {image.digest for image in after} == {REAL}
    assert main(["check", "--release"], tmp_path) == 0
    for file in FILES:
        stripped = re.sub(r"@sha256:[0-9a-f]{64}", "", (tmp_path / file).read_text("utf-8"))
        assert stripped == re.sub(r"@sha256:[0-9a-f]{64}", "", (ROOT / file).read_text("utf-8"))


def test_text_without_images_stays_as_it_is() -> None:
    assert pinned("key: value\n# image: none\n", {"none": REAL}) == "key: value\n# image: none\n"
