"""How do erasure and disclosure reach brokers, Redis and the stages' own stores? Put together here only.

A stage that keeps something of people elsewhere names it in the entry points ``forebay.people``: a function from
settings to an asynchronous context manager of a :class:`forebay.operations.people.person.Place`.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import entry_points
from pathlib import Path

from forebay.history.settings import HistorySettings
from forebay.kafka.decoding import ReadRecord
from forebay.kafka.reader import TopicReader
from forebay.operations.audit.opening import recorder
from forebay.operations.people.history_place import HistoryPlace
from forebay.operations.people.redis_places import places
from forebay.operations.people.subjects import Desk
from forebay.operations.publishing import publish
from forebay.privacy.vault_redis import open_vault
from forebay.settings import RedisSettings, Settings
from forebay.state.redis_client import open_redis

GROUP = "forebay.people"


@asynccontextmanager
async def open_people(settings: Settings) -> AsyncIterator[Desk]:
    """The desk of an installation; what is done at it raises :class:`forebay.kafka.queries.BrokerUnavailableError`."""

    def read(topics: Sequence[str]) -> Iterator[ReadRecord]:
        with TopicReader(settings, topics) as reader:
            yield from reader.read_to_end()

    async with AsyncExitStack() as stack:
        vault = await stack.enter_async_context(open_vault(settings))
        client = await stack.enter_async_context(open_redis(settings))
        of_stages = [
            await stack.enter_async_context(entry.load()(settings))
            for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
        ]
        yield Desk(
            read=read,
            places=[
                *places(client, settings[RedisSettings].key_prefix, vault),
                HistoryPlace(Path(settings[HistorySettings].path)),
                *of_stages,
            ],
            publish=lambda outputs: publish(settings, outputs),
            record=recorder(settings),
        )
