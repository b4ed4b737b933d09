"""Who may do what on the brokers? What the stages say, and no more; the documentation's table is made from it."""

from importlib.metadata import entry_points

import pytest
from typer.testing import CliRunner

from forebay.cli.rights import app
from forebay.contract.topics import RETRY_LEVELS, TOPICS, Access
from forebay.operations.rights import (
    EVERY_STAGE,
    EVERY_STAGE_READS,
    OPEN,
    READ,
    Grant,
    Operation,
    Resource,
    acl_command,
    declared,
    grants,
    read_by,
    roles,
    tenants_apart,
)
from forebay.settings import KafkaSettings, TenantSettings
from forebay.settings.tenants import Identity

KAFKA = KafkaSettings(topic_prefix="acme.")


def of(user: str, version: int = 1) -> set[tuple[str, str]]:
    return {(grant.operation.value, grant.name) for grant in grants(KAFKA, version) if grant.user == user}


def test_every_stage_says_what_it_needs() -> None:
    assert declared().keys() == {entry.name for entry in entry_points(group="forebay.stages")}


def test_no_right_is_about_a_topic_that_there_is_not() -> None:
    named = {topic for role in roles() for topic in (*role.reads, *role.writes)}
    assert sorted(named - TOPICS.keys()) == []


@pytest.mark.parametrize("stage", sorted(declared()))
def test_a_stage_may_retry_give_up_tell_the_time_and_raise_alerts(stage: str) -> None:
    assert {("Write", f"acme.{topic}") for topic in EVERY_STAGE} <= of(stage)
    assert {("Read", f"acme.{topic}") for topic in EVERY_STAGE_READS} <= of(stage)
    assert ("Read", f"acme.{stage}") in of(stage)


def test_only_two_stages_and_applications_read_or_write_personal_data_in_the_clear() -> None:
    restricted = {topic.name for topic in TOPICS.values() if topic.access is Access.RESTRICTED}
    stages = {name for name, rights in declared().items() if restricted & {*read_by(name), *rights.writes}}
    assert stages == {"redaction", "response"}


def test_nobody_but_applications_two_stages_and_the_door_reads_personal_data_in_the_clear() -> None:
    restricted = {f"acme.{topic.name}" for topic in TOPICS.values() if topic.access is Access.RESTRICTED}
    readers = {one.user for one in grants(KAFKA, 1) if one.operation is Operation.READ and one.name in restricted}
    assert readers == {"redaction", "application", "door"}


def test_whoever_acts_may_read_and_add_to_the_trail_and_nobody_else_may() -> None:
    for operation in ("Read", "Write"):
        users = {role.user for role in roles() if (operation, "acme.audit") in of(role.user)}
        assert users - {"recorder"} == {"operator", "reviewer", "deployer"}
        assert ("recorder" in users) == (operation == "Read"), "it writes down who did what, and adds nothing"


def test_what_retry_returns_and_operators_replay_goes_where_stages_read() -> None:
    for user in ("retry", "operator"):
        assert {("Write", f"acme.{topic}") for topic in READ} <= of(user)
    assert {("Read", f"acme.{topic}") for topic in (*OPEN, "dlq", *RETRY_LEVELS)} <= of("operator")
    assert ("Write", "acme.responses") not in of("retry")


def test_names_are_those_of_the_installation() -> None:
    assert ("Create", "acme.cost-v2-spend-changelog") in of("cost", version=2)
    assert ("Read", "acme.cost-v2") in of("cost", version=2)
    assert ("Write", "acme.corrections-operator") in of("reviewer")


def test_a_right_as_a_command() -> None:
    one = Grant(user="cache", resource=Resource.TOPIC, name="acme.usage", operation=Operation.WRITE)
    assert acl_command(one) == (
        "kafka-acls.sh --bootstrap-server HOST:PORT --command-config admin.properties --add "
        "--allow-principal User:cache --operation Write --topic acme.usage"
    )
    every = Grant(user="deployer", resource=Resource.TOPIC, name="*", operation=Operation.CREATE)
    assert acl_command(every).endswith("--operation Create --topic '*'")


def test_the_command_prints_the_rights_of_one_user() -> None:
    done = CliRunner().invoke(app, ["response", "--kafka"], catch_exceptions=False)
    lines = done.stdout.splitlines()
    assert len(lines) == 11
    assert all("User:response" in line for line in lines)
    assert "forebay.responses" in CliRunner().invoke(app, ["response"], catch_exceptions=False).stdout


def test_with_a_topic_a_tenant_an_application_has_rights_on_its_own_alone() -> None:
    settings = TenantSettings(identity=Identity.TOPIC, known=("acme", "globex"))
    found = grants(KafkaSettings(), 1, tenants=tenants_apart(settings))
    assert not [one for one in found if one.user == "application"]
    assert {(one.operation.value, one.name) for one in found if one.user == "application-acme"} == {
        ("Read", "forebay.responses.acme"),
        ("Write", "forebay.requests.acme"),
        ("Write", "forebay.feedback.acme"),
    }
    who = {(one.user, one.operation.value) for one in found if one.name == "forebay.requests.acme"}
    assert {("redaction", "Read"), ("retry", "Write"), ("application-acme", "Write")} <= who
    assert ("response", "Write") in {
        (one.user, one.operation.value) for one in found if one.name == "forebay.responses.globex"
    }
    readers = {one.user for one in found if one.name == "forebay.responses.acme" and one.operation.value == "Read"}
    assert readers == {"application-acme", "door"}


def test_otherwise_there_is_one_application() -> None:
    for identity in (Identity.FIELD, Identity.SIGNED):
        assert tenants_apart(TenantSettings(identity=identity, known=("acme",))) == []
