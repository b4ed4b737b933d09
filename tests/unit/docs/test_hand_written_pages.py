"""Pages that are written by hand say what the code does: headers, alerts, the simulator's script, settings, rights."""

import ast
import re
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from forebay.contract import headers
from forebay.contract.failures import Permanent, Transient
from forebay.contract.topics import RETRY_LEVELS, TOPICS, Access
from forebay.contract.wire import Delivered
from forebay.operations.dead_letters import letters
from forebay.operations.rights import declared
from forebay.privacy.sealing import Keyring
from forebay.runtime.dead_letters import Incident, dead_letter, retry_record
from forebay.runtime.rules import Rules
from forebay.settings import KafkaSettings, RetrySettings
from loadtest.provider import main as provider
from loadtest.simulator import script
from loadtest.simulator.admin import Admin
from loadtest.simulator.script import PROFILES, Script
from tests.unit.docs.pages import ROOT, prose

SOURCE = Delivered(topic="requests", partition=0, offset=1, key=b"r", value=b"\x00", headers={}, timestamp_ms=1)
INCIDENT = Incident(stage="redaction", attempt=1, now_ms=1, request_id="r", tenant_id="t")
RULES = Rules(
    stage="redaction",
    timeout_s=1,
    max_attempts=2,
    codecs={},
    kafka=KafkaSettings(),
    retry=RetrySettings(),
    keyring=Keyring({"k": bytes(32)}),
)


def page(name: str) -> str:
    """The page without its code blocks."""
    return prose(ROOT / "docs" / name)


def rows(text: str, heading: str) -> list[list[str]]:
    """Cells of the tables under a heading."""
    section = re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    assert section, f"there is no section {heading}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]


def names(cell: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", cell))


def test_every_header_is_described() -> None:
    letter = dead_letter(SOURCE, Permanent("bug", "x"), INCIDENT, RULES)
    retry = retry_record(SOURCE, Transient("redis_unavailable", "x"), INCIDENT, 2, RULES)
    written = {name for name, _ in (*letter.headers, *retry.headers)}
    constants = {value for value in vars(headers).values() if isinstance(value, str) and value.startswith("forebay-")}
    described = names(page("reference/dead-letters.md"))
    assert "forebay-sealed" in written
    assert sorted((written | constants) - described) == []


def test_every_state_of_a_letter_is_described() -> None:
    states = {row[0] for row in rows(page("reference/dead-letters.md"), "States")[2:]}
    assert states == {f"`{state}`" for state in letters.LetterState}


def test_every_alert_is_described() -> None:
    groups = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8"))["groups"]
    rules = {f"`{rule['alert']}`": rule["labels"]["severity"] for group in groups for rule in group["rules"]}
    described = {row[0]: row[1] for row in rows(page("reference/alerts.md"), "Prometheus alerts")[2:]}
    assert described == rules
    kinds = set()
    for path in (*(ROOT / "agents").rglob("*.py"), *(ROOT / "streams").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Alert":
                kinds |= {k.value.value for k in node.keywords if k.arg == "kind" and isinstance(k.value, ast.Constant)}
    assert kinds
    assert {
        row[0].strip("`") for row in rows(page("reference/alerts.md"), "Records in the topic `alerts`")[2:]
    } == kinds


def test_every_key_of_the_simulator_is_described() -> None:
    text = page("reference/simulator.md")
    described = names(text) | {key for span in names(text) for key in re.findall(r'"(\w+)"', span)}
    parts = [value for value in vars(script).values() if isinstance(value, type) and issubclass(value, BaseModel)]
    assert Script in parts
    keys = {key for part in parts for key in part.model_fields}
    assert sorted(keys - described) == []
    faults: Any = script.NamedFault
    assert sorted({*faults.__args__, *PROFILES} - described) == []


def test_every_admin_path_and_option_of_the_simulator_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    text = page("reference/simulator.md")
    owner: Any = None
    paths = {f"`{method} {path}`" for method, path in Admin(owner)._routes}
    assert paths
    assert [path for path in sorted(paths) if path not in text] == []
    with pytest.raises(SystemExit):
        provider(["--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert "--invoice" in options
    assert sorted(options - names(text)) == []


def test_every_variable_of_the_compose_file_is_described() -> None:
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", compose)) | set(re.findall(r"^ +(FOREBAY_\w+):", compose, re.MULTILINE))
    assert "REDIS_PASSWORD" in used
    assert sorted(used - names(page("how-to/production.md"))) == []


def test_every_faust_setting_is_explained() -> None:
    tree = ast.parse((ROOT / "streams/forebay/runtime/faust_app.py").read_text("utf-8"))
    [call] = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_App"
    ]
    table = rows(page("explanation/delivery.md"), "Which Faust settings, and why")[2:]
    explained = {name for row in table for name in names(row[0])}
    assert {keyword.arg for keyword in call.keywords} == explained


def _rights() -> dict[str, tuple[set[str], set[str]]]:
    return {
        row[0].strip("`"): (names(row[1]), names(row[2])) for row in rows(page("how-to/production.md"), "Access rights")
    }


def _topics_in(path: str, pattern: str) -> dict[str, set[str]]:
    """Stage to topics, from the sources of its package."""
    found: dict[str, set[str]] = {}
    for file in sorted((ROOT / "agents" / "forebay_agents").glob(path)):
        if file.name not in ("cli.py", "operations.py"):  # people have rights of their own
            stage = file.relative_to(ROOT / "agents" / "forebay_agents").parts[0]
            found.setdefault(stage, set()).update(re.findall(pattern, file.read_text("utf-8")))
    return {stage: topics for stage, topics in found.items() if topics}


def test_the_rights_to_read_are_those_of_the_routes() -> None:
    rights, routes = _rights(), _topics_in("*/agent.py", r'(?:Route\(\s*topic=|topics_read\()"([a-z.]+)"')
    assert routes.keys() == {"redaction", "cache", "completion", "response", "cost", "evaluation", "review", "notify"}
    for stage, topics in routes.items():
        followed = set(declared()[stage].follows)
        assert {topic for topic in rights[stage][0] if topic in TOPICS} == topics | followed, stage
        assert {topic.name for topic in TOPICS.values() if stage in topic.readers} == topics, stage
    assert rights["retry"][0] == {*RETRY_LEVELS, "dlq", "dlq.state"}


def test_the_rights_to_write_are_those_of_the_outputs() -> None:
    rights, outputs = _rights(), _topics_in("*/**/*.py", r'Output\(\s*topic="([a-z.]+)"')
    callers = _topics_in("*/**/*.py", r"(usage_output)\(")
    for stage in rights.keys() & callers.keys():
        outputs.setdefault(stage, set()).add("usage")
    for stage in rights.keys() & _topics_in("*/**/*.py", r"(alert_output)\(").keys():
        outputs.setdefault(stage, set()).add("alerts")
    for stage in rights.keys() & _topics_in("*/**/*.py", r"\b(Pieces)\(hint=").keys():
        outputs[stage].add("deltas")
    for stage in outputs.keys() & rights.keys():
        assert {topic for topic in rights[stage][1] if topic in TOPICS} == outputs[stage], stage


def test_restricted_topics_are_for_two_stages_and_the_door() -> None:
    restricted = {topic.name for topic in TOPICS.values() if topic.access is Access.RESTRICTED}
    holders = {user for user, (read, written) in _rights().items() if (read | written) & restricted}
    assert holders == {"redaction", "response", "applications", "doors (`forebay worker edge`)"}
