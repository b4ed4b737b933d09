"""What is started? What the environment does not name."""

import json
import os
import stat
from pathlib import Path

import pytest

from forebay.contract.clock import now_ms
from forebay.embedded import plan as planning
from forebay.embedded.parts import Layer, Part
from forebay.embedded.plan import Options, Plan, plan
from forebay.settings import Settings

STAGES = ["cache", "retry"]


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]  # a function
    """Plans, with nothing to download."""
    monkeypatch.setattr(planning, "fetch", lambda _group: [Path("/jars/kafka.jar")])
    monkeypatch.setattr(planning.models, "weights", lambda tier: Path(f"/models/{tier}.gguf"))
    monkeypatch.setattr(planning, "stage_names", lambda: STAGES)

    def make(environment: dict[str, str] | None = None, **options: object) -> Plan:
        chosen = Options(data_dir=tmp_path / "data", **options)  # type: ignore[arg-type]
        return plan(chosen, Settings({}), environment or {})

    return make


def names(parts: "list[Part]") -> list[str]:
    return [part.name for part in parts]


def test_everything_is_started_when_nothing_is_named(planned, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    made = planned()
    assert names(made.servers) == ["kafka", "redis", "redis-cache", "model-small", "model-large"]
    assert names(made.workers) == [*STAGES, "recorder", "edge"]
    assert [part.stage for part in made.workers] == [*STAGES, "recorder", "edge"]
    assert set(made.environment) == {
        "FOREBAY_KAFKA_BOOTSTRAP",
        "FOREBAY_KAFKA_SECURITY_PROTOCOL",
        "FOREBAY_KAFKA_REPLICATION_FACTOR",
        "FOREBAY_KAFKA_MIN_INSYNC_REPLICAS",
        "FOREBAY_REDIS_URL",
        "FOREBAY_REDIS_CACHE_URL",
        "FOREBAY_TIER_SMALL_URL",
        "FOREBAY_TIER_LARGE_URL",
        "FOREBAY_VAULT_KEYS_FILE",
        "FOREBAY_RETRY_SECRET_FILE",
        "FOREBAY_RETRY_UNSIGNED_UNTIL_MS",
        "FOREBAY_DLQ_SIGNING_KEY_FILE",
        "FOREBAY_DLQ_OPERATORS",
        "FOREBAY_HISTORY_PATH",
    }
    secrets = [Path(made.environment["FOREBAY_RETRY_SECRET_FILE"].replace("{stage}", stage)) for stage in STAGES]
    files = [Path(made.environment[f"FOREBAY_{name}"]) for name in ("VAULT_KEYS_FILE", "DLQ_SIGNING_KEY_FILE")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in (*secrets, *files)} == {0o600}
    assert len({secret.read_text("utf-8") for secret in secrets}) == len(STAGES)


def test_what_waits_at_an_upgrade_is_believed_for_a_day(planned, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert planned().environment["FOREBAY_RETRY_UNSIGNED_UNTIL_MS"] == "0"
    folder = Path(planned().environment["FOREBAY_RETRY_SECRET_FILE"]).parent
    for left in folder.iterdir():  # as a version without proofs leaves it
        left.unlink()
    folder.rmdir()
    (folder.parent / "kafka").mkdir(exist_ok=True)
    first = planned().environment
    assert 0 < int(first["FOREBAY_RETRY_UNSIGNED_UNTIL_MS"]) - now_ms() <= 86_400_000
    assert planned().environment == first


@pytest.mark.parametrize(
    ("named", "missing"),
    [
        ({"FOREBAY_KAFKA_BOOTSTRAP": "real:9092"}, "kafka"),
        ({"FOREBAY_REDIS_URL": "rediss://real"}, "redis redis-cache"),
        ({"FOREBAY_TIER_SMALL_MODEL": "openai/gpt-4o-mini"}, "model-small"),
        ({"FOREBAY_TIER_LARGE_MODEL": "openai/gpt-4o"}, "model-large"),
        ({"FOREBAY_TIER_LARGE_URL": "http://gpu:8000/v1"}, "model-large"),
    ],
)
def test_what_is_named_is_not_started(planned, named: dict[str, str], missing: str) -> None:  # type: ignore[no-untyped-def]
    made = planned(named)
    servers = ("kafka", "redis", "redis-cache", "model-small", "model-large")
    assert names(made.servers) == [name for name in servers if name not in missing.split()]
    assert not set(made.environment) & set(named)
    assert all(part.environment.items() >= named.items() for part in made.workers)


def test_named_keys_are_used(planned) -> None:  # type: ignore[no-untyped-def]
    assert "FOREBAY_VAULT_KEYS_FILE" not in planned({"FOREBAY_VAULT_KEYS": "k:…"}).environment


def test_three_brokers_keep_every_record_three_times(planned) -> None:  # type: ignore[no-untyped-def]
    made = planned(brokers=3)
    assert names(made.servers)[:3] == ["kafka-1", "kafka-2", "kafka-3"]
    assert made.environment["FOREBAY_KAFKA_REPLICATION_FACTOR"] == "3"
    assert made.environment["FOREBAY_KAFKA_MIN_INSYNC_REPLICAS"] == "2"
    assert made.environment["FOREBAY_KAFKA_BOOTSTRAP"].count(",") == 2


def test_one_worker_for_all_stages_or_none(planned) -> None:  # type: ignore[no-untyped-def]
    [worker, _recorder, _door] = planned(workers="single").workers
    assert worker.command[-2:] == ["worker", "all"]
    assert worker.stage is None
    assert planned(workers="none").workers == []


def test_stages_share_a_process_as_they_are_laid_out(planned) -> None:  # type: ignore[no-untyped-def]
    [both, _recorder, _door] = planned(layout=[["cache", "retry"]]).workers
    assert (both.name, both.command[-3:], both.stage) == ("cache+retry", ["worker", "cache", "retry"], None)
    assert both.early, "one of them is slow to load"
    alone = planned(layout=[["retry"]]).workers
    assert [(part.name, part.stage) for part in alone[:2]] == [("retry", "retry"), ("cache", "cache")]


def test_the_door_is_beside_the_workers_where_its_port_is_said(planned) -> None:  # type: ignore[no-untyped-def]
    assert names(planned(edge=False).workers) == [*STAGES, "recorder"]
    door = planned({"FOREBAY_EDGE_PORT": "20123"}).workers[-1]
    assert (door.port, door.environment["FOREBAY_EDGE_PORT"], door.command[-2:]) == (20123, "20123", ["worker", "edge"])
    first, again = planned().workers[-1], planned().workers[-1]
    assert first.port == again.port
    assert first.port != first.health_port


def test_secrets_are_in_no_argument_and_reach_only_workers(planned) -> None:  # type: ignore[no-untyped-def]
    made = planned({"OPENAI_API_KEY": "sk-secret"})
    password = made.environment["FOREBAY_REDIS_URL"].split("@")[0].removeprefix("redis://:")
    for part in (*made.servers, *made.workers):
        assert password not in " ".join(part.command)
    for part in made.servers:
        assert "sk-secret" not in part.environment.values()
        assert not any(password in value for value in part.environment.values())
    assert all(part.environment["OPENAI_API_KEY"] == "sk-secret" for part in made.workers)


def test_workers_stop_before_what_they_need() -> None:
    assert sorted(Layer, reverse=True) == [Layer.WORKER, Layer.MODEL, Layer.REDIS, Layer.BROKER]


def test_the_plan_leaves_our_environment_alone(planned) -> None:  # type: ignore[no-untyped-def]
    before = dict(os.environ)
    planned()
    assert dict(os.environ) == before


@pytest.mark.parametrize("told", [False, True])
def test_who_tells_people_is_started_where_there_is_a_way_to_tell_them(
    planned,  # type: ignore[no-untyped-def]  # a fixture
    monkeypatch: pytest.MonkeyPatch,
    told: bool,
) -> None:
    monkeypatch.setattr(planning, "stage_names", lambda: ["cache", "notify"])
    if told:
        hook = {"ops": {"type": "webhook", "url": "https://example.test", "key": "k" * 32}}
        monkeypatch.setenv("FOREBAY_NOTIFY_CHANNELS", json.dumps(hook))
    assert names(planned(edge=False).workers) == [*(["cache", "notify"] if told else ["cache"]), "recorder"]


def test_a_stack_is_ready_though_its_history_is_not(  # type: ignore[no-untyped-def]  # a function
    planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(planning, "http_health", lambda _port, path: asked.append(path))
    for part in planned().workers:
        part.health()
    assert asked == ["/readyz", "/readyz", "/healthz", "/readyz"]
