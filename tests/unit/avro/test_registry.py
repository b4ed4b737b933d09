"""Registries: ids that stay, versions that are kept, changes that are refused, outages that are no answer."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from forebay.avro.compatibility import check_all, incompatibilities
from forebay.avro.registry import (
    ConfluentRegistry,
    LocalRegistry,
    RegistryUnavailableError,
    UnknownSchemaError,
    open_registry,
)
from forebay.avro.schemas import Schema, canonical_text, schema_of
from forebay.contract.topics import TOPICS
from forebay.settings import Settings


def record(*fields: dict[str, Any], name: str = "Thing") -> Schema:
    return {"type": "record", "name": name, "fields": list(fields)}


ID = {"name": "id", "type": "string", "default": ""}
COUNT = {"name": "count", "type": "long", "default": 0}


def test_every_schema_is_registered_and_reads_all_that_was_ever_written() -> None:
    assert check_all() == []


@pytest.mark.parametrize(
    "change",
    [
        record(ID, {"name": "count", "type": "string", "default": ""}),
        record(ID, COUNT, {"name": "more", "type": "string"}),
        record(ID, COUNT, name="Other"),
    ],
    ids=["another type", "a new field without a default", "another name"],
)
def test_a_change_that_cannot_read_the_old_records_is_refused(change: Schema) -> None:
    assert incompatibilities(change, [record(ID, COUNT)])


@pytest.mark.parametrize("change", [record(ID), record(ID, COUNT, {"name": "more", "type": "int", "default": 1})])
def test_a_change_that_can_is_not(change: Schema) -> None:
    assert incompatibilities(change, [record(ID, COUNT)]) == []


def test_every_earlier_version_counts_not_only_the_last() -> None:
    dropped, back_as_text = record(ID), record(ID, {"name": "count", "type": "string", "default": ""})
    assert incompatibilities(back_as_text, [dropped]) == []
    assert incompatibilities(back_as_text, [record(ID, COUNT), dropped])


@pytest.fixture
def local(tmp_path: Path) -> LocalRegistry:
    return LocalRegistry(tmp_path / "registry.json", prefix="p.")


def test_an_id_is_kept_and_shared_by_equal_schemas(local: LocalRegistry, tmp_path: Path) -> None:
    first = local.register("a-value", record(ID))
    assert local.register("a-value", record(ID)) == local.register("b-value", record(ID)) == first
    second = local.register("a-value", record(ID, COUNT))
    again = LocalRegistry(tmp_path / "registry.json", prefix="p.")
    assert second != first
    assert again.versions("a-value") == [record(ID), record(ID, COUNT)]
    assert again.versions("b-value") == [record(ID)]
    assert (again.id_of("a-value", record(ID)), again.id_of("p.a-value", record(ID, COUNT))) == (first, second)
    assert again.schema(second) == record(ID, COUNT)


def test_what_is_not_registered_is_unknown(local: LocalRegistry) -> None:
    local.register("a-value", record(ID))
    with pytest.raises(UnknownSchemaError, match="forebay schemas register"):
        local.id_of("a-value", record(ID, COUNT))
    with pytest.raises(UnknownSchemaError):
        local.id_of("b-value", record(ID))
    with pytest.raises(UnknownSchemaError, match="77"):
        local.schema(77)


def shuffled(node: Any, rng: random.Random) -> Any:
    if isinstance(node, dict):
        keys = list(node)
        rng.shuffle(keys)
        return {key: shuffled(node[key], rng) for key in keys}
    return [shuffled(item, rng) for item in node] if isinstance(node, list) else node


@given(st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_the_order_of_keys_makes_no_other_schema(rng: random.Random) -> None:
    schema = schema_of("Alert")
    assert canonical_text(shuffled(schema, rng)) == canonical_text(schema)


class Server:
    """As much of the Confluent API as the client uses, over real HTTP."""

    def __init__(self) -> None:
        self.schemas: list[str] = []
        self.compatibility: dict[str, str] = {}
        self.outage: int | None = None
        self.url = ""

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/subjects/{subject}", self._look_up)
        app.router.add_post("/subjects/{subject}/versions", self._register)
        app.router.add_put("/config/{subject}", self._configure)
        app.router.add_get("/schemas/ids/{id}", self._get)
        return app

    def _answer(self, content: dict[str, Any], status: int = 200) -> web.Response:
        if self.outage is not None:
            content, status = {"error_code": 50001, "message": "down"}, self.outage
        response = web.json_response(content, status=status)
        response.force_close()  # the client has no way to close its connections
        return response

    async def _look_up(self, request: web.Request) -> web.Response:
        text = (await request.json())["schema"]
        if text not in self.schemas:
            return self._answer({"error_code": 40403, "message": "Schema not found"}, 404)
        schema_id = self.schemas.index(text) + 1
        return self._answer({"subject": request.match_info["subject"], "id": schema_id, "version": 1, "schema": text})

    async def _register(self, request: web.Request) -> web.Response:
        self.schemas.append((await request.json())["schema"])
        return self._answer({"id": len(self.schemas)})

    async def _configure(self, request: web.Request) -> web.Response:
        content = await request.json()
        self.compatibility[request.match_info["subject"]] = content["compatibility"]
        return self._answer(content)

    async def _get(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        if number > len(self.schemas):
            return self._answer({"error_code": 40403, "message": "Schema not found"}, 404)
        return self._answer({"schema": self.schemas[number - 1]})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    runner = web.AppRunner(server.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


def confluent(server: Server) -> ConfluentRegistry:
    registry = open_registry(Settings({"registry": {"kind": "confluent", "url": server.url}}))
    assert isinstance(registry, ConfluentRegistry)
    return registry


async def test_a_registry_server_is_asked_and_told_to_refuse_what_breaks(server: Server) -> None:
    registry = await asyncio.to_thread(confluent, server)
    schema = schema_of("Alert")
    assert await asyncio.to_thread(registry.register, "p.alerts-value", schema) == 1
    assert server.compatibility == {"p.alerts-value": "BACKWARD_TRANSITIVE"}
    fresh = await asyncio.to_thread(confluent, server)
    assert await asyncio.to_thread(fresh.id_of, "p.alerts-value", schema) == 1
    assert await asyncio.to_thread(fresh.schema, 1) == schema


async def test_what_a_registry_server_does_not_know_is_unknown(server: Server) -> None:
    registry = await asyncio.to_thread(confluent, server)
    with pytest.raises(UnknownSchemaError, match="forebay schemas register"):
        await asyncio.to_thread(registry.id_of, "p.alerts-value", schema_of("Alert"))
    with pytest.raises(UnknownSchemaError, match="id 9"):
        await asyncio.to_thread(registry.schema, 9)


@pytest.mark.parametrize("status", [401, 500])
async def test_a_registry_server_in_trouble_knows_nothing_rather_than_that_there_is_nothing(
    server: Server, status: int
) -> None:
    server.outage = status
    registry = await asyncio.to_thread(confluent, server)
    with pytest.raises(RegistryUnavailableError, match=str(status)):
        await asyncio.to_thread(registry.schema, 1)


async def test_a_registry_server_that_is_gone_is_unavailable() -> None:
    registry = await asyncio.to_thread(ConfluentRegistry, "http://127.0.0.1:1")
    with pytest.raises(RegistryUnavailableError, match="ConnectError"):
        await asyncio.to_thread(registry.schema, 1)


def test_a_topic_without_a_record_type_has_no_schema() -> None:
    assert {topic.name for topic in TOPICS.values() if topic.record is None} == {
        "retry.10s", "retry.1m", "retry.10m", "dlq", "clock",
    }  # fmt: skip


def test_the_checked_in_file_is_plain_json_with_ids_as_keys() -> None:
    content = json.loads((Path(LocalRegistry()._path)).read_text())
    assert all(str(schema_id) in content["schemas"] for ids in content["subjects"].values() for schema_id in ids)
