"""Which questions are asked? Known to the command without anything that draws them."""

from enum import StrEnum


class Hits(StrEnum):
    """Which questions are asked: the mix, only those that were answered before, or only new ones."""

    NONE = "none"
    MIX = "mix"
    ALL = "all"
