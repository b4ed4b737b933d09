"""How is a URL called that speaks OpenAI's chat format? Straight over HTTP: there is nothing to translate.

The body is what litellm would send, the answer goes through the same readers, and a failure has the same code as
through litellm. That library's client takes 6.9 ms of CPU a streamed call, this 0.65 with eight at once.
"""

import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import orjson

from forebay.contract.records import Message
from forebay_agents.models.providers.assembly import Assembly
from forebay_agents.models.providers.bodies import NoAnswerError, read_body
from forebay_agents.models.providers.call_arguments import FOR_THE_LIBRARY, call_arguments
from forebay_agents.models.providers.ending import answer_of, no_answer
from forebay_agents.models.providers.estimates import count_tokens, usage_of
from forebay_agents.models.providers.exchange import Exchange
from forebay_agents.models.providers.provider import Answer, Call, ProviderError
from forebay_agents.models.providers.refusals import refused
from forebay_agents.models.providers.stream_reading import Patience, StalledError, Watch, events, follow
from forebay_agents.models.settings import Deployment

_OPENAI = "openai/"
_OPENAI_BASE = "https://api.openai.com/v1"
_TRANSLATED = re.compile(r"(ft:)?(o\d|gpt-[5-9]|chatgpt|codex|computer-use)|.*(audio|search|realtime|responses/)")
"""Names of models for which litellm renames or leaves out parameters, or takes another path."""
_OLD = frozenset({"gpt-4", "gpt-3.5-turbo-16k"})
"""Models that know no response format: litellm leaves it out."""
_KEPT_S = 60.0
"""An idle connection is kept so long; one that its server closed before is not used again."""
_REFUSAL_BYTES = 65_536
_NOT_SENT = FOR_THE_LIBRARY | {"api_key", "extra_headers"}


def speaks_openai(deployment: Deployment) -> bool:
    """Whether a deployment can be called as it stands, without litellm's translations."""
    if not deployment.model.startswith(_OPENAI):
        return False
    name = deployment.model.removeprefix(_OPENAI)
    return name not in _OLD and _TRANSLATED.match(name) is None


class DirectProvider:
    """Calls deployments for which :func:`speaks_openai` holds. One session for all; :meth:`aclose` ends it."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def ready(self) -> None:
        """See :class:`forebay_agents.models.providers.provider.Provider`."""
        self._open()

    async def aclose(self) -> None:
        """Close the connections; the next call opens others."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def complete(self, deployment: Deployment, call: Call) -> Answer:
        """See :class:`forebay_agents.models.providers.provider.Provider`."""
        exchange, found = Exchange(whole=not deployment.stream), Assembly(said=call.said)
        failure: ProviderError | None = None
        try:
            with _explained(exchange, deployment.name):
                await self._ask(deployment, call, exchange, found)
        except ProviderError as error:
            failure = error
        except NoAnswerError as error:
            failure = no_answer(error.code, deployment.name, usage_of(call, found))
        # What ends badly behind the answer's end (a count that never comes, a connection that breaks) ends no answer.
        if failure is not None and not found.ended:
            raise failure
        return answer_of(found, deployment.name, usage_of(call, found))

    def count_tokens(self, _deployment: Deployment, messages: tuple[Message, ...]) -> int:
        """See :class:`forebay_agents.models.providers.provider.Provider`."""
        return count_tokens(messages)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                skip_auto_headers=("Accept-Encoding", "User-Agent"),
                trust_env=True,  # the proxy of the house, as litellm takes it
            )
        return self._session

    async def _ask(self, deployment: Deployment, call: Call, exchange: Exchange, found: Assembly) -> None:
        patience = Patience.of(deployment, call.timeout_s)
        if not deployment.stream:  # nothing is heard of a whole answer before its end
            patience = Patience(first_token_s=call.timeout_s, stall_s=call.timeout_s, total_s=call.timeout_s)
        async with Watch(patience, call.begun) as watch, self._posted(deployment, call) as response:
            exchange.status, exchange.headers = response.status, response.headers
            if exchange.refused:
                exchange.body = await response.content.read(_REFUSAL_BYTES)
                raise refused(response.status, exchange, deployment.name)
            if deployment.stream:
                await follow(events(response.content.iter_any(), found), watch, found)
            else:
                read_body(await response.read(), found)

    @asynccontextmanager
    async def _posted(self, deployment: Deployment, call: Call) -> AsyncIterator[aiohttp.ClientResponse]:
        arguments = call_arguments(deployment, call)
        key = arguments["api_key"] or os.environ.get("OPENAI_API_KEY") or "none"
        headers = arguments["extra_headers"] | {"authorization": f"Bearer {key}", "content-type": "application/json"}
        if deployment.stream:
            headers["accept"] = "text/event-stream"
        body = {name: value for name, value in arguments.items() if name not in _NOT_SENT}
        body["model"] = deployment.model.removeprefix(_OPENAI)
        connect_s = min(call.timeout_s, deployment.connect_timeout_s)
        async with self._open().post(
            _base(deployment).rstrip("/") + "/chat/completions",
            data=orjson.dumps(body),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_s),
            allow_redirects=False,  # what a user wrote goes where the settings say, and nowhere else
        ) as response:
            yield response


def _base(deployment: Deployment) -> str:
    told = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
    return deployment.api_base or told or _OPENAI_BASE


@contextmanager
def _explained(exchange: Exchange, name: str) -> Iterator[None]:
    """What an exception of aiohttp says, in the codes that litellm's have."""
    try:
        yield
    except StalledError as error:
        raise ProviderError("provider_timeout", f"{name}: {error}", may_be_billed=True) from None
    except aiohttp.ConnectionTimeoutError:
        raise ProviderError("provider_timeout", f"{name}: no connection in time") from None
    except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as error:  # there was no connection at all
        raise ProviderError("provider_unavailable", f"{name}: {type(error).__name__}") from None
    except (aiohttp.ClientError, OSError) as error:
        if exchange.status is not None:
            raise ProviderError("provider_cut_off", f"{name}: its answer broke off", may_be_billed=True) from None
        raise ProviderError("provider_unavailable", f"{name}: {type(error).__name__}", may_be_billed=True) from None
