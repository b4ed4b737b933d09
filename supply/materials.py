"""What is in it? ``make sbom`` writes a bill of materials, CycloneDX 1.6 in JSON, of what an installation runs.

Python packages with the hashes of the runtime lock, jars with those of ``streams/forebay/artifacts``, images of others
as ``docker-compose.yml`` and the ``Dockerfile`` name them. Licences are what the installed packages say of themselves.
No tool reads all three, so it is put together here, and checked against CycloneDX's own schema before it is written.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

from forebay import __version__
from forebay.artifacts import locked
from supply.images import FILES, used
from supply.locks import ROOT, packages

LOCK = "requirements-runtime.lock"
_JARS = Path("streams/forebay/artifacts")
_LONGEST_LICENCE = 100  # some packages have the whole text in that field


def bill(root: Path = ROOT) -> dict[str, Any]:
    """The bill of materials of a checkout, without time and serial number: the same checkout, the same bill."""
    components = [*_packages(root), *_jars(root), *_images(root)]
    ours = {
        "type": "application",
        "bom-ref": "forebay",
        "name": "forebay",
        "version": __version__,
        "purl": f"pkg:pypi/forebay@{__version__}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    refs = [component["bom-ref"] for component in components]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours},
        "components": components,
        "dependencies": [{"ref": "forebay", "dependsOn": refs}, *({"ref": ref} for ref in refs)],
    }


def _packages(root: Path) -> Iterator[dict[str, Any]]:
    for package in packages((root / LOCK).read_text("utf-8")):
        purl = f"pkg:pypi/{package.name}@{package.version}"
        component = _component("library", package.name, package.version, purl)
        # Hashes of a package's files, of which one is installed: the component itself has no single one.
        component["properties"] = [{"name": "forebay:file:sha256", "value": value} for value in package.sha256]
        if licence := _licence(package.name, package.version):
            component["licenses"] = [{"license": {"name": licence}}]
        yield component


def _licence(name: str, version: str) -> str:
    try:
        said: PackageMetadata = metadata(name)
    except PackageNotFoundError:
        return ""
    if said["Version"] != version:
        return ""
    for field in ("License-Expression", "License"):
        if field in said and 0 < len(said[field]) <= _LONGEST_LICENCE and "\n" not in said[field]:
            return str(said[field])
    classified = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or [] if one.startswith("License ::")]
    return ", ".join(classified)


def _jars(root: Path) -> Iterator[dict[str, Any]]:
    seen = set()
    for path in sorted((root / _JARS).glob("*.lock.toml")):
        for jar in locked(path.name.removesuffix(".lock.toml")):
            qualifiers = f"type={jar.packaging}" + (f"&classifier={jar.classifier}" if jar.classifier else "")
            purl = f"pkg:maven/{jar.group}/{jar.name}@{jar.version}?{qualifiers}"
            if purl not in seen:
                seen.add(purl)
                component = _component("library", jar.name, jar.version, purl)
                yield component | {"group": jar.group, "hashes": [{"alg": "SHA-256", "content": jar.sha256}]}


def _images(root: Path) -> Iterator[dict[str, Any]]:
    images = {image.tagged: image for file in FILES for image in used(file, (root / file).read_text("utf-8"))}
    for tagged, image in sorted(images.items()):
        name, _, tag = tagged.partition(":")
        # A docker purl's version is the digest; of an image without one the tag is all that is known.
        purl = f"pkg:docker/{name}@{quote(image.digest or tag, safe='')}" + (f"?tag={tag}" if image.digest else "")
        component = _component("container", name, tag, purl)
        pinned = {"name": "forebay:pinned-by-digest", "value": str(bool(image.digest)).lower()}
        yield component | {"properties": [pinned]}


def _component(kind: str, name: str, version: str, purl: str) -> dict[str, Any]:
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}


def cyclonedx_says(text: str) -> str:
    """What CycloneDX's own schema has against a bill; empty if nothing. Needs ``requirements-tools.lock``."""
    schema = import_module("cyclonedx.schema")
    validator = import_module("cyclonedx.validation.json").JsonStrictValidator(schema.SchemaVersion.V1_6)
    return "" if (wrong := validator.validate_str(text)) is None else str(wrong)


def main(arguments: list[str] | None = None, check: Callable[[str], str] = cyclonedx_says) -> int:
    """Run the command; exit status 1: the bill is not one, and nothing was written."""
    parser = argparse.ArgumentParser(prog="python -m supply.materials", description="Write a bill of materials.")
    parser.add_argument("file", type=Path, help="where to, such as dist/forebay.cdx.json")
    file: Path = parser.parse_args(arguments).file
    found = bill()
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    if wrong := check(text):
        print(f"nothing was written, this is no CycloneDX 1.6: {wrong[:2000]}", file=sys.stderr)
        return 1
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    unnamed = [one["name"] for one in found["components"] if one["type"] == "library" and "licenses" not in one]
    print(f"{file}: {len(found['components'])} components; without a licence of their own saying: {len(unnamed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
