"""Whose account pays? Each known tenant's own; all the others have one, or each new name would have a fresh budget.

Known is who is in ``tenants.known``, has a key, or has a budget or rate of its own. An account's name is
:data:`forebay.settings.tenants.EVERY`; a budget or rate of that name is the common account's.
"""

from collections.abc import Collection

from forebay.settings.tenants import EVERY


def account_of(tenant_id: str, known: Collection[str] | None, named: Collection[str]) -> str:
    """The tenant under whose name is counted what ``tenant_id`` uses.

    Args:
        known: tenants that there are; ``None``: each has an account of its own.
        named: tenants with a budget, or a rate, of their own.
    """
    return tenant_id if known is None or tenant_id in known or tenant_id in named else EVERY
