"""What may be done to a stage, for those who must not know the stages? Entry points, as commands and stages are.

``forebay`` never imports ``forebay_agents``, so a console finds a stage's operations by the stage's name in the group
``forebay.operations``: a module of typed functions. It says as a ``Protocol`` what it calls there; a type checker then
sees its calls, and a stage that lacks one of them is found out when it is loaded.
"""

from importlib.metadata import entry_points
from typing import TypeVar, cast

GROUP = "forebay.operations"

P = TypeVar("P")


class UnknownOperationsError(Exception):
    """No installed stage of that name has such operations; the message says what there is instead."""


def stages() -> list[str]:
    """Stages that have operations."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def stage_operations(stage: str, wanted: type[P]) -> P:
    """The operations of ``stage``, imported now.

    Args:
        wanted: a ``Protocol`` with those that the caller needs.

    Raises:
        UnknownOperationsError: there is no such stage, or it lacks one of them.
    """
    for entry in entry_points(group=GROUP):
        if entry.name == stage:
            found = entry.load()
            missing = [name for name in vars(wanted) if not name.startswith("_") and not hasattr(found, name)]
            if missing:
                raise UnknownOperationsError(f"the stage {stage} ({entry.value}) has no {', '.join(sorted(missing))}")
            return cast("P", found)
    raise UnknownOperationsError(f"the stage {stage!r} has no operations; those that have: {', '.join(stages())}")
