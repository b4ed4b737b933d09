"""Which stages share a process? ``redaction;cache;completion;response,cost``: a process each between semicolons.

Fewer processes take less memory, since each has the same libraries loaded; they take no less CPU, since each stage
keeps its consumer group. So a stage can still be scaled alone: by one more worker of it, beside the shared one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

Layout = Sequence[Sequence[str]]
"""The stages of each process."""


class LayoutError(ValueError):
    """The text is no layout; its message says why."""


def parse(text: str, known: Iterable[str]) -> Layout:
    """What ``text`` says.

    Raises:
        LayoutError: a stage that is not ``known``, that is named twice, or a process without any.
    """
    stages = set(known)
    found = tuple(tuple(name.strip() for name in process.split(",")) for process in text.split(";"))
    named = Counter(name for process in found for name in process)
    if "" in named:
        raise LayoutError("a layout is stages with commas between them, and semicolons between processes")
    if strange := sorted(named.keys() - stages):
        raise LayoutError(f"there is no stage {', '.join(strange)}; there are {', '.join(sorted(stages))}")
    if twice := sorted(name for name, count in named.items() if count > 1):
        raise LayoutError(f"named twice: {', '.join(twice)}; a second worker is started by `forebay worker`")
    return found


def processes(layout: Layout, stages: Sequence[str]) -> list[Sequence[str]]:
    """The processes that run ``stages``: as laid out, and one for each stage that the layout does not name."""
    named = {name for process in layout for name in process}
    return [*layout, *((stage,) for stage in stages if stage not in named)]
