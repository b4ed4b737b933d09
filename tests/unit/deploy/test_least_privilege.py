"""What a container of docker-compose.yml may do, write and reach. No container engine runs here, so this reads it.

That the images of others run under these limits is not shown: what they write was read in their start scripts.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CALLERS = {"completion", "evaluation"}
# What else is written besides /tmp, and why.
WRITTEN = {"kafka": {"/opt/kafka/config", "/opt/kafka/logs"}}


def networks(name: str) -> set[str]:
    return set(SERVICES[name]["networks"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_right_that_root_has(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "devices", "pid", "ipc", "userns_mode", "network_mode"} & service.keys()
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0 or name in ("registry", "grafana"), "their files belong to the group 0, which has no rights"
    assert 0 < service["pids_limit"] <= 512


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_writes_to_volumes_and_to_what_is_gone_at_the_end(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    places = {place.partition(":")[0]: place.partition(":")[2].split(",") for place in service["tmpfs"]}
    assert places.keys() == {"/tmp"} | WRITTEN.get(name, set())
    for options in places.values():
        assert any(re.fullmatch(r"size=\d+m", option) for option in options), "memory of the host is no disk"
    assert ("exec" in places["/tmp"]) == (name in ("kafka", "registry")), "only a JVM loads libraries from there"
    for volume in service.get("volumes", []):
        assert volume.endswith(":ro") or volume.partition(":")[0] in COMPOSE["volumes"], volume


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_sees_the_container_engine_or_the_host(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).partition(":")[0]
        assert not source.startswith(("/", "~", "..")), volume


def test_ours_run_as_the_user_of_the_image() -> None:
    [user] = re.findall(r"^USER (\S+)", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    ours = {service["user"] for service in SERVICES.values() if service["image"].startswith("forebay:")}
    assert ours == {user}


def test_only_those_who_call_models_reach_another_machine() -> None:
    assert COMPOSE["networks"]["inner"] == {"internal": True}
    assert all("inner" in networks(name) for name in SERVICES)
    assert {name for name in SERVICES if "providers" in networks(name)} == CALLERS
    assert {name for name in SERVICES if "messages" in networks(name)} == {"notify"}, "webhooks and mails to people"
    assert {
        name for name, one in SERVICES.items() if "FOREBAY_TIER_SMALL_KEY" in (one.get("environment") or {})
    } == CALLERS


def test_what_publishes_a_port_is_let_in_to_and_not_out_of() -> None:
    published = {name for name, service in SERVICES.items() if service.get("ports")}
    assert {name for name in SERVICES if "host" in networks(name)} == published
    options = COMPOSE["networks"]["host"]["driver_opts"]
    assert options == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
