"""How does a tenant get a key to sign with? It is made once the trail has that it will be."""

from collections.abc import Iterator
from contextlib import contextmanager

from forebay.operations.audit.recording import Recorder
from forebay.trust.tenant_keys import new_tenant_key


@contextmanager
def new_key(key_id: str, tenant: str, record: Recorder) -> Iterator[str]:
    """A line for the tenant and for `tenants.keys_file`, to be kept while this is entered; a secret.

    Raises:
        ConfigurationError: the id or the tenant is none.
        PublishError: it cannot be written down; there is no key.
    """
    line = new_tenant_key(key_id, tenant)
    with record("tenants.key", subject=f"key {key_id}", details={"tenant": tenant}) as act:
        yield line
        act.count = 1
