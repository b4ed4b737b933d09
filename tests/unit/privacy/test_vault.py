"""The vault: sealed, expiring, erasable, and safe for concurrent turns of one conversation."""

import asyncio
import hmac
import json

import pytest

from forebay.contract.failures import Permanent, Transient
from forebay.privacy.pseudonyms import Numbering, PseudonymMap
from forebay.privacy.sealing import Keyring
from forebay.privacy.vault import Owner, Vault
from forebay.testing import MemoryVaultStore, VirtualClock, memory_vault

OLD, NEW = {"a": b"\1" * 32}, {"b": b"\2" * 32, "a": b"\1" * 32}
ANN = Owner(tenant_id="acme", user_id="ann@example.com")
MAP = PseudonymMap(originals={"<PERSON_1>": "Ann Lee"})


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def store(clock: VirtualClock) -> MemoryVaultStore:
    return MemoryVaultStore(clock.seconds)


def _vault(store: MemoryVaultStore, clock: VirtualClock, keys: dict[str, bytes] | None = None) -> Vault:
    return memory_vault(clock, store=store, keyring=Keyring(keys or OLD), ttl_s=60)


async def test_what_is_stored_is_loaded_until_it_expires(store: MemoryVaultStore, clock: VirtualClock) -> None:
    vault = _vault(store, clock)
    ref = await vault.store(MAP, ANN, "r1")
    assert await _vault(store, clock).load(ref, ANN, "r1") == MAP
    clock.advance(61)
    with pytest.raises(Permanent) as gone:
        await vault.load(ref, ANN, "r1")
    assert gone.value.code == "vault_expired"


async def test_workers_agree_again_after_redis_has_lost_everything(
    store: MemoryVaultStore, clock: VirtualClock
) -> None:
    redaction, response = _vault(store, clock), _vault(store, clock)
    before = await redaction.store(MAP, ANN, "r1")
    assert await response.load(before, ANN, "r1") == MAP
    store.entries.clear()
    started_later = _vault(store, clock)
    with pytest.raises(Permanent) as gone:
        await started_later.load(before, ANN, "r1")
    assert gone.value.code == "vault_mismatch", "it cannot know better: its pepper is a new one"
    after = await redaction.store(MAP, ANN, "r2")
    assert await response.load(after, ANN, "r2") == await started_later.load(after, ANN, "r2") == MAP
    assert await response.of_request(ANN, "r2") == MAP
    assert await started_later.forget(ANN) == 1


async def test_who_still_knows_the_pepper_gives_it_back(store: MemoryVaultStore, clock: VirtualClock) -> None:
    redaction, response = _vault(store, clock), _vault(store, clock)
    await redaction.store(MAP, ANN, "r1")
    lost = await response.store(MAP, ANN, "r2")
    store.entries.clear()
    ref = await redaction.store(MAP, ANN, "r3")
    assert await _vault(store, clock).load(ref, ANN, "r3") == await response.load(ref, ANN, "r3") == MAP
    with pytest.raises(Permanent) as gone:
        await _vault(store, clock).load(lost, ANN, "r2")
    assert gone.value.code == "vault_expired"


async def test_a_conversation_is_read_again_with_the_new_pepper(store: MemoryVaultStore, clock: VirtualClock) -> None:
    vault = _vault(store, clock)
    await vault.store(MAP, ANN, "r1")
    store.entries.clear()
    await _vault(store, clock).store(MAP, ANN, "r2")
    assert not await vault.extend(ANN, "c", await vault.conversation(ANN, "c"), MAP.originals)
    assert await vault.extend(ANN, "c", await vault.conversation(ANN, "c"), MAP.originals)
    assert (await _vault(store, clock).conversation(ANN, "c")).tags == MAP.originals


async def test_redis_holds_nothing_personal(store: MemoryVaultStore, clock: VirtualClock) -> None:
    vault = _vault(store, clock)
    await vault.store(MAP, ANN, "r1")
    await vault.extend(ANN, "ann-lee-1985", await vault.conversation(ANN, "ann-lee-1985"), MAP.originals)
    everything = repr(store.entries) + repr(store.indexes)
    # Of four characters and more: "Ann" stands in one of some hundred random sealed entries, by chance.
    assert all(secret not in everything for secret in ("Ann Lee", "ann-lee", "ann@", "example", "acme", "1985"))
    assert all(key.startswith("test:vault:") for key in (*store.entries, *store.indexes))


async def test_forgetting_erases_a_user_and_nobody_else(store: MemoryVaultStore, clock: VirtualClock) -> None:
    vault = _vault(store, clock)
    bob = Owner(tenant_id="acme", user_id="bob")
    hers, his = await vault.store(MAP, ANN, "r1"), await vault.store(MAP, bob, "r1")
    await vault.extend(ANN, "c", await vault.conversation(ANN, "c"), MAP.originals)
    assert await vault.forget(ANN) == 2
    assert (await vault.conversation(ANN, "c")).tags == {}
    assert await vault.load(his, bob, "r1") == MAP
    with pytest.raises(Permanent, match="expired or was erased"):
        await vault.load(hers, ANN, "r1")
    assert await vault.forget(ANN) == 0


async def test_conversations_of_two_users_are_apart(store: MemoryVaultStore, clock: VirtualClock) -> None:
    vault = _vault(store, clock)
    await vault.extend(ANN, "c", await vault.conversation(ANN, "c"), MAP.originals)
    other_user = Owner(tenant_id="acme", user_id="eve")
    other_tenant = Owner(tenant_id="evil", user_id=ANN.user_id)
    assert (await vault.conversation(other_user, "c")).tags == (await vault.conversation(other_tenant, "c")).tags == {}


async def test_concurrent_turns_lose_no_value(store: MemoryVaultStore, clock: VirtualClock) -> None:
    vault = _vault(store, clock)

    async def turn(name: str) -> str:
        while True:
            seen = await vault.conversation(ANN, "c")
            await asyncio.sleep(0)
            numbering = Numbering(seen.tags)
            tag = numbering.tag_for("PERSON", name)
            if await vault.extend(ANN, "c", seen, numbering.all):
                return tag

    names = [f"name {i % 7}" for i in range(30)]
    tags = await asyncio.gather(*(turn(name) for name in names))
    assert len(set(tags)) == 7
    assert len(set(zip(names, tags, strict=True))) == 7


async def test_rotation_reseals_and_the_old_key_can_go(store: MemoryVaultStore, clock: VirtualClock) -> None:
    before = _vault(store, clock)
    ref = await before.store(MAP, ANN, "r1")
    await before.extend(ANN, "c", await before.conversation(ANN, "c"), MAP.originals)
    assert await _vault(store, clock, NEW).rotate() == (4, 0, 0)
    assert await _vault(store, clock, NEW).rotate() == (0, 0, 0)
    after = _vault(store, clock, {"b": NEW["b"]})
    assert await after.load(ref, ANN, "r1") == MAP
    assert (await after.conversation(ANN, "c")).tags == MAP.originals
    assert await after.forget(ANN) == 2


async def test_an_entry_under_a_lost_key_is_no_wrong_answer(store: MemoryVaultStore, clock: VirtualClock) -> None:
    ref = await _vault(store, clock).store(MAP, ANN, "r1")
    lost = _vault(store, clock, {"b": NEW["b"]})
    with pytest.raises(Permanent) as closed:
        await lost.load(ref, ANN, "r1")
    assert closed.value.code == "unreadable_seal"
    assert await lost.rotate() == (0, 3, 0)


async def test_an_entry_cannot_be_moved_to_another_reference(store: MemoryVaultStore, clock: VirtualClock) -> None:
    vault = _vault(store, clock)
    await vault.store(MAP, ANN, "r1")
    [mine] = (key for key in store.entries if ":r:" in key)
    ref = await vault.store(PseudonymMap(), ANN, "r1")
    [yours] = (key for key in store.entries if ":r:" in key and key != mine)
    store.entries[yours] = store.entries[mine]
    with pytest.raises(Permanent, match="another context"):
        await vault.load(ref, ANN, "r1")


@pytest.mark.parametrize(
    ("owner", "request_id"),
    [
        (Owner(tenant_id="evil", user_id=ANN.user_id), "r1"),
        (Owner(tenant_id="acme", user_id="bob"), "r1"),
        (Owner(tenant_id="acme", user_id=f'{ANN.user_id}", "r1'), ""),
        (ANN, "r2"),
    ],
)
async def test_a_reference_opens_nothing_for_anybody_else(
    store: MemoryVaultStore, clock: VirtualClock, owner: Owner, request_id: str
) -> None:
    vault = _vault(store, clock)
    ref = await vault.store(MAP, ANN, "r1")
    with pytest.raises(Permanent) as refused:
        await vault.load(ref, owner, request_id)
    assert refused.value.code == "vault_mismatch"
    with pytest.raises(Permanent) as unknown:
        await vault.of_request(owner, request_id)
    assert unknown.value.code == "vault_expired"


async def test_without_its_proof_a_reference_opens_nothing(store: MemoryVaultStore, clock: VirtualClock) -> None:
    await store.put_new("test:vault:pepper", Keyring(OLD).seal(bytes(32), "vault/pepper"))  # of before the upgrade
    vault = _vault(store, clock)
    random, _, proof = (await vault.store(MAP, ANN, "r1")).partition(".")
    for ref, code in {random: "vault_expired", f"{random}.": "vault_mismatch", f"é.{proof}é": "vault_mismatch"}.items():
        with pytest.raises(Permanent) as refused:
            await vault.load(ref, ANN, "r1")
        assert refused.value.code == code


async def test_what_answers_a_request_later_finds_its_newest_map(store: MemoryVaultStore, clock: VirtualClock) -> None:
    vault = _vault(store, clock)
    first = await vault.store(MAP, ANN, "r1")
    newer = PseudonymMap(originals={"<PERSON_1>": "Bo Li"})
    await vault.store(newer, ANN, "r1")
    assert await vault.of_request(ANN, "r1") == newer
    assert await vault.load(first, ANN, "r1") == MAP  # a request that was redacted twice is answered twice
    await vault.forget(ANN)
    assert not [key for key in store.entries if key not in ("test:vault:pepper", "test:vault:bound")]


async def test_the_key_of_an_entry_is_no_reference(store: MemoryVaultStore, clock: VirtualClock) -> None:
    vault = _vault(store, clock)
    await vault.store(MAP, ANN, "r1")
    [key] = (key for key in store.entries if ":r:" in key)
    with pytest.raises(Permanent, match="expired or was erased"):
        await vault.load(key.rpartition(":")[2], Owner(tenant_id="evil", user_id="eve"), "r1")


class TestEntriesFromBeforeTheirKeysHadAnOwner:
    """``vault:m:REF``, sealed for ``vault/m:REF``, listed as ``m:REF``; all else lies where it lay."""

    REF = "0123456789abcdefghijklmn"

    async def _left_behind(self, store: MemoryVaultStore, clock: VirtualClock) -> None:
        await store.put_new("test:vault:pepper", Keyring(OLD).seal(bytes(32), "vault/pepper"))
        sealed = Keyring(OLD).seal(MAP.to_json(), f"vault/m:{self.REF}")
        await store.put({f"test:vault:m:{self.REF}": sealed}, 60)
        await _vault(store, clock).store(PseudonymMap(), ANN, "r1")
        [index] = store.indexes
        await store.index(index, {f"m:{self.REF}": clock.seconds() + 60}, clock.seconds(), 60, "")

    async def test_they_are_found_for_as_long_as_they_live(self, store: MemoryVaultStore, clock: VirtualClock) -> None:
        await self._left_behind(store, clock)
        assert await _vault(store, clock).load(self.REF, ANN, "r1") == MAP
        clock.advance(61)
        with pytest.raises(Permanent, match="expired or was erased"):
            await _vault(store, clock).load(self.REF, ANN, "r1")

    async def test_they_are_found_for_no_longer_than_they_could_live(
        self, store: MemoryVaultStore, clock: VirtualClock
    ) -> None:
        await self._left_behind(store, clock)
        clock.advance(61)
        sealed = Keyring(OLD).seal(MAP.to_json(), f"vault/m:{self.REF}")
        await store.put({f"test:vault:m:{self.REF}": sealed}, 600)
        with pytest.raises(Permanent, match="expired or was erased"):
            await _vault(store, clock).load(self.REF, ANN, "r1")

    async def test_a_new_vault_has_none(self, store: MemoryVaultStore, clock: VirtualClock) -> None:
        vault = _vault(store, clock)
        await vault.conversation(ANN, "c")  # makes the pepper
        sealed = Keyring(OLD).seal(MAP.to_json(), f"vault/m:{self.REF}")
        await store.put({f"test:vault:m:{self.REF}": sealed}, 60)
        with pytest.raises(Permanent, match="expired or was erased"):
            await vault.load(self.REF, ANN, "r1")

    async def test_they_are_sealed_anew(self, store: MemoryVaultStore, clock: VirtualClock) -> None:
        await self._left_behind(store, clock)
        assert await _vault(store, clock, NEW).rotate() == (4, 0, 1)
        assert await _vault(store, clock, {"b": NEW["b"]}).load(self.REF, ANN, "r1") == MAP

    async def test_they_are_erased(self, store: MemoryVaultStore, clock: VirtualClock) -> None:
        await self._left_behind(store, clock)
        assert await _vault(store, clock).forget(ANN) == 2
        with pytest.raises(Permanent, match="expired or was erased"):
            await _vault(store, clock).load(self.REF, ANN, "r1")


async def test_indexes_and_conversations_lie_where_they_lay(store: MemoryVaultStore, clock: VirtualClock) -> None:
    """Their keys of July 2026, with a pepper of zeros: whoever changes them has to read both."""
    await store.put_new("test:vault:pepper", Keyring(OLD).seal(bytes(32), "vault/pepper"))
    vault = _vault(store, clock)
    await vault.extend(ANN, "c", await vault.conversation(ANN, "c"), MAP.originals)

    def known(*parts: str) -> str:
        return hmac.new(bytes(32), json.dumps(parts).encode(), "sha256").hexdigest()[:40]

    conversation = known("conversation", "acme", "ann@example.com", "c")
    assert f"test:vault:c:{conversation}" in store.entries
    assert set(store.indexes) == {f"test:vault:u:{known('user', 'acme', 'ann@example.com')}"}
    assert next(iter(store.indexes.values())).keys() == {f"c:{conversation}"}


async def test_a_dead_redis_is_transient(store: MemoryVaultStore, clock: VirtualClock) -> None:
    store.down = True
    with pytest.raises(Transient) as down:
        await _vault(store, clock).store(MAP, ANN, "r1")
    assert down.value.code == "redis_unavailable"
