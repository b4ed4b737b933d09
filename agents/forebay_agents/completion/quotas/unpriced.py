"""May a deployment be called whose price nobody knows? Not where money is limited: what costs 0 holds nothing back."""

from collections.abc import Callable

from forebay.contract.records import RedactedRequest
from forebay_agents.models.settings import Deployment, Unpriced

MayCall = Callable[[Deployment, RedactedRequest], bool]


def may_call(
    policy: Unpriced, is_priced: Callable[[Deployment], bool], is_limited: Callable[[str, str, str | None], bool]
) -> MayCall:
    """Says whether a deployment may be called for a request.

    Args:
        is_priced: whether somebody wrote a price, be it 0, that counts now.
        is_limited: whether a tenant's user, the tenant, or the key has a budget.
    """

    def may(deployment: Deployment, request: RedactedRequest) -> bool:
        if is_priced(deployment):
            return True
        if policy is Unpriced.REFUSE or request.max_cost_nanousd is not None:
            return False
        return not is_limited(request.tenant_id, request.user_id, request.key_id)

    return may


def all_may(_deployment: Deployment, _request: RedactedRequest) -> bool:
    """Nothing is limited."""
    return True
