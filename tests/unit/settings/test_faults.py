"""Everything that is wrong is said, at once, with its place; nothing that is secret is said with it."""

from pathlib import Path

import pytest

from forebay.settings import ConfigurationError, TenantSettings, load
from tests.unit.settings.conftest import Refused, Written

MANY = """\
redacton:
  policy: {EMAIL_ADDRESS: block}
kafka:
  partitons: 4
  replication_factor: 99
  ssl_cafile: /no/such.pem
stage: [1]
models:
  tiers:
    - name: only
      deployments:
        - nme: x
          model: openai/m
          price: {input: 1, output: 2, cached_inptu: 3}
limits:
  tenants:
    acme: {rpmm: 3}
cache:
  cooldown_s: 3
  in_flight: hunter2
redaction:
  policy:
    EMAIL_ADRESS: block
  tenants:
    acme: {policy: {CREDIT_CRD: block}}
"""


def test_all_at_once_each_with_its_line_and_the_nearest_right_name(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOREBAY_REDACTION_POLCY", "{}")
    monkeypatch.setenv("FOREBAY_BUDGETS_TENANT", '{"dayly_usd": 3}')
    monkeypatch.setenv("FOREBAY_STAGE_TIMEOUT_S", "-1")
    monkeypatch.setenv("FOREBAY_LIMITS_USER", "{rpm: 3")
    assert [str(fault) for fault in refused(MANY)] == [
        "FOREBAY_BUDGETS_TENANT: dayly_usd: there is no such key; did you mean daily_usd?",
        "FOREBAY_LIMITS_USER: must be a list or a mapping, in JSON",
        "FOREBAY_REDACTION_POLCY: there is no such variable; did you mean FOREBAY_REDACTION_POLICY?",
        "FOREBAY_STAGE_TIMEOUT_S: input should be greater than 0",
        "forebay.yaml:1: redacton: there is no such section; did you mean redaction?",
        "forebay.yaml:4: kafka.partitons: there is no such key; did you mean partitions?",
        "forebay.yaml:5: kafka.replication_factor: input should be less than or equal to 7",
        "forebay.yaml:7: stage: must be a mapping of keys to values",
        "forebay.yaml:12: models.tiers[0].deployments[0].nme: there is no such key; did you mean name?",
        "forebay.yaml:14: models.tiers[0].deployments[0].price.cached_inptu: there is no such key; did you mean cached_input?",  # noqa: E501 - one line as it is printed
        "forebay.yaml:17: limits.tenants.acme.rpmm: there is no such key; did you mean rpm?",
        "forebay.yaml:19: cache.cooldown_s: there is no such key; did you mean models.cooldown_s?",
        "forebay.yaml:20: cache.in_flight: input should be a valid integer, unable to parse string as an integer",
        "forebay.yaml:23: redaction.policy.EMAIL_ADRESS: nothing finds such an entity type; did you mean EMAIL_ADDRESS?",  # noqa: E501 - one line as it is printed
        "forebay.yaml:25: redaction.tenants.acme.policy.CREDIT_CRD: nothing finds such an entity type; did you mean CREDIT_CARD?",  # noqa: E501 - one line as it is printed
    ]


def test_a_file_that_is_named_and_not_there(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREBAY_VAULT_KEYS_FILE", "/no/keys")
    assert [
        str(fault) for fault in refused("kafka:\n  ssl_cafile: /no/ca.pem\nredaction: {names: 'builtin:/no/head'}")
    ] == [
        "FOREBAY_VAULT_KEYS_FILE: there is no file /no/keys",
        "forebay.yaml:2: kafka.ssl_cafile: there is no file /no/ca.pem",
        "forebay.yaml:3: redaction.names: there is no file /no/head",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kafka: {partitions: 3}\nkafka: {partitions: 4}\n", "forebay.yaml:2: kafka: stands there twice"),
        ("stage:\n  window: 3\n  timeout_s: 9\n  window: 4\n", "forebay.yaml:4: window: stands there twice"),
        ("KAFKA: {partitions: 3}", "did you mean kafka?"),
        ("kafka: {topic-prefix: x.}", "did you mean topic_prefix?"),
        ("kafka.partitions: 3", "there is no such section"),
        ("topic_prefix: x.", "did you mean kafka.topic_prefix?"),
        ("1: {a: b}", "forebay.yaml:1: 1: there is no such section"),
        ("limits:\n  tenants:\n    7: {rpm: 3}", "forebay.yaml:3: limits.tenants.7: a key is text here"),
        ('"\\e[2J": {}', "forebay.yaml:1: \\x1b[2J: there is no such section"),
        ('"kafka\\u202e": {}', "did you mean kafka?"),
        ("vault: {ttl_s: '${vault_ttl}'}", "write ${NAME} or ${NAME:-default}"),
        ("vault: {ttl_s: '${VAULT_TTL-60}'}", "write ${NAME} or ${NAME:-default}"),
        ("vault: {ttl_s: '${VAULT_TTL}'}", "forebay.yaml:1: vault.ttl_s: needs the environment variable VAULT_TTL"),
        ("kafka: {security_protocol: SASL_SSL}", "kafka.sasl_username: is needed with SASL_SSL"),
        ("kafka: {security_protocol: SASL_SSL, sasl_username: u}", "kafka.sasl_password: is needed with SASL_SSL"),
        ("registry: {kind: confluent}", "registry.url: is needed with kind confluent"),
        ("evaluation: {judge_tier: lrage}", "evaluation.judge_tier: there is no tier lrage; did you mean large?"),
        ("cache:\n  judge_tier: best", "forebay.yaml:2: cache.judge_tier: there is no tier best"),
        ("redaction: {names: bultin}", "did you mean builtin?"),
        ("redaction: {policy: {EMAIL_ADDRESS: hash}}", "redaction.hash_key: the action hash needs it"),
        ("redaction: {custom: [{entity: STAFF_ID}]}", "redaction.custom[0]: STAFF_ID needs a regex or words"),
    ],
)
def test_hostile_files(refused: Refused, text: str, said: str) -> None:
    assert said in "\n".join(map(str, refused(text)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kafka: [", "forebay.yaml:1: this is not valid YAML"),
        ("kafka: {a: 'b\nc: d", "this is not valid YAML"),
        ("- kafka", "must be a mapping of section names"),
        ("just text", "must be a mapping of section names"),
        ("a: &a [*a]", "this is not valid YAML"),
        ("a: \x07", "cannot be read"),
        ("a: 2026-99-99", "this is not valid YAML"),
        ("--- {}\n--- {}", "this is not valid YAML"),
        ("!!python/object/apply:os.system [true]", "this is not valid YAML"),
    ],
)
def test_what_is_no_configuration_at_all(written: Written, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said.replace("[", r"\[")):
        written(text)


def test_a_reference_that_misses_by_one_letter_what_is_set(
    written: Written, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    tier = "models: {tiers: [{name: t, deployments: [{name: d, model: m, api_key: '${FOREBAY_TIER_SMAL_KEY:-}'}]}]}"
    written(tier)  # nothing is set: the default was meant
    monkeypatch.setenv("FOREBAY_TIER_SMALL_KEY", "hunter2")
    assert [str(fault) for fault in refused(tier)] == [
        "forebay.yaml: ${FOREBAY_TIER_SMAL_KEY} is not set; did you mean FOREBAY_TIER_SMALL_KEY?"
    ]


def test_a_kind_of_ones_own_may_be_named_in_a_policy(written: Written) -> None:
    written("redaction:\n  custom: [{entity: STAFF_ID, words: [x]}]\n  policy: {STAFF_ID: block, DEFAULT: mask}")


def test_no_value_is_ever_quoted(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREBAY_VAULT_TTL_S", "hunter2")
    monkeypatch.setenv("FOREBAY_REDIS_TIMEOUT_MS", "[hunter2")
    text = "kafka: {security_protocol: hunter2}\nstage: {in_flight: [hunter2]}\nlimits: {tenants: hunter2}"
    assert "hunter2" not in "\n".join(map(str, refused(text)))
    with pytest.raises(ConfigurationError) as error:
        load(_file("kafka: {sasl_password: 'hunter2}"))
    assert "hunter2" not in str(error.value)
    with pytest.raises(ConfigurationError) as error:
        load(_file("kafka: {sasl_password: *hunter2}"))
    assert "hunter2" not in str(error.value)


def _file(text: str) -> Path:
    path = Path("broken.yaml")
    path.write_text(text, "utf-8")
    return path


def test_a_file_under_a_name_that_nobody_reads() -> None:
    Path("forebay.yml").write_text("kafka: {partitions: 3}", "utf-8")
    with pytest.raises(ConfigurationError, match=r"forebay\.yml: call it forebay\.yaml"):
        load()


def test_a_file_that_is_not_where_it_was_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("production.yaml").write_text("{}", "utf-8")
    monkeypatch.setenv("FOREBAY_CONFIG", "prodution.yaml")
    with pytest.raises(
        ConfigurationError, match=r"no configuration file prodution\.yaml; did you mean production\.yaml"
    ):
        load()
    monkeypatch.setenv("FOREBAY_CONFIG", ".")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load()


SASL = "kafka: {security_protocol: SASL_SSL, sasl_username: u, sasl_password: p}\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (SASL, "tenants.identity: has to be chosen: topic, signed, or field"),
        (
            "tenants: {identity: topic}",
            "tenants.known: with tenants.identity: topic, stages need the tenants",
        ),
        ("tenants: {identity: topic, known: [a/b]}", "tenants.known: a/b cannot be part of a topic's name"),
        ("tenants: {identity: topic, known: [acme, redacted]}", "requests.redacted is a topic of the chain"),
        ("tenants: {identity: topic, tenant: uncached}", "tenants.tenant: uncached cannot be a tenant here"),
        ("tenants: {identity: topic, known: [a.b, c, a_b]}", "differ by . and _ alone"),
        ("tenants: {known: ['*']}", "tenants.known: * is no tenant"),
        ("tenants: {known_file: /no/such}", "tenants.known_file: there is no file /no/such"),
        ("tenants: {identity: signed, keys_file: /no/such}", "tenants.keys_file: there is no file /no/such"),
        ("tenants: {identity: names}", "tenants.identity"),
    ],
)
def test_whose_requests_are_has_to_be_said(refused: Refused, text: str, fault: str) -> None:
    assert any(fault in str(one) for one in refused(text)), [str(one) for one in refused(text)]


@pytest.mark.parametrize("identity", ["field", "signed", "topic"])
def test_whoever_says_it_may_choose_any(written: Written, identity: str) -> None:
    chosen = written(f"{SASL}tenants: {{identity: {identity}, known: [acme]}}")[TenantSettings]
    assert [key for key, _ in chosen.unprotected()] == (["identity"] if identity == "field" else [])


def test_tenants_stand_in_a_list_a_file_or_both(written: Written, tmp_path: Path) -> None:
    (tmp_path / "tenants").write_text("acme\n\n globex \n")
    assert written("tenants: {known: [initech], known_file: tenants}")[TenantSettings].names() == {
        "acme", "globex", "initech"
    }  # fmt: skip
