"""What a model says goes out while it says it: gathered, whole when put together, and never what is no answer."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.contract.handlers import Output
from forebay.contract.records import Delta, RedactedRequest
from forebay_agents.models.pieces import Pieces
from forebay_agents.models.providers.assembly import Assembly
from forebay_agents.models.providers.litellm_provider import LitellmProvider
from forebay_agents.models.providers.provider import Call, ProviderError
from forebay_agents.models.settings import Deployment
from loadtest.provider import ProviderSimulator
from tests.unit.models.test_streams import BY_TOKEN, call

FLUSH_S = 0.04


class Audience:
    """Hears pieces; time is what a test says."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.now_s = 100.0
        self._due: list[tuple[float, Callable[[], None]]] = []
        request = RedactedRequest(request_id="r-1", user_id="u_1", vault_ref="v-1")
        self.pieces = Pieces(
            hint=self._hint,
            partition=7,
            request=request,
            flush_s=FLUSH_S,
            clock=lambda: self.now_s,
            later=lambda seconds, then: self._due.append((self.now_s + seconds, then)),
        )

    def _hint(self, outputs: Sequence[Output]) -> None:
        self.outputs += outputs

    def passes(self, seconds: float) -> None:
        self.now_s += seconds
        due, self._due = self._due, []
        for at, then in due:
            if at <= self.now_s:
                then()
            else:
                self._due.append((at, then))

    @property
    def heard(self) -> list[Delta]:
        return [output.value for output in self.outputs if isinstance(output.value, Delta)]


def test_the_first_piece_goes_out_at_once_and_says_where_it_belongs() -> None:
    audience = Audience()
    audience.pieces.of("a-1", "small", "openai/x")("Once")
    [output] = audience.outputs
    assert (output.topic, output.key, output.partition) == ("deltas", "r-1", 7)
    assert output.value == Delta(
        attempt_id="a-1", at=0, text="Once", user_id="u_1", vault_ref="v-1", tier="small", model="openai/x"
    )


def test_what_is_said_meanwhile_is_one_piece() -> None:
    audience = Audience()
    said = audience.pieces.of("a-1", "small", "x")
    for token in ("Once", " upon", " a", " time"):
        said(token)
        audience.passes(0.01)
    assert [piece.text for piece in audience.heard] == ["Once", " upon a time"]
    audience.passes(1.0)
    said(" there")
    assert [(piece.at, piece.text) for piece in audience.heard][2:] == [(16, " there")], "after a silence at once again"


@given(st.lists(st.tuples(st.text(max_size=6), st.floats(0, 0.1)), max_size=20))
def test_the_pieces_are_the_text_in_order(tokens: list[tuple[str, float]]) -> None:
    audience = Audience()
    said = audience.pieces.of("a-1", "small", "x")
    for text, pause_s in tokens:
        said(text)
        audience.passes(pause_s)
    audience.passes(1.0)
    at = 0
    for piece in audience.heard:
        assert piece.at == at
        at += len(piece.text)
    assert "".join(piece.text for piece in audience.heard) == "".join(text for text, _ in tokens)


def test_halves_of_a_character_that_come_apart_meet() -> None:
    audience = Audience()
    said = audience.pieces.of("a-1", "small", "x")
    for token in ("a\ud83d", "\ude00", "b\ude00c"):
        said(token)
        audience.passes(1.0)
    assert [(piece.at, piece.text) for piece in audience.heard] == [(0, "a"), (1, "😀"), (2, "b\ufffdc")]


def test_words_that_come_with_the_reason_to_withhold_them_are_not_heard() -> None:
    heard: list[str] = []
    found = Assembly(said=heard.append)
    found.add({"choices": [{"delta": {"content": "Well"}}]})
    found.add({"choices": [{"delta": {"content": "bad"}, "finish_reason": "content_filter"}]})
    assert heard == ["Well"]


def test_a_whole_body_is_not_heard_before_it_is_known_to_be_an_answer() -> None:
    heard: list[str] = []
    Assembly(said=heard.append).add_whole({"choices": [{"message": {"content": "Well"}, "finish_reason": "stop"}]})
    assert heard == []


@pytest.mark.filterwarnings("ignore")  # litellm's own
class TestOverHttp:
    async def heard(self, heard: list[str], *, stream: bool = True, **model: object) -> str | ProviderError:
        provider = LitellmProvider()
        await provider.ready()
        async with ProviderSimulator(BY_TOKEN | {"models": {"x": {"latency": {"tokens_per_s": 2000}} | model}}) as sim:
            place = Deployment(name="d", model="openai/x", api_base=sim.base_url, stream=stream, stall_timeout_s=0.2)
            try:
                return (await provider.complete(place, call(said=heard.append))).content
            except ProviderError as error:
                return error

    async def test_an_answer_is_heard_token_by_token(self) -> None:
        heard: list[str] = []
        assert await self.heard(heard) == "".join(heard)
        assert len(heard) > 5

    @pytest.mark.parametrize(
        ("fault", "code"),
        [("disconnect", "provider_cut_off"), ("cut", "provider_no_end"), ("malformed", "provider_cut_off")],
    )
    async def test_a_stream_that_breaks_was_heard_and_is_no_answer(self, fault: str, code: str) -> None:
        heard: list[str] = []
        error = await self.heard(heard, errors={fault: 1.0})
        assert isinstance(error, ProviderError)
        assert (error.code, error.may_be_billed, bool(heard)) == (code, True, True)

    async def test_a_stream_that_stalls_was_heard_and_is_no_answer(self) -> None:
        heard: list[str] = []
        stall = {"latency": {"tokens_per_s": 2000, "stall": {"share": 1.0, "ms": 60_000}}}
        error = await self.heard(heard, **stall)
        assert isinstance(error, ProviderError)
        assert (error.code, error.may_be_billed) == ("provider_timeout", True)

    async def test_without_streams_nothing_is_heard(self) -> None:
        heard: list[str] = []
        assert await self.heard(heard, stream=False)
        assert heard == []


def test_who_hears_a_call_is_no_part_of_it() -> None:
    assert call(said=print) == call()
    assert "said" not in repr(Call(attempt_id="a", request_id="r", messages=(), said=print))
