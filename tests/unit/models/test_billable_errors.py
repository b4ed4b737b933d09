"""A failed call is free only if the provider said no or was never reached; anything else may be on the invoice."""

import socket

import pytest

from forebay.contract.records import Message
from forebay_agents.models.providers.provider import Call, Provider, ProviderError
from forebay_agents.models.settings import Deployment
from loadtest.provider import ProviderSimulator


async def _error(provider: Provider, base_url: str) -> ProviderError:
    await provider.ready()
    deployment = Deployment(name="d", model="openai/x", api_base=base_url)
    call = Call(attempt_id="a", request_id="r", messages=(Message(content="hi"),), timeout_s=1.0)
    with pytest.raises(ProviderError) as failed:
        await provider.complete(deployment, call)
    return failed.value


@pytest.mark.filterwarnings("ignore")  # litellm's own
@pytest.mark.parametrize(
    ("kind", "billed"),
    [
        ("malformed", True),
        ("disconnect", True),
        ("hang", True),
        ("500", False),
        ("502", False),
        ("503", False),
        ("529", False),
        ("429", False),
        ("401", False),
        ("400", False),
    ],
)
async def test_what_may_be_billed(provider: Provider, kind: str, billed: bool) -> None:
    async with ProviderSimulator({"models": {"*": {"errors": {kind: 1.0}}}}) as simulator:
        error = await _error(provider, simulator.base_url)
        assert error.may_be_billed is billed
        assert billed or not simulator.invoice


@pytest.mark.filterwarnings("ignore")
async def test_a_provider_that_was_never_reached_charges_nothing(provider: Provider) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = await _error(provider, f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
    assert (error.code, error.may_be_billed) == ("provider_unavailable", False)
