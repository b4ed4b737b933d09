"""How does an operator get a key to sign replays with? It is made once the trail has that it will be."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from forebay.operations.audit.recording import Recorder
from forebay.trust import keys


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningKey:
    """A new key: ``line`` is for the operator's file alone, ``name`` and ``public`` are for ``dlq.operators``."""

    name: str
    public: str
    line: str = field(repr=False)


@contextmanager
def new_key(name: str, record: Recorder) -> Iterator[SigningKey]:
    """A key, to be kept while this is entered; the trail has its public half.

    Raises:
        ConfigurationError: the name is none.
        PublishError: it cannot be written down; there is no key.
    """
    line = keys.new_operator_key(name)
    key = SigningKey(name=name, public=keys.public_key(line)[1], line=line)
    with record("dlq.key", subject=f"key {name}", details={"public": key.public}) as act:
        yield key
        act.count = 1
