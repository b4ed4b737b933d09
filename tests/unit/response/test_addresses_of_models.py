"""Does a response tell that data was kept out of an address, and is it counted?"""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from forebay.contract.records import Completion, Message, MessageRole, RedactedRequest, Response, ResponseStatus
from forebay.privacy.fingerprints import FingerprintHeaders
from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.vault import Owner
from forebay.testing import KEYRING, MemoryVaultStore, VirtualClock, context, memory_vault
from forebay_agents.response.handler import ResponseHandler
from forebay_agents.response.metrics import ResponseMetrics
from forebay_agents.response.settings import Addresses

ANSWER = "Dear <PERSON_1>: ![](https://drop.example/<PERSON_1>) https://shop.example/<PERSON_1>"
SHOP = Message(content="Mine is https://shop.example/<PERSON_1>")


async def answered(
    *messages: Message, registry: CollectorRegistry | None = None, addresses: Addresses = Addresses.WITHHOLD
) -> Response:
    """The response to an answer of a model, to what these messages asked."""
    store = MemoryVaultStore(VirtualClock().seconds)
    handler = ResponseHandler(
        memory_vault(store=store), FingerprintHeaders(KEYRING), addresses=addresses,
        metrics=ResponseMetrics(registry or CollectorRegistry()),
    )  # fmt: skip
    mapping = PseudonymMap(originals={"<PERSON_1>": "Ana Lee"})
    ref = await memory_vault(store=store).store(mapping, Owner(tenant_id="acme", user_id="u"), "r")
    request = RedactedRequest(request_id="r", tenant_id="acme", user_id="u", vault_ref=ref, messages=messages)
    completion = Completion(
        request_id="r", tenant_id="acme", user_id="u", status=ResponseStatus.OK, content=ANSWER, request=request
    )
    output, _kept = await handler.handle(completion, context("completions"))
    assert isinstance(output.value, Response)
    return output.value


async def test_the_response_says_so_and_it_is_counted() -> None:
    registry = CollectorRegistry()
    response = await answered(SHOP, registry=registry)
    assert response.content == "Dear Ana Lee: ![](https://drop.example/<PERSON_1>) https://shop.example/Ana%20Lee"
    assert (response.degraded, response.degraded_reason) == (True, "address")
    assert registry.get_sample_value("forebay_restore_withheld_total") == 1.0


@pytest.mark.parametrize("role", [MessageRole.ASSISTANT, MessageRole.TOOL])
async def test_what_models_and_tools_wrote_before_is_not_the_users_own(role: MessageRole) -> None:
    response = await answered(replace(SHOP, role=role))
    assert response.content == ANSWER.replace("<PERSON_1>", "Ana Lee", 1)


async def test_a_setting_restores_everywhere() -> None:
    response = await answered(addresses=Addresses.RESTORE)
    assert response.content == ANSWER.replace("<PERSON_1>", "Ana Lee")
    assert (response.degraded, response.degraded_reason) == (False, None)
