"""A part listens where it listened before, and never where somebody else does."""

import socket
from pathlib import Path

import pytest

from forebay.embedded.ports import EDGE, FIRST, LAST, Ports, is_free


def test_ports_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first, second = Ports(path), Ports(path)
    taken = {name: first.take(name) for name in ("kafka-1", "redis", "model-small")}
    assert len(set(taken.values())) == 3
    assert all(FIRST <= port <= LAST for port in taken.values())
    assert {name: Ports(path).take(name) for name in taken} == taken
    assert second.take("other") not in taken.values()


def test_a_port_that_people_know_is_taken_where_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    assert Ports(path, free=lambda _: True).take("edge", EDGE) == EDGE
    assert Ports(path, free=lambda _: True).take("edge", EDGE) == EDGE
    other = Ports(tmp_path / "other.json", free=lambda port: port != EDGE).take("edge", EDGE)
    assert FIRST <= other <= LAST
    assert Ports(tmp_path / "other.json", free=lambda _: True).take("edge", EDGE) == other, "it keeps the one it had"


def test_a_port_that_somebody_has_now_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    before = Ports(path).take("redis")
    after = Ports(path, free=lambda port: port != before).take("redis")
    assert after != before
    assert Ports(path).take("redis") == after


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"redis": "x"}', '{"redis": 80}'])
def test_a_damaged_file_is_started_afresh(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "ports.json"
    path.write_text(damage)
    assert Ports(path).take("redis") >= FIRST


def test_no_free_port_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no free port"):
        Ports(tmp_path / "ports.json", free=lambda _: False).take("redis")


def test_a_listening_server_is_seen() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
