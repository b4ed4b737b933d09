"""Who can read a response? Its tenant alone: it goes to the tenant's own topic, or is sealed with the tenant's key.

With ``tenants.identity: field`` every reader of ``responses`` can, and nothing is done here.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from forebay.contract import headers as h
from forebay.contract.failures import Failure, Permanent
from forebay.contract.handlers import Context, FailureHandler, Handler, Output
from forebay.contract.records import Response, ResponseStatus
from forebay.contract.topics import of_tenant
from forebay.settings.tenants import Identity
from forebay.trust.tenants import Tenants

_KIND = "responses"


class Addressing:
    """Puts responses where their tenants alone can read them.

    Args:
        encode: a response as Avro.
    """

    def __init__(self, tenants: Tenants, encode: Callable[[Response], bytes]) -> None:
        self._tenants = tenants
        self._encode = encode

    def of(self, handle: Handler) -> Handler:
        """``handle``, with its responses so addressed."""
        if self._tenants.identity is Identity.FIELD:
            return handle

        async def addressed(record: Any, context: Context) -> Sequence[Output]:
            return self._all(await handle(record, context), context)

        return addressed

    def of_failure(self, on_failure: FailureHandler) -> FailureHandler:
        """``on_failure``, with its responses so addressed."""
        if self._tenants.identity is Identity.FIELD:
            return on_failure

        def addressed(record: Any, context: Context, failure: Failure) -> Sequence[Output]:
            return self._all(on_failure(record, context, failure), context)

        return addressed

    def _all(self, outputs: Sequence[Output], context: Context) -> list[Output]:
        return [
            self._addressed(output, output.value, context.source.headers)
            if output.topic == _KIND and isinstance(output.value, Response)
            else output
            for output in outputs
        ]

    def _addressed(self, output: Output, response: Response, headers: h.Headers) -> Output:
        if response.status is not ResponseStatus.OK and (proved := self._tenants.proved(headers)):
            response = replace(response, tenant_id=proved)  # of what cannot be read nobody else knows the tenant
        if self._tenants.identity is Identity.TOPIC:
            if response.tenant_id not in self._tenants.known:
                return replace(output, value=_bare(response))
            return replace(output, topic=of_tenant(_KIND, response.tenant_id), value=self._encoded(response))
        key = self._tenants.key_for(response.tenant_id, headers)
        if key is None:
            return replace(output, value=_bare(response))
        sealed, named = key.seal(self._encoded(response), response.tenant_id, response.request_id)
        return replace(output, value=sealed, headers=output.headers | named)

    def _encoded(self, response: Response) -> bytes:
        try:
            return self._encode(response)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise Permanent("output_invalid", f"{type(error).__name__} encoding for {_KIND}") from None


def _bare(response: Response) -> Response:
    """What everybody may read of a refusal whose tenant nobody knows.

    Raises:
        Permanent: it is an answer. It stays in the dead letter of its completion until its tenant is known again.
    """
    if response.status is ResponseStatus.OK:
        raise Permanent("tenant_unproven", "no topic and no key is of the tenant of this answer")
    return replace(response, user_id="", conversation_id=None, content="", tool_calls=None, metadata={}, redactions={})
