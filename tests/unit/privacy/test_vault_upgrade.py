"""Vault entries written by the code before maps were bound to their request: opened for ``vault.ttl_s``, then not.

``tests/data/before_proofs.json`` was written by commit 57b8136.
"""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from forebay.contract.failures import Permanent
from forebay.privacy.vault import Owner
from forebay.testing import MemoryVaultStore, VirtualClock, memory_vault

BEFORE: Any = json.loads(Path("tests/data/before_proofs.json").read_text("utf-8"))["vault"]
ANN = Owner(tenant_id=BEFORE["tenant_id"], user_id=BEFORE["user_id"])
TTL_S = 86_400


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def store(clock: VirtualClock) -> MemoryVaultStore:
    store = MemoryVaultStore(clock.seconds)
    for key, value in BEFORE["entries"].items():
        store.entries[key] = b64decode(value), "", float("inf")
    store.indexes.update(BEFORE["indexes"])
    return store


async def test_an_entry_of_before_is_opened_for_its_owner(store: MemoryVaultStore, clock: VirtualClock) -> None:
    assert (await memory_vault(clock, store=store).load(BEFORE["ref"], ANN, "r-before")).originals == {
        "<PERSON_1>": "Ann Lee"
    }
    with pytest.raises(Permanent):
        await memory_vault(clock, store=store).load(BEFORE["ref"], Owner(tenant_id="acme", user_id="bo"), "r-before")


async def test_the_period_ends(store: MemoryVaultStore, clock: VirtualClock) -> None:
    await memory_vault(clock, store=store).conversation(ANN, "c")  # the upgrade
    clock.advance(TTL_S - 1)
    assert await memory_vault(clock, store=store).load(BEFORE["ref"], ANN, "r-before")
    clock.advance(2)
    with pytest.raises(Permanent) as over:
        await memory_vault(clock, store=store).load(BEFORE["ref"], ANN, "r-before")
    assert over.value.code == "vault_expired"


async def test_rotation_says_how_many_are_left_and_erasure_reaches_them(
    store: MemoryVaultStore, clock: VirtualClock
) -> None:
    vault = memory_vault(clock, store=store)
    assert (await vault.rotate())[2] == 1
    assert await vault.forget(ANN) == 1
    assert (await vault.rotate())[2] == 0
