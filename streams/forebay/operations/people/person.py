"""Who is meant, and what is said of one place? For erasure and for what a person may ask to be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from forebay.privacy.people.names import Names, forms


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user of a tenant.

    Attributes:
        given: the id, or its pseudonym, as somebody said it.
        requests: ids of his requests that topics know of.
    """

    tenant_id: str
    given: str
    names: Names
    requests: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The pseudonym, which is all that a record of the trail says."""
        return self.names.recorded(self.tenant_id, self.given)

    @property
    def forms(self) -> Sequence[str]:
        """What records may call him."""
        return forms(self.names, self.tenant_id, self.given)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was done in one place.

    Attributes:
        removed: entries that were erased.
        left: records that stay; ``None``: nobody can say without reading personal data.
        until: when the last of them is gone, ms since the epoch; ``None``: never, or there are none.
        how: what those that stay call the person.
    """

    place: str
    removed: int = 0
    left: int | None = 0
    until: int | None = None
    how: str = ""

    @property
    def known(self) -> bool:
        """Whether the place knew the person."""
        return bool(self.removed or self.left)


class Place(Protocol):
    """Somewhere that something of a person may be."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    async def erase(self, person: Person) -> Row:
        """Remove what can be removed at once."""
        ...

    async def told(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """What is there, as JSON can say it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What topics have of a person.

    Attributes:
        rows: a row a topic.
        records: topic to records, where they were asked for.
        open_reviews: ids of requests and of their tasks that nobody has decided.
    """

    tenant_id: str
    rows: Sequence[Row]
    requests: frozenset[str]
    records: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    open_reviews: Sequence[tuple[str, str]] = ()
