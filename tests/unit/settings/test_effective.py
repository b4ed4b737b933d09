"""What counts is shown with its origin, without secrets, and has one hash wherever it counts."""

from pathlib import Path

import pytest

from forebay.settings import Settings
from forebay.settings.effective import MASK, effective, fingerprint, unprotected
from tests.unit.settings.conftest import Written

SECRETS = """\
kafka: {sasl_password: hunter2}
redis: {url: 'redis://:hunter2@redis:6379/0'}
registry: {url: 'https://me:hunter2@registry/x'}
redaction: {hash_key: hunter2}
models:
  tiers:
    - name: only
      deployments:
        - {name: d, model: openai/m, api_key: hunter2}
        - {name: e, model: openai/m, api_key: '${HUNTER:-hunter2}'}
"""


def values(settings: Settings) -> dict[str, tuple[object, str]]:
    return {one.key: (one.value, one.origin) for one in effective(settings)}


def test_secrets_are_masked_wherever_they_lie(written: Written) -> None:
    found = values(written(SECRETS))
    assert "hunter2" not in str(found)
    assert found["models.tiers[0].deployments[0].api_key"] == (MASK, "forebay.yaml:9")
    assert found["registry.url"] == (f"https://{MASK}@registry/x", "forebay.yaml:3")
    assert found["vault.keys"] == ("", "default")


def test_each_value_has_an_origin(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREBAY_STAGE_WINDOW", "7")
    monkeypatch.setenv("FOREBAY_TIER_LARGE_MODEL", "openai/own")
    monkeypatch.setenv("MY_PREFIX", "p.")
    found = values(
        written("kafka:\n  topic_prefix: ${MY_PREFIX}\n  partitions: ${N:-3}\nlimits:\n  tenant:\n    rpm: 3\n")
    )
    assert found["stage.window"] == (7, "FOREBAY_STAGE_WINDOW")
    assert found["kafka.topic_prefix"] == ("p.", "MY_PREFIX (forebay.yaml:2)")
    assert found["kafka.partitions"] == (3, "forebay.yaml:3")
    assert found["limits.tenant.rpm"] == (3, "forebay.yaml:6")
    assert found["limits.tenant.tpm"] == (None, "default")
    assert found["models.tiers[1].deployments[0].model"] == ("openai/own", "FOREBAY_TIER_LARGE_MODEL (default)")
    assert found["models.tiers[0].name"] == ("small", "default")


def test_the_hash_is_that_of_what_counts(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fingerprint(written("stage: {window: 256}\nvault: {ttl_s: 70}"))
    assert first == fingerprint(written("# the same, otherwise\nvault:\n  ttl_s: 70\n\n"))
    assert first != fingerprint(written("\nvault: {ttl_s: 71}"))
    same = written("\n\nvault: {ttl_s: 70}")
    assert first == fingerprint(same)
    monkeypatch.setenv("FOREBAY_WORKER_PORT", "8001")  # two workers of one installation
    assert first == fingerprint(written("\n\n\nvault: {ttl_s: 70}"))


def test_the_hash_is_the_same_for_users_who_have_other_keys(written: Written, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("x")
    redaction = f"kafka: {{sasl_username: redaction, sasl_password: a}}\nvault: {{keys_file: {file}}}\n"
    cache = f"kafka: {{sasl_username: cache, sasl_password: b}}\nretry: {{secret_file: {file}}}\n\n"
    operator = f"dlq: {{signing_key_file: {file}}}\nidentity: {{key_file: {file}}}\n\n\n"
    assert len({fingerprint(written(text)) for text in (redaction, cache, operator)}) == 1


def test_the_hash_tells_nothing_of_a_secret(written: Written) -> None:
    weak, strong = (fingerprint(written(f"redaction: {{hash_key: {key}}}")) for key in ("a", "b"))
    assert weak == strong
    assert weak != fingerprint(written("redaction: {hash_key: ''}"))


SIGNED = "tenants: {identity: signed}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", []),
        ("tenants: {identity: field}", ["tenants.identity"]),
        ("kafka: {bootstrap: 'localhost:9092,127.0.0.1:9093,[::1]:9094'}", []),
        (
            f"{SIGNED}kafka: {{bootstrap: 'k:9092', security_protocol: SASL_SSL, sasl_username: u, sasl_password: p}}",
            [],
        ),
        (
            f"{SIGNED}kafka: {{bootstrap: k, security_protocol: SASL_PLAINTEXT, sasl_username: u, sasl_password: p}}",
            ["kafka.security_protocol"],
        ),
        ("kafka: {bootstrap: '127.0.0.1:1,k:9092', security_protocol: PLAINTEXT}", ["kafka.security_protocol"] * 2),
        ("redis: {url: 'redis://r:1/0', cache_url: 'redis://:pw@r:1/0'}", ["redis.url"]),
        ("redaction: {names: none}", ["redaction.names"]),
        ("redaction: {policy: {DEFAULT: allow}}", ["redaction.policy"]),
        ("redaction: {tenants: {a: {policy: {URL: allow}}}}", ["redaction.tenants"]),
        ("egress: {allow_kinds: [MAC_ADDRESS]}", ["egress.allow_kinds"]),
    ],
)
def test_protection_that_is_missing_is_named(written: Written, text: str, said: list[str]) -> None:
    assert [one.key for one in unprotected(written(text))] == said
