"""May a schema change? Only so that readers with the new schema understand everything that was ever written.

BACKWARD_TRANSITIVE, decided by the Apache Avro library against all versions in ``schemas/registry.json``.
"""

from typing import Any

from forebay.avro.registry import LocalRegistry, UnknownSchemaError
from forebay.avro.schemas import Schema, canonical_text, schema_of
from forebay.contract.topics import TOPICS


def incompatibilities(schema: Schema, earlier: list[Schema]) -> list[str]:
    """Why ``schema`` cannot read what the ``earlier`` versions wrote; empty when it can."""
    # A development dependency: production registers through a schema registry, which checks by itself.
    from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
    from avro.schema import parse

    reader = parse(canonical_text(schema))
    problems = []
    for version, written in enumerate(earlier, start=1):
        checker: Any = ReaderWriterCompatibilityChecker
        result = checker().get_compatibility(reader, parse(canonical_text(written)))
        if result.compatibility is not SchemaCompatibilityType.compatible:
            problems += [f"version {version}: {message}" for message in sorted(result.messages)]
    return problems


def check_all() -> list[str]:
    """Problems of all schemas: not registered, or incompatible with an earlier version."""
    registry = LocalRegistry()
    problems = []
    for topic in TOPICS.values():
        if topic.record is None:
            continue
        schema = schema_of(topic.record.__name__)
        try:
            registry.id_of(topic.subject, schema)
        except UnknownSchemaError as error:
            problems.append(str(error))
        problems += [f"{topic.subject}: {text}" for text in incompatibilities(schema, registry.versions(topic.subject))]
    return problems
