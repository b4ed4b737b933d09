"""What an operator may do to the vault, called as a console calls it."""

import base64

import pytest

from forebay.contract.failures import Permanent
from forebay.operations import vault as operations
from forebay.operations.choices import InvalidChoiceError
from forebay.privacy.people.names import needed_names
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.sealing import Keyring
from forebay.privacy.vault import Owner, Vault
from forebay.privacy.vault_store import MemoryVaultStore
from forebay.settings import ConfigurationError, Settings
from tests.unit.operations.trail import MemoryTrail

ANN, BOB = Owner(tenant_id="acme", user_id="ann"), Owner(tenant_id="acme", user_id="bob")
MAP = PseudonymMap(originals={"<PERSON_1>": "Ann Lee"})
OLD, NEW = b"\1" * 32, b"\2" * 32
RING = Keyring({"old": OLD})


def vault(store: MemoryVaultStore, **keys: bytes) -> Vault:
    return Vault(store, Keyring(keys), prefix="fb:", ttl_s=60, clock=lambda: 1_000.0)


@pytest.fixture
def store() -> MemoryVaultStore:
    return MemoryVaultStore(lambda: 1_000.0)


async def test_after_a_rotation_the_old_key_is_not_needed(store: MemoryVaultStore) -> None:
    ref = await vault(store, old=OLD).store(MAP, ANN, "r1")
    done = await operations.rotate(vault(store, new=NEW, old=OLD), MemoryTrail().record)
    assert done.resealed > 0
    assert done.unreadable == 0
    assert await vault(store, new=NEW).load(ref, ANN, "r1") == MAP


async def test_what_no_key_opens_is_counted_and_left(store: MemoryVaultStore) -> None:
    ref = await vault(store, old=OLD).store(MAP, ANN, "r1")
    assert (await operations.rotate(vault(store, new=NEW), MemoryTrail().record)).unreadable > 0
    assert await vault(store, old=OLD).load(ref, ANN, "r1") == MAP


async def test_one_person_is_forgotten_and_nobody_else(store: MemoryVaultStore) -> None:
    kept = vault(store, old=OLD)
    ann, bob = await kept.store(MAP, ANN, "r1"), await kept.store(MAP, BOB, "r2")
    trail = MemoryTrail()
    assert await operations.forget(kept, trail.record, RING, tenant="other", user="ann") == 0
    assert await operations.forget(kept, trail.record, RING, tenant="acme", user="ann") > 0
    with pytest.raises(Permanent):
        await kept.load(ann, ANN, "r1")
    assert await kept.load(bob, BOB, "r2") == MAP


def test_a_key_is_as_the_settings_take_it_and_new_each_time() -> None:
    name, _, key = operations.new_key("2026-11", MemoryTrail().record).partition(":")
    assert name == "2026-11"
    assert len(base64.b64decode(key, validate=True)) == 32
    assert operations.new_key("2026-11", MemoryTrail().record) != f"2026-11:{key}"


@pytest.mark.parametrize("key_id", ["", "a:b", "a,b", "a b", "a\nb"])
def test_a_name_that_would_be_two_is_refused(key_id: str) -> None:
    with pytest.raises(InvalidChoiceError):
        operations.new_key(key_id, MemoryTrail().record)


def test_the_trail_names_nobody_and_whoever_has_the_key_finds_a_person_in_it() -> None:
    ring = Keyring({"k1": b"\1" * 32})
    ann = operations.person(ring, tenant="acme", user="ann@example.org")
    assert ann == operations.person(ring, tenant="acme", user="ann@example.org")
    assert "ann" not in ann
    others = {
        operations.person(ring, tenant="acmea", user="nn@example.org"),
        operations.person(ring, tenant="acme", user="bob@example.org"),
        operations.person(Keyring({"k1": b"\2" * 32}), tenant="acme", user="ann@example.org"),
    }
    assert ann not in others
    assert len(others) == 3


def test_the_printed_key_of_pseudonyms_names_everybody_as_before_without_the_old_ring() -> None:
    old, new = (f"{name}:{base64.b64encode(key).decode()}" for name, key in (("old", OLD), ("new", NEW)))
    before, both = Settings({"vault": {"keys": old}}), Settings({"vault": {"keys": f"{new},{old}"}})
    printed = operations.identity(before, MemoryTrail().record)
    assert printed == operations.identity(both, MemoryTrail().record, of="old")
    after = Settings({"vault": {"keys": new}, "identity": {"key": printed}})
    assert needed_names(after).user("acme", "ann") == needed_names(before).user("acme", "ann")
    with pytest.raises(ConfigurationError):
        operations.identity(Settings({}), MemoryTrail().record)


async def test_an_act_names_nobody_and_does_not_happen_when_it_cannot_be_written_down(store: MemoryVaultStore) -> None:
    kept, trail = vault(store, old=OLD), MemoryTrail()
    owner = Owner(tenant_id="acme", user_id="ann.lee@mail.example")
    ref = await kept.store(MAP, owner, "r1")
    for act in (
        lambda: operations.rotate(vault(store, new=NEW, old=OLD), MemoryTrail(refuses_from=0).record),
        lambda: operations.forget(kept, MemoryTrail(refuses_from=0).record, RING, tenant="acme", user=owner.user_id),
    ):
        with pytest.raises(OSError, match="brokers"):
            await act()
    with pytest.raises(OSError, match="brokers"):
        operations.new_key("k", MemoryTrail(refuses_from=0).record)
    assert await kept.load(ref, owner, "r1") == MAP
    await operations.forget(kept, trail.record, RING, tenant="acme", user=owner.user_id)
    before, after = trail.events
    assert before.subject == after.subject == operations.person(RING, tenant="acme", user=owner.user_id)
    assert after.count > 0
    assert "ann" not in repr(trail.events)
