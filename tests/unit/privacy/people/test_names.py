"""What users and conversations are called in records, and how they are found again."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from forebay.privacy.outbound import texts_of
from forebay.privacy.people.names import NAME, NOBODY, Names, forms, identity_key, of_vault_key, open_names, same
from forebay.privacy.sealing import load_keyring, new_key_line
from forebay.settings import ConfigurationError, Settings, VaultSettings

NAMES = Names(b"\2" * 32)
ANN = "ann.lee@example.com"
TEXTS = st.text(max_size=20)


def test_a_user_has_the_same_name_each_time_and_another_in_each_tenant() -> None:
    name = NAMES.user("acme", ANN)
    assert NAME.fullmatch(name)
    assert name.startswith("u_")
    assert name == Names(b"\2" * 32).user("acme", ANN)
    assert len({name, NAMES.user("globex", ANN), NAMES.user("acme", "bo"), Names(b"\3" * 32).user("acme", ANN)}) == 4


def test_a_conversation_of_a_users_id_is_not_called_like_the_user() -> None:
    user, conversation = NAMES.user("acme", ANN), NAMES.conversation("acme", ANN)
    assert conversation.startswith("c_")
    assert user[2:] != conversation[2:]


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_two_people_share_a_name(tenant: str, user: str, other_tenant: str, other: str) -> None:
    if {user, other}.isdisjoint({"", NOBODY}):
        same = NAMES.user(tenant, user) == NAMES.user(other_tenant, other)
        assert same == ((tenant, user) == (other_tenant, other))


def test_ids_that_are_joined_otherwise_are_others() -> None:
    assert NAMES.user("ab", "c") != NAMES.user("a", "bc")
    assert NAMES.user("1:a", "b") != NAMES.user("1", ":ab")


def test_who_names_nobody_has_no_name_and_what_is_ours_keeps_its_own() -> None:
    assert NAMES.user("acme", NOBODY) == NAMES.recorded("acme", NOBODY) == NOBODY
    assert NAMES.recorded("acme", "forebay:judge") == "forebay:judge"
    assert NAMES.user("acme", "forebay:judge") != "forebay:judge"  # nobody gets there by calling himself so


def test_a_person_is_found_by_id_and_by_name() -> None:
    name = NAMES.user("acme", ANN)
    assert forms(NAMES, "acme", ANN) == (name, ANN)
    assert forms(NAMES, "acme", name) == (name,)
    assert NAMES.recorded("acme", name) == NAMES.recorded("acme", ANN) == name
    assert forms(None, "acme", ANN) == (ANN,)


def test_a_record_of_either_name_is_found_by_either() -> None:
    name = NAMES.user("acme", ANN)
    assert all(same(NAMES, "acme", recorded, given) for recorded in (ANN, name) for given in (ANN, name))
    assert not same(NAMES, "acme", ANN, "bo")
    assert not same(NAMES, "globex", name, ANN)
    assert same(None, "acme", ANN, ANN)
    assert not same(None, "acme", name, ANN)


def test_a_name_is_not_taken_for_somebodys_account_number() -> None:
    looks_like_an_iban = "u_AAAAAAAAGB63TEST22222222"
    assert NAME.fullmatch(looks_like_an_iban)
    assert list(texts_of({"subject": looks_like_an_iban, "message": "hello"})) == ["subject", "message", "hello"]


def test_the_key_outlives_a_rotation_of_the_vault() -> None:
    old, new = new_key_line("old"), new_key_line("new")
    before = identity_key(Settings({"vault": {"keys": old}}))
    assert before is not None
    kept = base64.b64encode(before).decode()
    for ring in (f"{old},{new}", f"{new},{old}"):
        with pytest.raises(ConfigurationError, match="vault identity --of ID"):
            identity_key(Settings({"vault": {"keys": ring}}))
        assert of_vault_key(load_keyring(VaultSettings(keys=SecretStr(ring))), "old") == before
    for ring in (f"{old},{new}", f"{new},{old}", new):
        assert identity_key(Settings({"vault": {"keys": ring}, "identity": {"key": kept}})) == before
    assert identity_key(Settings({"vault": {"keys": new}})) != before
    with pytest.raises(ConfigurationError, match="no key 'other'"):
        of_vault_key(load_keyring(VaultSettings(keys=SecretStr(old))), "other")


def test_the_key_is_read_from_a_file_that_is_nobody_elses(tmp_path: Path) -> None:
    key, file = os.urandom(32), tmp_path / "identity.key"
    file.write_text(base64.b64encode(key).decode() + "\n")
    file.chmod(0o600)
    settings = Settings({"identity": {"key_file": str(file)}, "vault": {"keys": new_key_line("k")}})
    assert identity_key(settings) == key
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        identity_key(settings)
    file.write_text("not a key\n")
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="256 bits") as refused:
        identity_key(settings)
    assert "not a key" not in str(refused.value)


def test_without_any_key_there_are_no_names() -> None:
    assert open_names(Settings({})) is None
