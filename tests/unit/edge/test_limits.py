"""What a key may use: a client is told how it stands, whose budget is used up, and when to come again."""

from forebay.contract.clock import now_ms
from forebay.contract.records import Error, ResponseStatus
from forebay.edge.rates import shown
from forebay.state.keys import Common, plain
from forebay.state.rates import Limit, Standing, Taken, Unit
from tests.unit.edge.bench import HELLO, bench


async def test_whose_budget_is_used_up_says_until_when() -> None:
    in_nine_days = now_ms() + 9 * 86_400_000
    for stream in (False, True):
        async with bench() as door:
            spent = Error(code="budget_exceeded", message="the key's, until then", retry_at=in_nine_days)
            status, body, headers = await door.answered(
                {**HELLO, "stream": stream}, with_={"status": ResponseStatus.REJECTED, "error": spent}
            )
            assert (status, body["error"]["message"]) == (429, "the key's, until then")
            assert 8 * 86_400 < int(headers["retry-after"]) <= 9 * 86_400
            assert headers["x-should-retry"] == "false"


async def test_who_cannot_be_answered_in_time_is_told_when_to_come_again() -> None:
    for stream in (False, True):
        async with bench() as door:
            full = Error(code="overloaded", message="more is asked", retry_at=now_ms() + 7_000)
            status, body, headers = await door.answered(
                {**HELLO, "stream": stream}, with_={"status": ResponseStatus.REJECTED, "error": full}
            )
            assert (status, body["error"]["code"]) == (503, "overloaded")
            assert 5 <= int(headers["retry-after"]) <= 7


def standing(of: Unit, per_minute: int, left: int, full_s: float) -> Standing:
    return Standing(
        limit=Limit(key=plain(Common.CACHE_EPOCHS), of=of, per_minute=per_minute, units=1, burst_s=10.0),
        left=left,
        full_s=full_s,
    )


async def test_a_limited_key_hears_how_its_limits_stand() -> None:
    both = (standing(Unit.REQUESTS, 60, 7, 2.5), standing(Unit.TOKENS, 9_000, 0, 71.25))
    async with bench() as door:
        _, _, unlimited = await door.answered()
        assert not [name for name in unlimited if name.lower().startswith("x-ratelimit")]
        door.rates.taken = Taken(standings=both)
        _, _, headers = await door.answered()
        told = {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-ratelimit")}
        assert told == {
            "x-ratelimit-limit-requests": "60",
            "x-ratelimit-remaining-requests": "7",
            "x-ratelimit-reset-requests": "2.5s",
            "x-ratelimit-limit-tokens": "9000",
            "x-ratelimit-remaining-tokens": "0",
            "x-ratelimit-reset-tokens": "1m11.25s",
        }
        door.rates.taken = Taken(wait_s=0.5, standings=both)
        status, _, refused = await door.call(HELLO)
        assert (status, refused["x-ratelimit-remaining-tokens"]) == (429, "0"), "also where it is refused"


def test_times_are_as_openai_writes_them() -> None:
    def reset(full_s: float) -> str:
        return shown(Taken(standings=(standing(Unit.REQUESTS, 1, 0, full_s),)))["x-ratelimit-reset-requests"]

    assert [reset(s) for s in (0, 0.02, 1, 60, 360.5)] == ["0ms", "20ms", "1s", "1m0s", "6m0.5s"]
