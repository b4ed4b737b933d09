"""Where the keys of proofs come from: files that only their owner can read, and on one machine alone one of its own."""

import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from forebay.settings import ConfigurationError, Settings
from forebay.trust import keys
from forebay.trust.proofs import OperatorKey, RetryProofs, Signed

RECORD = Signed(key=b"k", value=b"v", headers={"forebay-retry-stage": b"cache", "forebay-attempt": b"2"})
AFAR = {"kafka": {"bootstrap": "kafka:9092"}}


def secret(byte: bytes = b"s") -> str:
    return b64encode(byte * 32).decode()


def private(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_stage_signs_with_its_first_secret_and_knows_all(tmp_path: Path) -> None:
    file = private(tmp_path / "cache.secret", f"{secret(b'n')}\n\n{secret(b'o')}\n")
    proofs = keys.retry_proofs("cache", Settings({**AFAR, "retry": {"secret_file": file.replace("cache", "{stage}")}}))
    assert proofs.proof(RECORD) == RetryProofs("cache", [b"n" * 32]).proof(RECORD)
    assert proofs.holds(RetryProofs("cache", [b"o" * 32]).proof(RECORD), RECORD)
    from_text = keys.retry_proofs("cache", Settings({**AFAR, "retry": {"secret": f"{secret(b'n')}, {secret(b'o')}"}}))
    assert from_text.proof(RECORD) == proofs.proof(RECORD)


def test_no_stage_signs_for_another_even_with_its_secret() -> None:
    one, other = RetryProofs("cache", [b"s" * 32]), RetryProofs("review", [b"s" * 32])
    assert not other.holds(one.proof(RECORD), RECORD)
    assert not other.holds(one.proof(RECORD).replace(b"cache", b"review"), RECORD)


@pytest.mark.parametrize(
    "kafka",
    [
        {"bootstrap": "kafka:9092"},
        {"bootstrap": "127.0.0.1:9092,kafka:9092"},
        {"bootstrap": "localhost.example.org:9092"},
        {"bootstrap": "127.0.0.1:9092", "security_protocol": "SSL"},
    ],
)
def test_without_a_secret_no_stage_starts_but_on_one_machine_alone(kafka: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"retry\.secret_file"):
        keys.retry_proofs("cache", Settings({"kafka": kafka}))
    with pytest.raises(ConfigurationError, match=r"dlq\.signing_key_file"):
        keys.operator_key(Settings({"kafka": kafka}))
    assert keys.operators(Settings({"kafka": kafka})).who(OperatorKey("local", b"x" * 32).proof(RECORD), RECORD) is None


def test_on_one_machine_the_stages_and_the_operator_share_what_is_made_once(tmp_path: Path) -> None:
    here = Settings({"kafka": {"bootstrap": "127.0.0.1:9092,localhost:9093"}})
    assert keys.retry_proofs("cache", here).holds(keys.retry_proofs("cache", here).proof(RECORD), RECORD)
    assert keys.operators(here).who(keys.operator_key(here).proof(RECORD), RECORD) == "local"
    [file] = tmp_path.glob("*/*.secret")
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (secret(), 0o640, "open to others"),
        ("", 0o600, "is empty"),
        ("c2hvcnQ=", 0o600, "256 bits"),
        ("no base64!", 0o600, "256 bits"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_quotes_nothing(
    tmp_path: Path, text: str, mode: int, said: str
) -> None:
    file = private(tmp_path / "a.secret", text, mode)
    with pytest.raises(ConfigurationError, match=said) as refused:
        keys.retry_proofs("cache", Settings({**AFAR, "retry": {"secret_file": file}}))
    assert not text or text not in str(refused.value)


def test_a_missing_file_is_said() -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        keys.retry_proofs("cache", Settings({**AFAR, "retry": {"secret_file": "nowhere"}}))


def test_an_operators_key_is_known_by_the_line_that_is_printed(tmp_path: Path) -> None:
    line = keys.new_operator_key("ann")
    name, public = keys.public_key(line)
    known: dict[str, Any] = {**AFAR, "dlq": {"operators": {name: public}}}
    mine = keys.operator_key(Settings({"dlq": {"signing_key_file": private(tmp_path / "ann.key", line)}}))
    assert keys.operators(Settings(known)).who(mine.proof(RECORD), RECORD) == "ann"


@pytest.mark.parametrize("operators", [{"ann": "c2hvcnQ="}, {"a nn": secret()}, {"ann": "!"}])
def test_operators_that_are_none_are_refused(operators: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"dlq\.operators"):
        keys.operators(Settings({"dlq": {"operators": operators}}))


def test_a_name_that_would_not_fit_into_a_header_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="letters"):
        keys.new_operator_key("ann.lee")
