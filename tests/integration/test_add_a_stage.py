"""A newcomer adds a stage from the page alone: makes the package, runs it on real brokers, and removes it again.

The package is built and lies on ``PYTHONPATH`` with its metadata, as an installed one does; the checkout has no part
in it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forebay.contract.handlers import Output
from forebay.contract.records import Completion
from forebay.kafka.publisher import publish
from forebay.kafka.reader import read_topic
from forebay.operations.dead_letters.letters import letter_of
from forebay.settings import Settings
from tests.unit.docs.pages import ROOT, files

PAGE = ROOT / "docs/how-to/add-a-stage.md"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages with the page's own in it."""
    for name, text in files(PAGE).items():
        path = tmp_path / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=tmp_path / "package", check=True, capture_output=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    return tmp_path / "site"


def forebay(site: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """The command, where the packages in ``site`` are installed."""
    environment = os.environ | {"PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "forebay", *arguments]
    with (site.parent / "worker.log").open("ab") as log:
        return subprocess.Popen(command, cwd=site.parent, env=environment, stdout=log, stderr=subprocess.STDOUT)


def log_of(site: Path) -> str:
    return (site.parent / "worker.log").read_text("utf-8")


def awaited(look: Callable[[], list[Any]], process: "subprocess.Popen[bytes]", site: Path) -> list[Any]:
    """What ``look`` finds, as soon as it finds anything."""
    deadline = time.monotonic() + 90
    while not (found := look()):
        assert process.poll() is None, log_of(site)
        assert time.monotonic() < deadline, log_of(site)
    return found


@pytest.mark.embedded
def test_a_stage_is_added_from_the_page_alone_and_removed_again(site: Path, settings: Settings, topics: object) -> None:
    said = {"r-1": "Hello, what can I do for you?", "r-2": "19"}
    publish(
        settings,
        [
            *(
                Output(topic="completions", key=request_id, value=Completion(request_id=request_id, content=content))
                for request_id, content in said.items()
            ),
            Output(topic="completions", key="r-3", value=b"no record"),
        ],
    )
    process = forebay(site, "worker", "greeting")
    try:
        alerts = awaited(lambda: [one.value for one in read_topic(settings, "alerts")], process, site)
        letters = awaited(lambda: [letter_of(one.source) for one in read_topic(settings, "dlq")], process, site)
        process.send_signal(signal.SIGTERM)
        status = process.wait(90)
    finally:
        process.kill()
        process.wait()
    assert status == 0, log_of(site)
    assert [(alert.kind, alert.subject, alert.alert_id) for alert in alerts] == [("hello", "r-1", "hello-r-1")]
    assert [(letter.stage, letter.code, letter.request_id) for letter in letters] == [("greeting", "not_avro", "r-3")]

    shutil.rmtree(site)
    site.mkdir()
    assert forebay(site, "worker", "greeting").wait(60) == 2
    assert "there is no stage 'greeting'; stages: cache, " in log_of(site)
