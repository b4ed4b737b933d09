"""Which id has a schema, and which schema has an id? One interface, two implementations.

:class:`LocalRegistry` reads ``schemas/registry.json``, which also keeps every version that was ever published, so that
compatibility is checked against all of them (BACKWARD_TRANSITIVE). :class:`ConfluentRegistry` asks a schema registry;
it never registers by itself (``auto.register.schemas=False``): a deployment step does, ``forebay schemas register``.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from forebay.avro.schemas import Schema, canonical_text
from forebay.avro.settings import RegistrySettings
from forebay.resources import data_path
from forebay.settings import KafkaSettings, Settings

T = TypeVar("T")

_NOT_FOUND = 404
_PATIENCE = {"timeout": 3, "max.retries": 1, "retries.wait.ms": 100, "retries.max.wait.ms": 100}
"""The client's own 10 s and three retries would stand still the event loop that asks; the retry topics wait instead."""


class UnknownSchemaError(LookupError):
    """The registry has no such id, or no such schema under that subject."""


class RegistryUnavailableError(Exception):
    """The registry does not answer, or not now: nothing is known about the schema."""


class Registry(Protocol):
    """Where schema ids come from. A remote one may raise :class:`RegistryUnavailableError` from both."""

    def id_of(self, subject: str, schema: Schema) -> int:
        """Id of exactly this ``schema`` under ``subject``. Raises :class:`UnknownSchemaError`."""
        ...

    def schema(self, schema_id: int) -> Schema:
        """The schema with that id. Raises :class:`UnknownSchemaError`."""
        ...


class LocalRegistry:
    """Ids from a checked-in file; subjects there carry no topic prefix.

    The file: ``{"subjects": {"requests-value": [1, 7]}, "schemas": {"1": {...}, "7": {...}}}``, versions oldest first.
    """

    def __init__(self, path: Path | None = None, *, prefix: str = "") -> None:
        self._path = path or data_path("schemas") / "registry.json"
        self._prefix = prefix
        content = json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}
        self._subjects: dict[str, list[int]] = content.get("subjects", {})
        self._schemas: dict[int, Schema] = {int(key): value for key, value in content.get("schemas", {}).items()}

    def id_of(self, subject: str, schema: Schema) -> int:
        """See :class:`Registry`."""
        text = canonical_text(schema)
        for schema_id in reversed(self._subjects.get(subject.removeprefix(self._prefix), [])):
            if canonical_text(self._schemas[schema_id]) == text:
                return schema_id
        raise UnknownSchemaError(
            f"{self._path} does not hold the current schema of {subject!r}; run `forebay schemas register`"
        )

    def schema(self, schema_id: int) -> Schema:
        """See :class:`Registry`."""
        try:
            return self._schemas[schema_id]
        except KeyError:
            raise UnknownSchemaError(f"no schema has id {schema_id}") from None

    def versions(self, subject: str) -> list[Schema]:
        """Every version published under ``subject``, oldest first."""
        return [self._schemas[schema_id] for schema_id in self._subjects.get(subject.removeprefix(self._prefix), [])]

    def register(self, subject: str, schema: Schema) -> int:
        """Add ``schema`` as the newest version and write the file; the id of an equal schema is reused."""
        text = canonical_text(schema)
        same = (key for key, value in self._schemas.items() if canonical_text(value) == text)
        schema_id = next(same, max(self._schemas, default=0) + 1)
        self._schemas[schema_id] = schema
        versions = self._subjects.setdefault(subject.removeprefix(self._prefix), [])
        if schema_id not in versions:
            versions.append(schema_id)
        content = {
            "subjects": dict(sorted(self._subjects.items())),
            "schemas": {str(key): self._schemas[key] for key in sorted(self._schemas)},
        }
        self._path.write_text(json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
        return schema_id


class ConfluentRegistry:
    """A Confluent-compatible schema registry.

    Args:
        url: base URL, for example of a Confluent, Karapace or Apicurio (``/apis/ccompat/v7``) server.
        options: further ``SchemaRegistryClient`` settings (``basic.auth.user.info``, ``ssl.ca.location`` …).
    """

    def __init__(self, url: str, options: dict[str, Any] | None = None) -> None:
        # Imported here: it costs 0.3 s that the local registry does not need.
        from confluent_kafka.schema_registry import SchemaRegistryClient

        self._client = SchemaRegistryClient({"url": url, **_PATIENCE, **(options or {})})

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def id_of(self, subject: str, schema: Schema) -> int:
        """See :class:`Registry`."""
        from confluent_kafka.schema_registry import Schema as RegisteredSchema

        wanted = RegisteredSchema(canonical_text(schema), "AVRO")
        found = self._ask(
            lambda: self._client.lookup_schema(subject, wanted),
            f"the schema registry does not hold the current schema of {subject!r}; run `forebay schemas register`",
        )
        assert found.schema_id is not None
        return found.schema_id

    def schema(self, schema_id: int) -> Schema:
        """See :class:`Registry`."""
        found = self._ask(lambda: self._client.get_schema(schema_id), f"the schema registry has no id {schema_id}")
        schema: Schema = json.loads(found.schema_str or "{}")
        return schema

    def register(self, subject: str, schema: Schema) -> int:
        """Register ``schema`` under ``subject`` with BACKWARD_TRANSITIVE compatibility. Raises when incompatible."""
        from confluent_kafka.schema_registry import ConfigCompatibilityLevel, ServerConfig
        from confluent_kafka.schema_registry import Schema as RegisteredSchema

        self._client.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel.BACKWARD_TRANSITIVE))
        return int(self._client.register_schema(subject, RegisteredSchema(canonical_text(schema), "AVRO")))

    @staticmethod
    def _ask(question: Callable[[], T], unknown: str) -> T:
        """The answer. Raises :class:`UnknownSchemaError` for "not found", else :class:`RegistryUnavailableError`."""
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        try:
            return question()
        except SchemaRegistryError as error:
            if error.http_status_code == _NOT_FOUND:
                raise UnknownSchemaError(unknown) from error
            raise RegistryUnavailableError(f"the schema registry answered {error.http_status_code}") from error
        except Exception as error:  # of whichever HTTP library the client found: httpx or httpx2
            raise RegistryUnavailableError(f"the schema registry: {type(error).__name__}") from error


def open_registry(settings: Settings) -> Registry:
    """The schema registry that the settings name."""
    chosen, prefix = settings[RegistrySettings], settings[KafkaSettings].topic_prefix
    if chosen.kind == "local":
        return LocalRegistry(prefix=prefix)
    user_info = chosen.user_info.get_secret_value()
    return ConfluentRegistry(chosen.url, {"basic.auth.user.info": user_info} if user_info else None)
