"""The flight recorder: who dies of a record leaves its place behind, who is killed while it waits does not."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from forebay.runtime.flight_recorder import FlightRecorder

PLACE = ("cache/requests.redacted", 3, 41)

DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from forebay.runtime.flight_recorder import FlightRecorder

async def handle():
    await asyncio.sleep(0)
    if sys.argv[2] == "waiting":
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGKILL)
        await asyncio.sleep(60)
    if sys.argv[2] in ("running", "reading"):
        with recorder.reading("/t", 0, 7) if sys.argv[2] == "reading" else open(os.devnull):
            os.kill(os.getpid(), signal.SIGKILL)

recorder = FlightRecorder(Path(sys.argv[1]), "cache")
async def main():
    await recorder.watch(recorder.number_of("cache/requests.redacted"), 3, 41, handle())

asyncio.run(main())
recorder.close()
"""


def live(folder: Path, how: str) -> int:
    """The exit status of a worker that works on one record."""
    return subprocess.run([sys.executable, "-c", DYING, folder, how], check=False).returncode


def after(folder: Path) -> FlightRecorder:
    """The recorder of the next worker, which ends in order when it has looked."""
    recorder = FlightRecorder(folder, "cache")
    recorder.close()
    return recorder


@pytest.mark.parametrize(("how", "times"), [("running", 1), ("waiting", 0), ("in order", 0)])
def test_a_death_is_a_records_whose_code_was_running(tmp_path: Path, how: str, times: int) -> None:
    assert live(tmp_path, how) == (0 if how == "in order" else -9)
    assert after(tmp_path).deaths(PLACE) == times


def test_deaths_are_counted_over_workers_until_the_record_has_ended(tmp_path: Path) -> None:
    live(tmp_path, "running")
    live(tmp_path, "waiting")
    live(tmp_path, "running")
    recorder = FlightRecorder(tmp_path, "cache")
    assert recorder.deaths(PLACE) == 2
    recorder.forget(PLACE)
    recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_ends_its_worker_is_known_apart_from_its_first_record(tmp_path: Path) -> None:
    live(tmp_path, "reading")
    recorder = after(tmp_path)
    assert (recorder.deaths(("/t", 0, 7)), recorder.deaths(("cache/t", 0, 7))) == (1, 0)


def test_the_notes_of_a_worker_that_lives_and_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cache-1.flight").write_bytes(b"no notes")
    living, other = FlightRecorder(tmp_path, "cache"), FlightRecorder(tmp_path, "response")
    assert len(list(tmp_path.iterdir())) == 2
    after(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    living.close()
    other.close()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recorder = FlightRecorder(tmp_path / "file", "cache")
    recorder.forget(PLACE)
    recorder.close()


async def test_who_is_watched_runs_as_if_it_were_not() -> None:
    async def work() -> str:
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "cleaned up"
        return "slept"

    async def watched() -> str:
        recorder = FlightRecorder()
        found: str = await recorder.watch(recorder.number_of("a/b"), 0, 0, work())
        return found

    task = asyncio.create_task(watched())
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    assert await task == "cleaned up"

    async def failing() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await FlightRecorder().watch(1, 0, 0, failing())
