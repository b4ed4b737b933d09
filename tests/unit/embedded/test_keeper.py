"""When is a part ready, started again, or given up? On a clock that the tests move."""

from collections.abc import Callable
from concurrent.futures import Future

import pytest

from forebay.embedded.parts import Health, Layer, Part, Probe
from forebay.embedded.supervision.keeper import HEALTHY_S, HUNG_S, LONGEST_PAUSE_S, Keeper, ProcessState, pause_s

START_TIMEOUT_S = 20.0


class FakeChild:
    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None

    def poll(self) -> int | None:
        return self.status

    def terminate(self) -> None:
        self.status = -15

    def kill(self) -> None:
        self.status = -9


class World:
    """A keeper, its children, its clock, and what the part answers when it is asked."""

    def __init__(self, prepare: Callable[[], None] = lambda: None) -> None:
        self.health = Health.DOWN
        self.answers = True
        self.children: list[FakeChild] = []
        self.now = 1000.0
        part = Part(
            name="p", layer=Layer.WORKER, command=["/p"], environment={}, health=lambda: self.health, prepare=prepare
        )
        self.keeper = Keeper(part, self._spawn, self._ask, START_TIMEOUT_S)

    @property
    def child(self) -> FakeChild:
        return self.children[-1]

    def pass_time(self, seconds: float, step_s: float = 0.05) -> None:
        end = self.now + seconds
        while self.now < end:
            self.keeper.step(self.now)
            self.now += step_s

    def become_ready(self) -> None:
        self.health = Health.READY
        self.pass_time(1)
        assert self.keeper.state is ProcessState.READY

    def die(self, status: int = -9) -> None:
        self.child.status = status
        self.keeper.step(self.now)

    def _spawn(self, _part: Part) -> FakeChild:
        self.children.append(FakeChild(100 + len(self.children)))
        return self.child

    def _ask(self, probe: Probe) -> "Future[Health]":
        future: Future[Health] = Future()
        if self.answers:
            future.set_result(probe())
        return future


@pytest.fixture
def world() -> World:
    return World()


def test_it_is_starting_until_it_serves(world: World) -> None:
    world.health = Health.ALIVE
    world.pass_time(1)
    assert (world.keeper.state, world.keeper.pid) == (ProcessState.STARTING, 100)
    world.become_ready()
    assert world.keeper.restarts == 0


def test_a_death_is_counted_and_followed_by_a_start(world: World) -> None:
    world.become_ready()
    world.die()
    assert (world.keeper.state, world.keeper.pid, world.keeper.restarts) == (ProcessState.RESTARTING, None, 1)
    world.pass_time(1)
    assert (world.keeper.state, world.keeper.pid, world.keeper.restarts) == (ProcessState.READY, 101, 1)


def test_pauses_double_up_to_the_longest() -> None:
    assert [pause_s(n) for n in (1, 2, 3)] == [0.2, 0.4, 0.8]
    assert pause_s(50) == LONGEST_PAUSE_S


def test_the_pause_is_kept(world: World) -> None:
    world.become_ready()
    for deaths in range(1, 6):
        world.die()
        started = len(world.children)
        world.pass_time(pause_s(deaths) - 0.1)
        assert len(world.children) == started
        world.pass_time(0.2)
        assert len(world.children) == started + 1


def test_a_healthy_while_forgives_the_deaths_before(world: World) -> None:
    world.become_ready()
    for _ in range(5):
        world.die()
        world.pass_time(11)
    world.pass_time(HEALTHY_S)
    world.die()
    world.pass_time(pause_s(1) + 0.1)
    assert world.keeper.pid is not None
    assert world.keeper.restarts == 6


def test_a_part_that_never_comes_up_is_given_up(world: World) -> None:
    for _ in range(3):
        world.pass_time(1)
        world.die(1)
    assert world.keeper.state is ProcessState.FAILED
    assert "status 1" in world.keeper.failure
    world.pass_time(60)
    assert len(world.children) == 3


def test_a_configuration_error_is_not_tried_again(world: World) -> None:
    world.pass_time(0.1)
    world.die(2)
    assert world.keeper.state is ProcessState.FAILED


def test_once_ready_it_is_never_given_up(world: World) -> None:
    world.become_ready()
    world.health = Health.DOWN
    for _ in range(20):
        world.die(2)
        world.pass_time(LONGEST_PAUSE_S + 1)
    assert world.keeper.restarts == 20
    assert world.keeper.pid is not None


def test_a_start_that_takes_too_long_fails(world: World) -> None:
    world.health = Health.ALIVE
    world.pass_time(START_TIMEOUT_S + 1)
    assert world.keeper.state is ProcessState.FAILED


def test_a_hung_process_is_replaced(world: World) -> None:
    world.become_ready()
    world.health = Health.DOWN
    world.pass_time(HUNG_S - 5)
    assert world.keeper.restarts == 0
    world.pass_time(10)
    assert world.keeper.restarts == 1


def test_a_probe_that_never_returns_is_a_hung_process(world: World) -> None:
    world.become_ready()
    world.answers = False
    world.pass_time(HUNG_S + 5)
    assert world.keeper.restarts == 1


def test_a_busy_process_is_left_alone(world: World) -> None:
    world.become_ready()
    world.health = Health.ALIVE
    world.pass_time(3 * HUNG_S)
    assert (world.keeper.restarts, world.keeper.state) == (0, ProcessState.STARTING)


def test_a_part_that_cannot_be_started_fails_with_the_reason() -> None:
    def prepare() -> None:
        raise PermissionError(13, "Permission denied", "/etc/redis.conf")

    world = World(prepare)
    world.pass_time(5)
    assert world.keeper.state is ProcessState.FAILED
    assert "Permission denied" in world.keeper.failure
