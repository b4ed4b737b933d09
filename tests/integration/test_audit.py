"""The trail on a real broker: what an act wrote is read back as it was, and a record that was deleted shows."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forebay.cli.audit import app
from forebay.cli.configuration import app as config
from forebay.cli.dead_letters import app as dlq
from forebay.cli.tail import app as tail
from forebay.cli.vault import app as vault
from forebay.contract.clock import now_ms
from forebay.contract.records import AuditEvent
from forebay.operations.audit.chain import verify
from forebay.operations.audit.opening import recorder
from forebay.operations.audit.recording import recorded
from forebay.operations.audit.trail import KafkaTrail
from forebay.operations.choices import InvalidChoiceError
from forebay.settings import Settings
from forebay.settings.effective import fingerprint

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


def ended(settings: Settings, action: str) -> list[AuditEvent]:
    """Second records of the acts of this kind."""
    events = KafkaTrail(settings).read().events
    return [one for one in events if one.action == action and one.details.get("outcome") == "done"]


def test_commands_leave_a_trail_with_who_ran_them(shared_settings: Settings, tmp_path: Path) -> None:
    def run(command: object, *arguments: str) -> str:
        done = CliRunner().invoke(command, arguments)  # type: ignore[arg-type]  # a Typer
        assert done.exit_code == 0, done.output
        return done.stdout

    assert run(vault, "key", "2026b").startswith("2026b:")
    [made] = ended(shared_settings, "vault.key")
    assert (made.subject, made.count) == ("key 2026b", 1)
    assert made.by == made.details["os_user"] != ""
    assert made.details["kafka_user"] == ""

    line = run(dlq, "key", "ann", str(tmp_path / "ann.key"))
    [signing] = ended(shared_settings, "dlq.key")
    assert line.strip() == f"ann: {signing.details['public']}"

    assert run(tail, "responses", "--from-beginning", "--end", "--restricted") == ""
    assert [(one.subject, one.count) for one in ended(shared_settings, "topic.read")] == [("responses", 0)]

    run(config, "check", "--audit")
    assert [one.subject for one in ended(shared_settings, "configuration.start")] == [
        f"sha256 {fingerprint(shared_settings)}"
    ]


def test_two_at_once_are_no_gap_and_many_acts_bind_all_that_is_new(shared_settings: Settings) -> None:
    record = recorder(shared_settings)
    with record("dlq.park", subject="0-1"), record("dlq.park", subject="0-2"):
        pass
    with record("dlq.park", subject="0-3"):
        pass
    read = KafkaTrail(shared_settings).read()
    found = verify(read.events, now_ms=now_ms(), retention_ms=None)
    assert not found.missing
    named = {link.partition(":")[0] for one in read.events for link in one.details["after"].split()}
    assert len({one.audit_id for one in read.events} - named) == 1, "all but the last record of all are bound"


def test_a_reason_with_personal_data_is_not_written_down_and_nothing_is_done(shared_settings: Settings) -> None:
    before = len(KafkaTrail(shared_settings).read().events)
    with (
        pytest.raises(InvalidChoiceError, match="EMAIL_ADDRESS"),
        recorder(shared_settings)("dlq.drop", subject="0-1", reason="jane.miller@mail.example asked for it"),
    ):
        raise AssertionError("it happened")
    assert len(KafkaTrail(shared_settings).read().events) == before
