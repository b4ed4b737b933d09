"""The trail on a real broker: what an act wrote is read back as it was, and a record that was deleted shows."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from forebay.cli.audit import app
from forebay.contract.clock import now_ms
from forebay.operations.audit.chain import verify
from forebay.operations.audit.recording import recorded
from forebay.operations.audit.trail import KafkaTrail
from forebay.settings import Settings

pytestmark = pytest.mark.embedded


def test_acts_are_bound_to_each_other_and_a_forged_one_shows(shared_settings: Settings) -> None:
    trail = KafkaTrail(shared_settings)
    for number in range(3):
        with recorded(trail, "vault.rotate", by="ann", subject="vault", details={"kafka_user": ""}) as act:
            act.count = number
    read = trail.read()
    found = verify(read.events, now_ms=now_ms(), retention_ms=None, unreadable=read.unreadable)
    assert (found.whole, found.events, found.unlinked, found.unfinished) == (True, 6, 0, [])

    told = json.loads(CliRunner().invoke(app, ["verify", "--json"]).stdout)
    assert (told["whole"], told["events"]) == (True, 6)
    listed = CliRunner().invoke(app, ["list", "--json", "--action", "vault."]).stdout.splitlines()
    assert [json.loads(line)["details"]["phase"] for line in listed] == ["before", "after"] * 3

    trail.append(replace(read.events[0], by="bob"))  # nobody can change a record, but write another under its id
    done = CliRunner().invoke(app, ["verify"])
    assert done.exit_code == 1
    assert f"{read.events[0].audit_id} is not what it was" in done.stdout
