"""Models of what surrounds a stage or an application, for people's own tests: topics, time, stores and the client.

They are in memory and need no server; what they run is the code that workers run. This package imports each module
when one of its names is first used, and no test framework: docs/how-to/test-your-stage.md shows each of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forebay.privacy.vault_store import MemoryVaultStore
    from forebay.testing.channel import MemoryChannel
    from forebay.testing.clock import VirtualClock
    from forebay.testing.deliveries import context, delivered
    from forebay.testing.runner import Outcome, StageRunner
    from forebay.testing.stores import KEYRING, MemoryClaims, memory_vault
    from forebay.testing.topics import MemoryTopics, Published, Retry, codecs

__all__ = [
    "KEYRING",
    "MemoryChannel",
    "MemoryClaims",
    "MemoryTopics",
    "MemoryVaultStore",
    "Outcome",
    "Published",
    "Retry",
    "StageRunner",
    "VirtualClock",
    "codecs",
    "context",
    "delivered",
    "memory_vault",
]

_MODULES = {
    "forebay.privacy.vault_store": ("MemoryVaultStore",),
    "forebay.testing.channel": ("MemoryChannel",),
    "forebay.testing.clock": ("VirtualClock",),
    "forebay.testing.deliveries": ("context", "delivered"),
    "forebay.testing.runner": ("Outcome", "StageRunner"),
    "forebay.testing.stores": ("KEYRING", "MemoryClaims", "memory_vault"),
    "forebay.testing.topics": ("MemoryTopics", "Published", "Retry", "codecs"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
