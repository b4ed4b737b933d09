"""The stage ``notify``: ``alerts`` and ``alerts.silences`` in, ``notifications`` out and in again, and to people."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from forebay.contract.failures import Transient
from forebay.contract.handlers import Route, WriteAhead
from forebay.runtime.stage import Stage
from forebay.settings import ConfigurationError, RedisSettings, Settings, StageSettings
from forebay.state.redis_watch import open_state
from forebay_agents.notify.channels import open_channels
from forebay_agents.notify.handler import NotifyHandler
from forebay_agents.notify.settings import NotifySettings
from forebay_agents.notify.store import RedisStore

log = structlog.get_logger(__name__)

_LOOK_S = 1.0
"""Between two looks at what is due: one command of Redis each. What is new is told a second later, and with it what
came in that second."""


async def telling(handler: NotifyHandler, publish: WriteAhead) -> None:
    """Tell of what is due, until cancelled. Without Redis nothing is lost: it is due when that is back."""
    down = False
    while True:
        await asyncio.sleep(_LOOK_S)
        try:
            await handler.tell(publish)
        except Transient as failure:
            if not down:
                log.warning("notify_waits", code=failure.code)
            down = True
        else:
            down = False


@asynccontextmanager
async def notify_stage(settings: Settings) -> AsyncIterator[Stage]:
    """The stage ``notify``."""
    own = settings[NotifySettings]
    for name, channel in own.channels.items():
        for key, words in channel.problems(whole=True):
            raise ConfigurationError(f"notify.channels.{name}.{key}: {words}")
    async with open_state(settings) as client:
        store = RedisStore(client, settings[RedisSettings].key_prefix)
        handler = NotifyHandler(own, store, open_channels(own.channels))

        async def background(publish: WriteAhead) -> None:
            if own.channels:
                await telling(handler, publish)
            await asyncio.Event().wait()  # nobody is to be told

        yield Stage(
            name="notify",
            routes=[
                Route(topic="alerts", handle=handler.alert),
                Route(topic="alerts.silences", handle=handler.silence, patient=True),
                Route(topic="notifications", handle=handler.send),
            ],
            limits=settings[StageSettings].model_copy(update={"max_attempts": own.max_attempts}),
            background=background,
        )
