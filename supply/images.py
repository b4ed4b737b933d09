"""Are the images of others named by their bytes? ``python -m supply.images check``, and ``pin`` for who can reach them.

A tag can be moved by whoever owns it, a digest cannot. Digests stand where the images are used, in
``docker-compose.yml`` and the ``Dockerfile``, so nothing has to be passed along for them to count. Only a registry of
images knows them: ``pin`` asks it by ``docker buildx imagetools``, and writes all of them or none. Where none is
reached, images stay named by their tag; ``check`` says so, and ``check --release`` refuses.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from supply.locks import ROOT

FILES = ("docker-compose.yml", "Dockerfile")
OURS = "forebay:"
_USE = re.compile(r"^(?P<before>\s*image:\s*|FROM )(?P<image>\S+)", re.MULTILINE)
_NAME = re.compile(r"(?P<tagged>[a-z0-9][a-z0-9._/-]*:(?P<tag>[\w.-]+))(?:@(?P<digest>\S+))?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TIMEOUT_S = 120.0


class ImageError(Exception):
    """A digest could not be had, or what came is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """An image of others as a file names it; ``tagged`` without and ``digest`` with what follows the ``@``."""

    file: str
    tagged: str
    digest: str


def used(file: str, text: str) -> list[Used]:
    """The images of others that ``text`` names.

    Raises:
        ImageError: one has no tag.
    """
    found = []
    for use in _USE.finditer(text):
        if use["image"].startswith(OURS):
            continue
        name = _NAME.fullmatch(use["image"])
        if name is None:
            raise ImageError(f"{file}: {use['image']} is not NAME:TAG or NAME:TAG@DIGEST")
        found.append(Used(file=file, tagged=name["tagged"], digest=name["digest"] or ""))
    return found


def faults(images: Iterable[Used]) -> list[str]:
    """What is wrong with the form of their names, whether pinned or not."""
    wrong, seen = [], dict[str, str]()
    for image in images:
        if not re.search(r"\d+\.\d+", image.tagged.partition(":")[2]):
            wrong.append(f"{image.file}: {image.tagged} names no version")
        if image.digest and not _DIGEST.fullmatch(image.digest):
            wrong.append(f"{image.file}: {image.tagged} has a digest that is none: {image.digest}")
        if seen.setdefault(image.tagged, image.digest) != image.digest:
            wrong.append(f"{image.file}: {image.tagged} is named by two digests, or once without")
    return wrong


def unpinned(images: Iterable[Used]) -> list[str]:
    """Names of those that have no digest."""
    return sorted({image.tagged for image in images if not image.digest})


def pinned(text: str, digests: Mapping[str, str]) -> str:
    """``text`` with the digest of each image in ``digests``, which replaces the one that stood there."""

    def with_digest(use: re.Match[str]) -> str:
        tagged = use["image"].partition("@")[0]
        return use["before"] + (f"{tagged}@{digests[tagged]}" if tagged in digests else use["image"])

    return _USE.sub(with_digest, text)


def ask_registry(tagged: str) -> str:
    """Digest of an image's index, for all platforms, as the registry has it now.

    Raises:
        ImageError: docker is not there, or reaches no registry.
    """
    command = ["docker", "buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", tagged]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIMEOUT_S)
        if done.returncode == 0:
            return str(json.loads(done.stdout)["digest"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        raise ImageError(f"{tagged}: {error}") from None
    raise ImageError(f"{tagged}: {(done.stderr.strip().splitlines() or ['docker ended without a word'])[-1]}")


def pin(folder: Path, ask: Callable[[str], str] = ask_registry) -> dict[str, str]:
    """Write the digests that ``ask`` knows into the files of ``folder``: all of them, or nothing.

    Raises:
        ImageError: a digest could not be had; no file was changed.
    """
    texts = {file: (folder / file).read_text("utf-8") for file in FILES}
    digests = {image.tagged: "" for file, text in texts.items() for image in used(file, text)}
    for tagged in digests:
        digests[tagged] = ask(tagged)
        if not _DIGEST.fullmatch(digests[tagged]):
            raise ImageError(f"{tagged}: {digests[tagged]!r} is no digest")
    for file, text in texts.items():
        (folder / file).write_text(pinned(text, digests), "utf-8")
    return digests


def main(arguments: list[str] | None = None, folder: Path = ROOT, ask: Callable[[str], str] = ask_registry) -> int:
    """Run the command; exit status 1: a name is wrong, or unpinned at a release; 3: no digest could be had."""
    parser = argparse.ArgumentParser(prog="python -m supply.images", description="Images by digest.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="is the form right; which images have no digest")
    check.add_argument("--release", action="store_true", help="exit status 1 if one has no digest")
    commands.add_parser("pin", help="write the digests, from a registry of images that docker reaches")
    given = parser.parse_args(arguments)
    if given.command == "pin":
        return _pin(folder, ask)
    try:
        images = [image for file in FILES for image in used(file, (folder / file).read_text("utf-8"))]
    except ImageError as error:
        return _complain(str(error), 1)
    if wrong := faults(images):
        return _complain("\n".join(wrong), 1)
    if missing := unpinned(images):
        said = f"named by tag only, so whoever owns the tag can change them: {', '.join(missing)}"
        if given.release:
            return _complain(f"no release: {said}; `python -m supply.images pin` writes their digests", 1)
        print(f"{said}; no release until `python -m supply.images pin` has run")
        return 0
    print(f"all {len({image.tagged for image in images})} images are named by digest")
    return 0


def _pin(folder: Path, ask: Callable[[str], str]) -> int:
    try:
        digests = pin(folder, ask)
    except ImageError as error:
        return _complain(f"nothing was written, no digest could be had: {error}", 3)
    for tagged, digest in digests.items():
        print(f"{tagged}@{digest}")
    return 0


def _complain(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
