"""What has to be started, and under which names is it reached? What the environment names is used, never started."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal

from forebay.artifacts import fetch
from forebay.contract.clock import now_ms
from forebay.embedded.files import kept
from forebay.embedded.layout import Layout, processes
from forebay.embedded.parts import Layer, Part
from forebay.embedded.ports import EDGE, Ports
from forebay.embedded.servers import class_cache, kafka, models
from forebay.embedded.servers.http_probe import http_health
from forebay.embedded.servers.redis import redis_part
from forebay.embedded.settings import EmbeddedSettings
from forebay.embedded.supervision.state import DOOR
from forebay.kafka.lag import RECORDER
from forebay.privacy.sealing import new_key_line
from forebay.settings import KafkaSettings, Settings
from forebay.settings.known import sections
from forebay.trust import keys

Workers = Literal["each", "single", "none"]

_SLOW_TO_LOAD = frozenset({"completion", "redaction", "cache", "workers"})
"""Workers that load for 2.6 to 6.4 s of CPU (litellm, Presidio, encoders): started beside the servers, not after."""
_LONGEST_RETRY_MS = 86_400_000
_DRAIN_S = 8.0
"""Workers drain for stage.drain_s (3 s), then commit and leave their groups."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The parts to start, servers first, and the variables under which everything is reached (with secrets)."""

    servers: Sequence[Part]
    workers: Sequence[Part]
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user chose; ``layout`` counts where each stage has a process of its own otherwise."""

    data_dir: Path
    brokers: int = 1
    workers: Workers = "each"
    edge: bool = True
    layout: Layout = ()


def named(tier: str, environment: Mapping[str, str]) -> bool:
    """Whether the environment names a model for ``tier``."""
    variables = (f"FOREBAY_TIER_{tier.upper()}_MODEL", f"FOREBAY_TIER_{tier.upper()}_URL")
    return any(environment.get(variable) for variable in variables)


def stage_names() -> list[str]:
    """All installed stages, as :func:`forebay.runtime.worker.stage_names`, which would import Faust (0.6 s)."""
    return sorted(entry.name for entry in entry_points(group="forebay.stages"))


def plan(options: Options, settings: Settings, environment: Mapping[str, str]) -> Plan:
    """The parts for ``options`` where the environment is ``environment``.

    Raises:
        ConfigurationError: the data folder has a cluster of another size.
        ArtifactError: Kafka or a model is not there; :mod:`forebay.embedded.prepare` fetches them.
    """
    folder = options.data_dir.absolute()
    older = (folder / "kafka").exists() and not (folder / "retry").exists()
    ports = Ports(folder / "ports.json")
    embedded = settings[EmbeddedSettings]
    servers: list[Part] = []
    reached: dict[str, str] = {}
    if not environment.get("FOREBAY_KAFKA_BOOTSTRAP"):
        cluster = kafka.plan(folder / "kafka", options.brokers, ports, settings[KafkaSettings])
        jars = fetch("kafka")
        servers += kafka.broker_parts(cluster, jars, class_cache.flags(jars))
        reached |= {
            "FOREBAY_KAFKA_BOOTSTRAP": cluster.bootstrap,
            "FOREBAY_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
            "FOREBAY_KAFKA_REPLICATION_FACTOR": str(cluster.replicas),
            "FOREBAY_KAFKA_MIN_INSYNC_REPLICAS": str(cluster.min_insync),
        }
    if not environment.get("FOREBAY_REDIS_URL"):
        part, reached["FOREBAY_REDIS_URL"] = redis_part(folder / "redis", ports.take("redis"), embedded.redis_memory_mb)
        servers.append(part)
        # Who names a Redis of their own may have the cache in it, or name one for the cache too.
        if not environment.get("FOREBAY_REDIS_CACHE_URL"):
            part, reached["FOREBAY_REDIS_CACHE_URL"] = redis_part(
                folder / "redis-cache", ports.take("redis-cache"), embedded.cache_memory_mb, of_cache=True
            )
            servers.append(part)
    for tier in models.TIERS:
        if not named(tier, environment):
            part, url = models.model_part(tier, ports.take(f"model-{tier}"), embedded)
            servers.append(part)
            reached[f"FOREBAY_TIER_{tier.upper()}_URL"] = url
    if not environment.get("FOREBAY_VAULT_KEYS") and not environment.get("FOREBAY_VAULT_KEYS_FILE"):
        vault = folder / "vault.keys"
        kept(vault, lambda: new_key_line("embedded") + "\n")
        reached["FOREBAY_VAULT_KEYS_FILE"] = str(vault)
    reached |= _trust(folder, environment, older=older)
    if not environment.get("FOREBAY_HISTORY_PATH"):
        reached["FOREBAY_HISTORY_PATH"] = str(folder / "history.db")
    shared = {"FOREBAY_WORKER_FLIGHT_DIR": str(folder / "flight"), **environment, **reached}
    stages = [name for name in stage_names() if name != "notify" or _has_channels(settings)]
    workers = [_worker(name, run, ports, shared) for name, run in _workers(options, stages)]
    if options.workers != "none":
        workers.append(_recorder(ports, shared))
    if options.edge and options.workers != "none":
        workers.append(_door(ports, shared))
    return Plan(servers=servers, workers=workers, environment=reached)


def _trust(folder: Path, environment: Mapping[str, str], *, older: bool) -> dict[str, str]:
    """By what the stages know their own retries, and this machine's operator; made once.

    Args:
        older: a version without it has run here: what waits for another try is believed for as long as it may wait.
    """
    reached: dict[str, str] = {}
    if not environment.get("FOREBAY_RETRY_SECRET") and not environment.get("FOREBAY_RETRY_SECRET_FILE"):
        secrets = folder / "retry"
        until = kept(secrets / "unsigned-until", lambda: str(now_ms() + _LONGEST_RETRY_MS if older else 0))
        for stage in stage_names():
            kept(secrets / f"{stage}.secret", keys.new_secret)
        reached["FOREBAY_RETRY_SECRET_FILE"] = str(secrets / "{stage}.secret")
        reached["FOREBAY_RETRY_UNSIGNED_UNTIL_MS"] = until
    if not environment.get("FOREBAY_DLQ_SIGNING_KEY_FILE") and not environment.get("FOREBAY_DLQ_OPERATORS"):
        path = folder / "operator.key"
        name, public = keys.public_key(kept(path, lambda: keys.new_operator_key("embedded")))
        reached["FOREBAY_DLQ_SIGNING_KEY_FILE"] = str(path)
        reached["FOREBAY_DLQ_OPERATORS"] = json.dumps({name: public})
    return reached


def _workers(options: Options, stages: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
    """Name and stages of each worker process; no stages: all of them in one."""
    if options.workers == "none":
        return []
    if options.workers == "single":
        return [("workers", ())]
    return [("+".join(names), names) for names in processes(options.layout, stages)]


def _has_channels(settings: Settings) -> bool:
    """Whether anybody is to be told of alerts: a process that tells nobody costs memory, and half a second of start."""
    kinds = [kind for kind in sections() if kind.section == "notify"]
    return any(getattr(settings[kind], "channels", None) for kind in kinds)


def _recorder(ports: Ports, environment: Mapping[str, str]) -> Part:
    """Who writes the history: the stack is ready though it is not, as where its file is locked or the disk is full."""
    worker = _worker(RECORDER, (RECORDER,), ports, environment)
    return replace(worker, health=lambda: http_health(worker.port or 0, "/healthz"))


def _door(ports: Ports, environment: Mapping[str, str]) -> Part:
    """The HTTP door; its port is what the environment says, else 8600 where that is free."""
    fixed = environment.get("FOREBAY_EDGE_PORT", "")
    port = int(fixed) if fixed.isdigit() and int(fixed) else ports.take(DOOR, EDGE)
    own = {"FOREBAY_EDGE_PORT": str(port), "FOREBAY_EDGE_LAME_DUCK_S": "0.2", "FOREBAY_EDGE_DRAIN_S": "5"}
    worker = _worker(DOOR, (DOOR,), ports, {**environment, **own})
    health = worker.health_port
    return replace(worker, port=port, stop_s=_DRAIN_S, early=False, health_port=health)


def _worker(name: str, stages: Sequence[str], ports: Ports, environment: Mapping[str, str]) -> Part:
    port = ports.take(f"worker-{name}")
    return Part(
        name=name,
        layer=Layer.WORKER,
        command=[sys.executable, "-m", "forebay", "worker", *(stages or ["all"])],
        environment={
            **environment,
            "FOREBAY_WORKER_HOST": "127.0.0.1",
            "FOREBAY_WORKER_PORT": str(port),
            # One more worker of a stage that is started by hand has another name, or none.
            "FOREBAY_WORKER_INSTANCE": f"embedded-{name}",
        },
        health=lambda: http_health(port, "/readyz"),
        stage=stages[0] if len(stages) == 1 else None,
        port=port,
        health_port=port,
        stop_s=_DRAIN_S,
        early=not _SLOW_TO_LOAD.isdisjoint((name, *stages)),
    )
