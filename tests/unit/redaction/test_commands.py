"""``forebay redact`` and ``forebay vault``: what scripts depend on."""

import json
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from forebay.cli.vault import app as vault
from forebay.contract.failures import Transient
from forebay_agents.redaction.cli import app
from forebay_agents.redaction.daily_counts import Daily, DailyCount
from forebay_agents.redaction.detection.detector import Detector
from forebay_agents.redaction.offline.lines import Redactor, redact_lines
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.settings import Profile, RedactionSettings, TenantRules


@pytest.fixture(autouse=True)
def loaded(redactor: Redactor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forebay_agents.redaction.cli._redactor", lambda profile: redactor)


def run(arguments: list[str], given: str | bytes = "") -> tuple[int, list[dict[str, object]]]:
    result = CliRunner().invoke(app, arguments, input=given)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_lines_come_back_in_order_and_bad_ones_in_their_place() -> None:
    given = '{"id":"a","text":"I am Ann Lee, ssn 219-09-9999"}\nnot json\n\n{"id":7}\n'
    given += '{"text":"ok","language":3,"id":8}\n{"text":"ok"}\n'
    status, out = run([], given)
    assert status == 1
    assert out[0]["redacted"] == "I am <PERSON_1>, ssn <US_SSN_1>"
    assert [set(line) for line in out] == [
        {"id", "redacted", "spans", "ms"},
        {"error"},
        {"id", "error"},
        {"id", "error"},
        {"id", "redacted", "spans", "ms"},
    ]
    assert [line.get("id") for line in out] == ["a", None, 7, 8, "6"]
    assert {line["error"]["code"] for line in out[1:4]} == {"invalid_request"}  # type: ignore[index]  # parsed JSON


def test_offsets_are_code_points_of_the_input(tmp_path: Path) -> None:
    text = "🙂 e\u0301 Ann\u200b Lee: 4\u200b111 1111 1111 1111"
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"id": 1, "text": text}) + "\n", "utf-8")
    status, [line] = run(["--json", "--show-text", str(file)])
    assert status == 0
    for span in line["spans"]:  # type: ignore[attr-defined]  # parsed JSON
        assert text[span["start"] : span["end"]] == span["text"]
    assert "4\u200b111 1111 1111 1111" in {span["text"] for span in line["spans"]}  # type: ignore[attr-defined]  # as above


def test_text_is_shown_only_when_asked_for() -> None:
    _, [line] = run(["-"], "call Ann Lee")
    assert all(set(span) == {"start", "end", "type", "score"} for span in line["spans"])  # type: ignore[attr-defined]  # JSON


def test_plain_text_is_redacted_line_by_line() -> None:
    status, out = run([], "my name is Ann Lee\r\n\n{braces} and Ann Lee\n")
    assert status == 0
    assert [line["id"] for line in out] == ["1", "2", "3"]
    assert out[0]["redacted"] == "my name is <PERSON_1>"
    assert out[1]["redacted"] == ""


def test_bytes_that_are_no_text_spoil_their_line_only() -> None:
    status, out = run([], b'{"id":1,"text":"ok"}\n{"id":2,"text":"\xff"}\n{"id":3,"text":"\\ud83d"}\n')
    assert status == 1
    assert [("error" in line) for line in out] == [False, True, False]


def test_lines_are_answered_as_they_come(redactor: Redactor) -> None:
    asked = iter(["hello\n", "never reached"])
    first = next(redact_lines(asked, redactor, records=None, show_text=False))
    assert first["redacted"] == "hello"
    assert next(asked) == "never reached"


def test_a_file_that_is_not_there_is_said_so() -> None:
    assert CliRunner().invoke(app, ["nowhere.jsonl"]).exit_code == 2


def test_evaluate_counts_what_leaks(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    rows = [
        {"text": "card 4111 1111 1111 1111", "spans": [{"start": 5, "end": 24, "type": "CREDIT_CARD"}]},
        {"text": "the code is blue", "spans": [{"start": 12, "end": 16, "type": "SECRET"}], "source": "s"},
        {"text": "nothing here", "spans": []},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    status, [found] = run(["evaluate", str(file), "--json"])
    assert status == 0
    own = found["forebay"]
    assert own["leak_rate"] == pytest.approx(4 / 20)  # type: ignore[index]  # parsed JSON
    assert own["over_redaction"] == 0.0  # type: ignore[index]  # parsed JSON
    assert own["entities"]["CREDIT_CARD"]["f2"] == 1.0  # type: ignore[index]  # parsed JSON
    assert own["sources"]["s"]["leak_rate"] == 1.0  # type: ignore[index]  # parsed JSON
    assert CliRunner().invoke(app, ["evaluate", str(file)]).exit_code == 0
    file.write_text('{"text": "x", "spans": [{"start": 0, "end": 9, "type": "A"}]}\n')
    assert CliRunner().invoke(app, ["evaluate", str(file), "--json"]).exit_code == 1


def test_a_key_is_made_of_an_id() -> None:
    assert CliRunner().invoke(vault, ["key", "a:b"]).exit_code == 2


class FakeRedis:
    """Hashes in memory, with the pipeline that is needed."""

    def __init__(self) -> None:
        self.hashes: dict[str, dict[bytes, bytes]] = {}
        self.down = False
        self._waiting: list[tuple[str, str, int]] = []

    def pipeline(self, transaction: bool) -> "FakeRedis":
        assert transaction
        self._waiting = []
        return self

    def hincrby(self, key: str, name: str, by: int) -> None:
        self._waiting.append((key, name, by))

    def expire(self, key: str, seconds: int) -> None:
        assert seconds > 0

    async def execute(self) -> None:
        if self.down:
            raise OSError("down")
        for key, name, by in self._waiting:
            known = self.hashes.setdefault(key, {})
            known[name.encode()] = str(int(known.get(name.encode(), b"0")) + by).encode()

    async def hgetall(self, key: str) -> dict[bytes, bytes]:
        return self.hashes.get(key, {})


async def test_daily_counts_survive_an_outage_of_redis() -> None:
    redis = FakeRedis()
    daily = Daily(redis, "fb:", lambda: "2026-03-01")
    daily.add("acme", {("PERSON", "pseudonymise"): 2})
    redis.down = True
    with pytest.raises(Transient):
        await daily.flush()
    redis.down = False
    daily.add("acme", {("PERSON", "pseudonymise"): 1})
    daily.add("other", {("US_SSN", "block"): 1})
    await daily.flush()
    await daily.flush()
    assert await daily.rows(2, "acme") == [
        DailyCount(day="2026-03-01", tenant_id="acme", entity="PERSON", action="pseudonymise", count=3)
    ]
    assert len(await daily.rows(1)) == 2


@pytest.fixture
def balanced(monkeypatch: pytest.MonkeyPatch, redactor: Redactor) -> None:
    settings = RedactionSettings(profile=Profile.BALANCED)
    shipped = Redactor(Detector(settings), Policies(settings), settings.max_chars)
    monkeypatch.setattr(
        "forebay_agents.redaction.cli._redactor", {"": shipped, "balanced": shipped, "strict": redactor}.__getitem__
    )


def test_a_profile_that_is_chosen_is_that_of_all_tenants() -> None:
    rules = {"careful": TenantRules(profile=Profile.STRICT, allow=("Bath",))}
    chosen = Policies(RedactionSettings(tenants=rules).read_with(Profile.BALANCED))
    assert [chosen.of(tenant).profile for tenant in ("careful", "other")] == [Profile.BALANCED] * 2
    assert chosen.of("careful").allow == {"bath"}


def test_what_is_shipped_lets_public_knowledge_stay_and_is_measured_as_if_it_did_not() -> None:
    assert RedactionSettings().profile is Profile.BALANCED
    [option] = [one for one in get_command(app).commands["evaluate"].params if one.name == "profile"]  # type: ignore[attr-defined]  # a group
    assert option.default == "strict"


@pytest.mark.usefixtures("balanced")
def test_both_profiles_are_scored_side_by_side_and_each_source_by_kind(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    text = "How many people live in Bolivia?"
    rows = [
        {"text": text, "spans": [{"start": 24, "end": 31, "type": "GPE"}], "source": "asked"},
        {"text": "ring Ann Lee", "spans": [{"start": 5, "end": 12, "type": "NAME"}], "source": "life"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    status, [found] = run(["evaluate", str(file), "--profile", "both", "--json"])
    assert (status, sorted(found)) == (0, ["balanced", "strict", "texts"])
    leaks = {
        name: {source: one["leak_by_entity"] for source, one in found[name]["sources"].items()}  # type: ignore[index]  # parsed JSON
        for name in ("strict", "balanced")
    }
    assert leaks["strict"] == {"asked": {"LOCATION": 0.0}, "life": {"PERSON": 0.0}}
    assert leaks["balanced"] == {"asked": {"LOCATION": 1.0}, "life": {"PERSON": 0.0}}
    table = CliRunner().invoke(app, ["evaluate", str(file), "--profile", "both"])
    assert table.exit_code == 0
    assert "balanced" in table.stdout


@pytest.mark.usefixtures("balanced")
def test_the_profile_can_be_chosen_and_why_a_name_stays_is_said() -> None:
    given = "How many people live in Bolivia?"
    assert run(["explain"], given) == (
        0,
        [
            {
                "redacted": given,
                "spans": [],
                "names": [
                    {"start": 24, "end": 31, "type": "LOCATION", "stays": True, "reason": "asked", "listed": "places"}
                ],
            }
        ],
    )
    assert run(["lines", "--profile", "strict"], given)[1][0]["redacted"] == "How many people live in <LOCATION_1>?"
    assert run(["lines"], given)[1][0]["redacted"] == given
    assert run(["explain", "--profile", "lenient"], given)[0] == 2
