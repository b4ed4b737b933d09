"""How is a model called? Through litellm, for every provider it knows.

litellm's own retries and fallbacks are off: each call is one attempt with an id and a ledger entry of its own. Its
exceptions become :class:`ProviderError`; their texts, which may quote the prompt, go no further.
"""

import asyncio
import json
import math
import os
from email.utils import parsedate_to_datetime
from typing import Any

from forebay.contract.clock import now_s
from forebay.contract.records import Message
from forebay_agents.models.providers.assembly import Assembly, usage_of
from forebay_agents.models.providers.chat_format import chat_messages, sampling
from forebay_agents.models.providers.provider import ATTEMPT_HEADER, Answer, Call, ProviderError, Usage
from forebay_agents.models.providers.stream_reading import BrokenStreamError, Patience, StalledError, Watch, read
from forebay_agents.models.settings import Deployment, Price

_TOKENS_PER_CHAR = 1 / 3.0
"""For estimates: English has about 4 characters a token, tags, numbers and other languages fewer."""
_TOKENS_PER_MESSAGE = 8
_STREAM_SLACK_S = 5.0
_STREAMED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}


class LitellmProvider:
    """Calls models through litellm, which is imported on first use: that takes about 5 s of CPU."""

    def __init__(self) -> None:
        self._litellm: Any = None
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
        patience = Patience.of(deployment, call.timeout_s)
        try:
            if not deployment.stream:
                return _answer(await self._litellm.acompletion(**self._arguments(deployment, call)))
            async with Watch(patience) as watch:
                stream = await self._litellm.acompletion(**self._arguments(deployment, call), **_STREAMED)
                found = await read(stream, watch)
            return found.answer(self._estimate(deployment, call, found))
        except StalledError as error:
            raise ProviderError("provider_timeout", f"{deployment.name}: {error}", may_be_billed=True) from None
        except BrokenStreamError as error:
            raise ProviderError(error.code, f"{deployment.name}: its answer broke off", may_be_billed=True) from None
        except Exception as error:  # noqa: BLE001 - litellm's exceptions share no base class
            raise self._explain(error, deployment) from None

    def count_tokens(self, _deployment: Deployment, messages: tuple[Message, ...]) -> int:
        """See :class:`forebay_agents.models.providers.provider.Provider`: from the length, since exact counts cost 1 ms
        and more."""
        chars = sum(len(message.content) + len(message.tool_calls or "") for message in messages)
        return round(chars * _TOKENS_PER_CHAR) + _TOKENS_PER_MESSAGE * len(messages)

    def list_price(self, model: str) -> Price | None:
        """The price in litellm's list; ``None`` for unknown models."""
        try:
            info = self._litellm.get_model_info(model)
        except Exception:  # noqa: BLE001 - raises plain Exception for unknown models
            return None
        cached = info.get("cache_read_input_token_cost")
        return Price(
            input=1e6 * (info.get("input_cost_per_token") or 0.0),
            output=1e6 * (info.get("output_cost_per_token") or 0.0),
            cached_input=None if cached is None else 1e6 * cached,
        )

    def _estimate(self, deployment: Deployment, call: Call, found: Assembly) -> Usage:
        """For providers that do not count in streams; from above, as for worst cases."""
        said = sum(map(len, found.parts)) + sum(len(str(one)) for one in found.calls)
        return Usage(
            prompt_tokens=self.count_tokens(deployment, call.messages),
            completion_tokens=min(call.max_tokens, round(said * _TOKENS_PER_CHAR) + 1),
        )

    @staticmethod
    def _arguments(deployment: Deployment, call: Call) -> dict[str, Any]:
        import httpx

        arguments: dict[str, Any] = {
            "model": deployment.model,
            "messages": chat_messages(call.messages),
            "max_tokens": call.max_tokens,
            # Of a stream, the end is watched from here: the library knows but the time between two packets.
            "timeout": httpx.Timeout(
                call.timeout_s + _STREAM_SLACK_S * deployment.stream,
                connect=min(call.timeout_s, deployment.connect_timeout_s),
            ),
            "max_retries": 0,
            "num_retries": 0,
            "extra_headers": {ATTEMPT_HEADER: call.attempt_id, "x-forebay-request-id": call.request_id},
            **sampling(call.params),
        }
        if deployment.api_base:
            arguments["api_base"] = deployment.api_base
        # A local server wants no key, but the client library insists on one.
        arguments["api_key"] = deployment.api_key.get_secret_value() or ("none" if deployment.api_base else None)
        if deployment.logprobs:
            arguments["logprobs"] = True
        if call.top_logprobs:
            arguments |= {"logprobs": True, "top_logprobs": call.top_logprobs}
        if call.tools is not None:
            # Without the flag litellm looks for tools of its own gateway first, and fails without that one's packages.
            arguments |= {"tools": call.tools, "_skip_mcp_handler": True}
        if call.response_format is not None:
            arguments["response_format"] = call.response_format
        return arguments

    def _explain(self, error: Exception, deployment: Deployment) -> ProviderError:
        import httpx

        kinds = self._litellm.exceptions
        known: tuple[tuple[Any, str, bool], ...] = (
            (kinds.ContextWindowExceededError, "context_length", False),
            (kinds.ContentPolicyViolationError, "content_policy", False),
            (kinds.RateLimitError, "provider_rate_limited", False),
            ((kinds.Timeout, httpx.TimeoutException), "provider_timeout", True),
            ((kinds.AuthenticationError, kinds.PermissionDeniedError), "provider_auth", False),
            (kinds.NotFoundError, "provider_auth", False),  # no such model for this key: an operator's mistake
            ((kinds.BadRequestError, kinds.UnprocessableEntityError), "provider_bad_request", False),
            (kinds.APIConnectionError, "provider_unavailable", True),
            ((kinds.ServiceUnavailableError, kinds.InternalServerError), "provider_unavailable", True),
        )
        code, billed = next(
            ((code, billed) for kind, code, billed in known if isinstance(error, kind)), ("provider_unavailable", True)
        )
        status = getattr(error, "status_code", None)
        if code == "provider_bad_request" and "context" in str(error).lower() and "size" in str(error).lower():
            code = "context_length"  # llama.cpp: "exceeds the available context size"
        return ProviderError(
            code,
            f"{deployment.name}: {type(error).__name__}" + (f" ({status})" if status else ""),
            retry_after_s=_retry_after(error),
            may_be_billed=billed and not _was_refused(error),
        )


def _import_litellm() -> Any:
    # litellm would fetch its price list over the network at import, and wait 3 s when there is none.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.drop_params = True  # parameters that a provider does not know are left out, not an error
    litellm.telemetry = False
    # Nothing is ever logged by litellm, so it need not copy each message to leave it out (1.5 ms a call).
    litellm.success_callback = litellm.failure_callback = litellm.callbacks = []
    litellm.turn_off_message_logging = False
    return litellm


def _answer(reply: Any) -> Answer:
    choice = reply.choices[0]
    calls = getattr(choice.message, "tool_calls", None)
    return Answer(
        content=choice.message.content or "",
        finish_reason=choice.finish_reason,
        tool_calls=json.dumps([call.model_dump() for call in calls], ensure_ascii=False) if calls else None,
        logprobs=getattr(choice, "logprobs", None),
        usage=usage_of(reply.usage.model_dump()),
    )


def _was_refused(error: BaseException) -> bool:
    """Whether the provider said no with an HTTP status, or was never reached: only then a call is surely free.

    litellm's own classes do not tell: a 200 whose body is no JSON, and a connection that broke in the middle of an
    answer, are an ``InternalServerError`` with status 500 like a real 500, and yet were billed. Its causes do.
    """
    import httpx

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, httpx.HTTPStatusError):
            return cause.response.status_code >= 400
        if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _retry_after(error: Exception) -> float | None:
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or getattr(error, "headers", None) or {}
    return retry_after_s(headers.get("retry-after") or "")


def retry_after_s(asked: str, now: float | None = None) -> float | None:
    """Seconds to wait by a ``Retry-After`` header: a number or a date (RFC 9110, 10.2.3); ``None`` if it is neither."""
    try:
        seconds = float(asked)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(asked).timestamp() - (now_s() if now is None else now)
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
