"""May a request be served now? Money first, then the rates; and whom to tell, once."""

from collections.abc import Sequence

import pytest

from forebay.contract.failures import Rejected, Transient
from forebay.contract.handlers import Output
from forebay.contract.records import Alert, ApiKey, Severity, WindowKind
from forebay.state.conditions import Conditions, MemoryConditions
from forebay.state.keys import Owned, owned
from forebay.state.rates import Limit
from forebay_agents.completion.admission import Admission
from forebay_agents.completion.quotas.budgets import Account, Reservation, Room
from forebay_agents.completion.quotas.key_limits import KnownKeys
from forebay_agents.completion.quotas.settings import LimitsSettings, Rate
from tests.unit.completion.fakes import asked

NOW_MS = 10_000


class Purse:
    """Says the same of every budget, and notes what it was asked."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.filled = 0
        self.ids: tuple[str, ...] = ()
        self.start = 0
        self.asked: list[tuple[str, str, int]] = []
        self.down = False

    async def reserve(
        self, tenant_id: str, user_id: str, reservation_id: str, amount: int, *, key_id: str | None = None
    ) -> Reservation:
        if self.down:
            raise Transient("redis_unavailable", "budgets: gone")
        self.asked.append((tenant_id, user_id, amount))
        ids = self.ids or (tenant_id,)
        key = owned(Owned.USER_BUDGET if len(ids) > 1 else Owned.TENANT_BUDGET, *ids, str(self.start))
        account = Account(key=key, before=key, kind=WindowKind.DAY, limit=1, ids=ids, start=self.start)
        return Reservation(id=reservation_id, room=self.room, accounts=(account,), fills=((account, self.filled),))

    async def settle(self, _reservation: Reservation, _cost: int) -> None:
        raise AssertionError("asking costs nothing")


class Waits:
    """Makes callers wait, in the order of the list, and then lets all through."""

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.taken: list[Sequence[Limit]] = []

    async def take(self, limits: Sequence[Limit]) -> float:
        self.taken.append(limits)
        return self.waits.pop(0) if self.waits else 0.0

    async def correct(self, _limits: Sequence[Limit]) -> None:
        raise AssertionError("nothing was used yet")


class Slept:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def admission(
    *, room: Room = Room.OK, waits: Sequence[float] = (), conditions: Conditions | None = None, **limits: object
) -> tuple[Admission, Purse, Waits, Slept]:
    purse, limiter, slept = Purse(room), Waits(*waits), Slept()
    settings = LimitsSettings(**({"tenant": Rate(rpm=60)} | limits))  # type: ignore[arg-type]  # any key of the section
    return Admission(settings, limiter, purse, lambda: NOW_MS, slept, conditions=conditions), purse, limiter, slept


async def test_with_room_and_rate_it_goes_at_once() -> None:
    gate, purse, limiter, slept = admission()
    assert await gate.admit(asked(tenant_id="t", user_id="u")) == (Room.OK, [])
    assert purse.asked == [("t", "u", 0)], "admission asks, the call reserves"
    assert len(limiter.taken) == 1
    assert slept.seconds == []


async def test_without_money_no_rate_is_used_up() -> None:
    gate, _, limiter, _ = admission(room=Room.HARD)
    with pytest.raises(Rejected) as refused:
        await gate.admit(asked())
    assert refused.value.code == "budget_exceeded"
    assert limiter.taken == []


async def test_money_is_not_guessed_at() -> None:
    gate, purse, limiter, _ = admission()
    purse.down = True
    with pytest.raises(Transient):
        await gate.admit(asked())
    assert limiter.taken == []


@pytest.mark.parametrize(
    ("filled", "kinds"),
    [
        (499, []),
        (500, ["budget_half_spent"]),
        (799, ["budget_half_spent"]),
        (800, ["budget_half_spent", "budget_nearly_spent"]),
        (1000, ["budget_half_spent", "budget_nearly_spent", "budget_spent"]),
    ],
)
async def test_each_share_of_a_budget_is_told_once(filled: int, kinds: list[str]) -> None:
    gate, purse, _, _ = admission()
    purse.filled = filled
    told = [(await gate.admit(asked(tenant_id="t", user_id="u")))[1] for _ in range(1_000)]
    assert [alert.kind for alert in told[0]] == kinds
    assert told[1:] == [[]] * 999
    for alert in told[0]:
        assert (alert.tenant_id, alert.subject, alert.created_at, alert.starts_at) == ("t", "t", NOW_MS, NOW_MS)
        assert alert.labels == {"of": "tenant", "window": "day", "since": "1970-01-01"}
        assert alert.ends_at == 86_400_000, "with the day ends what was said of it"
    assert len({alert.fingerprint for alert in told[0]}) == len(kinds)


async def test_a_user_and_a_tenant_and_another_day_are_told_apart() -> None:
    gate, purse, _, _ = admission()
    purse.filled = 600
    for ids, start in ((("t",), 0), (("t", "u"), 0), (("t", "t"), 0), (("t",), 86_400_000)):
        purse.ids, purse.start = ids, start
        _, [alert] = await gate.admit(asked(tenant_id="t", user_id="u"))
        assert alert.subject == ids[-1]
        assert (await gate.admit(asked(tenant_id="t", user_id="u")))[1] == []


async def test_two_workers_tell_once() -> None:
    conditions = MemoryConditions()
    gates = [admission(conditions=Conditions(conditions, lambda: NOW_MS)) for _ in range(2)]
    for _, purse, _, _ in gates:
        purse.filled = 500
    assert [len((await gate.admit(asked()))[1]) for gate, _, _, _ in gates] == [1, 0]


async def test_that_nothing_is_left_is_told_before_the_request_is_rejected() -> None:
    gate, purse, _, _ = admission(room=Room.HARD)
    purse.filled = 1000
    written: list[Output] = []

    async def write_ahead(outputs: Sequence[Output]) -> None:
        written.extend(outputs)

    for _ in range(3):
        with pytest.raises(Rejected):
            await gate.admit(asked(), 5, write_ahead)
    severities = [output.value.severity for output in written if isinstance(output.value, Alert)]
    assert severities == [Severity.INFO, Severity.WARNING, Severity.CRITICAL]


async def test_nothing_is_asked_of_limits_that_nobody_set() -> None:
    gate, _, limiter, _ = admission(tenant=Rate())
    await gate.admit(asked())
    assert limiter.taken == []


async def test_limits_are_of_the_tenant_and_the_user_by_requests_and_tokens() -> None:
    gate, _, limiter, _ = admission(tenant=Rate(rpm=60), user=Rate(tpm=100), tenants={"vip": Rate(rpm=600)})
    await gate.admit(asked("x" * 300, tenant_id="t", user_id="u"))
    await gate.admit(asked("x" * 300, tenant_id="vip", user_id="u"))
    usual, vip = ({limit.key: (limit.per_minute, limit.units) for limit in taken} for taken in limiter.taken)
    for tenant, taken, rpm in (("t", usual, 60), ("vip", vip, 600)):
        of_tenant, of_user = owned(Owned.TENANT_RATE, tenant, "requests"), owned(Owned.USER_RATE, tenant, "u", "tokens")
        assert taken == {of_tenant: (rpm, 1), of_user: (100, 100)}


async def test_it_waits_for_its_turn() -> None:
    gate, _, limiter, slept = admission(waits=[3.0, 0.001])
    assert (await gate.admit(asked()))[0] is Room.OK
    assert slept.seconds == [3.0, 0.02], "a moment at least, or it would spin"
    assert len(limiter.taken) == 3


@pytest.mark.parametrize(
    ("waits", "fields", "settings", "slept"),
    [
        ([31.0], {}, {"patience_s": 30.0}, []),
        ([20.0, 20.0], {}, {"patience_s": 30.0}, [20.0]),  # patience is for all waits together
        ([1.5], {"accepted_at": NOW_MS - 4_000, "deadline_ms": 5_000}, {}, []),  # a second is left
        ([0.1], {"accepted_at": NOW_MS - 6_000, "deadline_ms": 5_000}, {}, []),
    ],
)
async def test_nobody_waits_longer_than_is_of_use(
    waits: list[float], fields: dict[str, object], settings: dict[str, object], slept: list[float]
) -> None:
    gate, _, _, sleeping = admission(waits=waits, **settings)
    with pytest.raises(Rejected) as refused:
        await gate.admit(asked(**fields))
    assert refused.value.code == "rate_limited"
    assert sleeping.seconds == slept


async def test_a_far_deadline_lends_no_patience() -> None:
    gate, _, _, _ = admission(waits=[31.0])
    with pytest.raises(Rejected):
        await gate.admit(asked(accepted_at=NOW_MS, deadline_ms=3_600_000))


async def test_a_key_has_tokens_of_its_own_and_answers_count_too() -> None:
    class Corrected(Waits):
        corrected: Sequence[Limit] = ()

        async def correct(self, limits: Sequence[Limit]) -> None:
            self.corrected = limits

    limiter, key = Corrected(), ApiKey(key_id="k", tenant_id="t", tokens_per_minute=900)
    gate = Admission(LimitsSettings(), limiter, Purse(Room.OK), lambda: NOW_MS, keys=KnownKeys({"k": key}.get))
    request = asked("x" * 300, tenant_id="t", key_id="k")
    await gate.admit(request)
    [[limit]] = limiter.taken
    assert (limit.key, limit.per_minute, limit.units) == (owned(Owned.KEY_RATE, "t", "k", "tokens"), 900, 100)
    await gate.used(request, 340)
    assert [one.units for one in limiter.corrected] == [240]
    await gate.admit(asked("x" * 300, tenant_id="another", key_id="k"))
    assert len(limiter.taken) == 1, "nobody uses up another tenant's key"


async def test_who_waits_too_long_is_told_when_to_come_again() -> None:
    gate, *_ = admission(waits=[40.0])
    with pytest.raises(Rejected) as refused:
        await gate.admit(asked())
    assert (refused.value.code, refused.value.retry_at) == ("rate_limited", NOW_MS + 40_000)
