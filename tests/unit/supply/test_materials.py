"""The bill of materials names everything that is locked, by the same bytes."""

import json
from pathlib import Path
from typing import Any

import pytest

from forebay.artifacts import locked
from supply.images import FILES, used
from supply.locks import ROOT, packages
from supply.materials import LOCK, bill, main


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return bill()


def of(written: dict[str, Any], scheme: str) -> dict[str, dict[str, Any]]:
    return {one["purl"]: one for one in written["components"] if one["purl"].startswith(f"pkg:{scheme}/")}


def test_every_package_of_the_runtime_lock_is_in_it_with_its_hashes(written: dict[str, Any]) -> None:
    found = of(written, "pypi")
    wanted = {f"pkg:pypi/{one.name}@{one.version}": one for one in packages((ROOT / LOCK).read_text("utf-8"))}
    assert found.keys() == wanted.keys()
    for purl, package in wanted.items():
        assert tuple(one["value"] for one in found[purl]["properties"]) == package.sha256
    named = [one for one in found.values() if "licenses" in one]
    assert len(named) > len(found) / 2, "packages say under which licence they are"
    [redis] = [one for one in found.values() if one["name"] == "redis"]
    assert redis["licenses"] == [{"license": {"name": "MIT"}}]


def test_every_jar_is_in_it_with_its_hash(written: dict[str, Any]) -> None:
    found = {(one["group"], one["name"], one["version"]): one["hashes"] for one in of(written, "maven").values()}
    jars = [jar for path in (ROOT / "streams/forebay/artifacts").glob("*.lock.toml") for jar in locked(path.name[:-10])]
    assert len(jars) > 40
    for jar in jars:
        assert {"alg": "SHA-256", "content": jar.sha256} in found[jar.group, jar.name, jar.version]


def test_every_image_is_in_it_and_says_whether_it_is_pinned(written: dict[str, Any]) -> None:
    images = {image.tagged: image for file in FILES for image in used(file, (ROOT / file).read_text("utf-8"))}
    found = {f"{one['name']}:{one['version']}": one["properties"][0] for one in of(written, "docker").values()}
    assert {tagged: one["value"] for tagged, one in found.items()} == {
        tagged: "true" if image.digest else "false" for tagged, image in images.items()
    }


def test_names_are_unique_and_hang_together(written: dict[str, Any]) -> None:
    refs = [one["bom-ref"] for one in written["components"]]
    assert len(refs) == len(set(refs))
    assert written["dependencies"][0] == {"ref": "forebay", "dependsOn": refs}
    assert written == bill(), "the same checkout, the same bill"


def test_what_the_schema_refuses_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out" / "sbom.json"
    assert main([str(file)], lambda _: "components/0: no") == 1
    assert not file.exists()
    assert "components/0: no" in capsys.readouterr().err
    assert main([str(file)], lambda _: "") == 0
    assert json.loads(file.read_text("utf-8"))["bomFormat"] == "CycloneDX"
