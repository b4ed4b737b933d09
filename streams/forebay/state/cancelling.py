"""How is a task ended that may not hear of it? It is cancelled until it is done.

``asyncio.wait_for`` before Python 3.12 swallows a cancellation when what it waits for is done in the same turn of the
loop; redis-py and aiokafka use it for every command. A loop that is cancelled once may go on for ever.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

_AGAIN_S = 1.0
"""Between two cancellations: who heard the first has that long to clean up, which is a command to Redis or two."""


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel ``tasks`` and wait until all are done; what they raised is theirs, and not raised here."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=_AGAIN_S)
        for task in done:
            if not task.cancelled():
                task.exception()  # looked at, so that the loop does not complain of it
