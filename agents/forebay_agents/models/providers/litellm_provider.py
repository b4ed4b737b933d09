"""How is a model called? Through litellm, for every provider it knows.

litellm's own retries and fallbacks are off: each call is one attempt with an id and a ledger entry of its own. Its
exceptions become :class:`ProviderError`; their texts, which may quote the prompt, go no further.
"""

import asyncio
import os
from typing import Any

from forebay.contract.records import Message
from forebay_agents.models.prices.book import Sheet
from forebay_agents.models.prices.lookup import sheet_of
from forebay_agents.models.providers.assembly import Assembly
from forebay_agents.models.providers.bodies import NoAnswerError, read_body
from forebay_agents.models.providers.call_arguments import call_arguments
from forebay_agents.models.providers.ending import answer_of, no_answer
from forebay_agents.models.providers.estimates import count_tokens, usage_of
from forebay_agents.models.providers.exchange import Exchange, note, note_plain
from forebay_agents.models.providers.provider import Answer, Call, ProviderError
from forebay_agents.models.providers.refusals import explained, refused
from forebay_agents.models.providers.stream_reading import Patience, StalledError, Watch, read
from forebay_agents.models.settings import Deployment

_STREAM_SLACK_S = 5.0


class LitellmProvider:
    """Calls models through litellm, which is imported on first use: that takes about 5 s of CPU.

    Args:
        library: what to use in its place.
    """

    def __init__(self, library: Any = None) -> None:
        self._litellm: Any = library
        self._loading = asyncio.Lock()

    async def ready(self) -> None:
        """See :class:`forebay_agents.models.providers.provider.Provider`."""
        async with self._loading:
            if self._litellm is None:
                litellm = await asyncio.to_thread(_import_litellm)
                # litellm imports much of itself in its first call (1 to 3 s); let nobody's request wait for that.
                await litellm.acompletion(
                    model="openai/warm-up", messages=[{"role": "user", "content": "-"}], mock_response="-"
                )
                self._litellm = litellm

    async def complete(self, deployment: Deployment, call: Call) -> Answer:
        """See :class:`forebay_agents.models.providers.provider.Provider`."""
        exchange, found = Exchange(whole=not deployment.stream), Assembly(said=call.said)
        failure: ProviderError | None = None
        try:
            with exchange.noted():
                await (self._stream if deployment.stream else self._whole)(deployment, call, exchange, found)
        except ProviderError as error:
            failure = error
        except StalledError as error:
            failure = ProviderError("provider_timeout", f"{deployment.name}: {error}", may_be_billed=True)
        except NoAnswerError as error:
            failure = no_answer(error.code, deployment.name, usage_of(call, found))
        except Exception as error:  # noqa: BLE001 - litellm's exceptions share no base class
            failure = explained(error, exchange, self._litellm.exceptions, deployment.name)
        # What ends badly behind the answer's end (a count that never comes, a connection that breaks) ends no answer.
        if failure is not None and not found.ended:
            raise failure
        return answer_of(found, deployment.name, usage_of(call, found))

    async def _stream(self, deployment: Deployment, call: Call, exchange: Exchange, found: Assembly) -> None:
        async with Watch(Patience.of(deployment, call.timeout_s), call.begun) as watch:
            stream = await self._litellm.acompletion(**_arguments(deployment, call))
            _raise_refusal(exchange, deployment)
            if stream is None:
                raise NoAnswerError("provider_no_answer")
            await read(stream, watch, found)

    async def _whole(self, deployment: Deployment, call: Call, exchange: Exchange, found: Assembly) -> None:
        reply: Any = None
        failure: Exception | None = None
        try:
            reply = await self._litellm.acompletion(**_arguments(deployment, call))
        except Exception as error:  # noqa: BLE001 - as above
            failure = error
        if exchange.chat is not None and (exchange.plain or failure is not None):
            read_body(exchange.chat, found)
        elif failure is not None:
            raise failure
        else:
            _raise_refusal(exchange, deployment)
            if reply is None:
                raise NoAnswerError("provider_no_answer")
            found.add_whole(reply.model_dump())

    def count_tokens(self, _deployment: Deployment, messages: tuple[Message, ...]) -> int:
        """See :class:`forebay_agents.models.providers.provider.Provider`."""
        return count_tokens(messages)

    def list_price(self, model: str) -> Sheet | None:
        """The price in litellm's map; ``None`` for unknown models, and for those whose entry has no price of tokens."""
        if self._litellm is None:
            self._litellm = _import_litellm()
        return sheet_of(self._litellm, model)


def _arguments(deployment: Deployment, call: Call) -> dict[str, Any]:
    import httpx

    # Of a stream, the end is watched from here: the library knows but the time between two packets.
    timeout = httpx.Timeout(
        call.timeout_s + _STREAM_SLACK_S * deployment.stream,
        connect=min(call.timeout_s, deployment.connect_timeout_s),
    )
    return call_arguments(deployment, call) | {"timeout": timeout}


def _import_litellm() -> Any:
    # litellm would fetch its price list over the network at import, and wait 3 s when there is none.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    # Nothing is ever logged by litellm, so it need not copy each message to leave it out (1.5 ms a call).
    litellm.success_callback = litellm.failure_callback = litellm.callbacks = []
    litellm.turn_off_message_logging = False
    _call_once(litellm)
    return litellm


def _call_once(litellm: Any) -> None:
    """Have its HTTP clients note what comes (:mod:`forebay_agents.models.providers.exchange`), and send nothing twice.

    Each call has an entry in the ledger; a second one that the library makes by itself would be paid without one.
    """
    if litellm.aclient_session is not None:
        return  # done before, in this process
    from litellm.llms.azure_ai.chat.transformation import AzureAIStudioConfig
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler
    from litellm.llms.openai.common_utils import BaseOpenAILLM

    session: Any = BaseOpenAILLM.get_async_http_client()
    session.event_hooks["response"].append(note_plain)
    litellm.aclient_session = session  # what OpenAI's client sends with
    create_client = AsyncHTTPHandler.create_client

    def with_note(self: Any, *given: Any, **named: Any) -> Any:
        client = create_client(self, *given, **named)
        client.event_hooks["response"].append(note)
        return client

    async def not_again(_self: Any, *_given: Any, **_named: Any) -> Any:
        raise  # the connection's error, within whose handler this is called

    handlers: Any = AsyncHTTPHandler
    handlers.create_client = with_note
    handlers.single_connection_post_request = not_again  # after a connection broke, maybe within an answer
    azure: Any = AzureAIStudioConfig
    azure.max_retry_on_unprocessable_entity_error = 1  # calls in all; by itself it makes two


def _raise_refusal(exchange: Exchange, deployment: Deployment) -> None:
    """litellm makes an answer of one kind of 400; a status is a status."""
    if exchange.refused:
        raise refused(exchange.status or 0, exchange, deployment.name)
