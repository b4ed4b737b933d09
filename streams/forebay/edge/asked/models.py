"""Which models are there? ``auto``, by which Forebay chooses, and the tiers; by their own names or by others."""

from collections.abc import Mapping, Sequence
from typing import Any

from forebay.contract.records import ApiKey
from forebay.edge.asked.parsing import AUTO
from forebay.edge.errors import Refused
from forebay.settings import Settings
from forebay.settings.known import sections

_OURS = "forebay"
_OPENAI = "openai/"


class Models:
    """What may be asked for.

    Args:
        tiers: names, cheapest first.
        aliases: other names, of tiers or of ``auto``.
        since: when they became what they are, in seconds since the epoch.
    """

    def __init__(self, tiers: Sequence[str], aliases: Mapping[str, str], since: int) -> None:
        self._names = (AUTO, *tiers)
        self._aliases = {_OURS: AUTO, **aliases}
        self._since = since

    def tier_of(self, name: str, key: ApiKey) -> str | None:
        """The tier that ``name`` means to the holder of ``key``; ``None``: the choice is Forebay's.

        Raises:
            Refused: ``model_not_found``, also where the key does not allow it: what others may use is not told.
        """
        meant = name.removeprefix(_OPENAI)
        meant = self._aliases.get(meant, meant)
        if meant not in self._allowed(key):
            raise Refused("model_not_found", "there is no such model here; see /v1/models", "model")
        return None if meant == AUTO else meant

    def listed(self, key: ApiKey) -> list[dict[str, Any]]:
        """What the holder of ``key`` may ask for, as OpenAI lists models."""
        return [self._shown(name) for name in self._allowed(key)]

    def one(self, name: str, key: ApiKey) -> dict[str, Any]:
        """The same of one. Raises as :meth:`tier_of`."""
        tier = self.tier_of(name, key)
        return self._shown(tier or AUTO)

    def _allowed(self, key: ApiKey) -> list[str]:
        return [name for name in self._names if not key.models or name in key.models]

    def _shown(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": self._since, "owned_by": _OURS}


def tiers(settings: Settings) -> list[str]:
    """Names of the tiers, from the section of the stages that call models: found by its name, since no stage is known
    here. Raises :class:`forebay.settings.ConfigurationError`."""
    for kind in sections():
        if kind.section == "models":
            found: Any = settings[kind]
            return [tier.name for tier in found.tiers]
    return []
