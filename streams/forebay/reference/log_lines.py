"""Which lines can a worker log, with which fields? Read from every call of a logger in the source.

A field is the name of an argument, so the source says all of them. What it does not say plainly (an event that is put
together, fields out of a mapping that nobody can follow) is an error here: nobody could say what such a line holds.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from forebay.reference.sources import Source, dotted, text_of

_LEVELS = ("debug", "info", "warning", "error", "critical", "exception")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One call of a logger: its event, level, fields in their order, and the module."""

    event: str
    level: str
    fields: tuple[str, ...]
    module: str


def log_lines(modules: Iterable[Source]) -> list[LogLine]:
    """Every line that ``modules`` can log, by event.

    Raises:
        ValueError: an event or its fields are not plain to see.
    """
    given = list(modules)
    mappings = {name: keys for source in given for name, keys in _mappings(source.tree)}
    found = {line for source in given for line in _of_module(source, mappings)}
    return sorted(found, key=lambda line: (line.event, line.module, line.level, line.fields))


def bound_fields(modules: Iterable[Source]) -> list[str]:
    """Fields of every line of a process: what :func:`forebay.observability.logging.configure` is given."""
    return sorted(
        {
            keyword.arg or "**"
            for source in modules
            for call in source.calls
            if call.name in ("logging.configure", "configure")
            for keyword in call.node.keywords
        }
    )


def _of_module(source: Source, mappings: dict[str, tuple[str, ...]]) -> Iterator[LogLine]:
    logs = _logs(source)
    for call in source.calls:
        target = call.node.func
        if not isinstance(target, ast.Attribute) or target.attr not in _LEVELS:
            continue
        owner = dotted(target.value.func if isinstance(target.value, ast.Call) else target.value)
        if owner.startswith(("logging", "structlog")):
            raise ValueError(f"{source.name}:{call.node.lineno}: logs by something else than a logger of its own")
        if owner != "log" or not logs:
            continue
        if len(call.node.args) != 1:
            raise ValueError(f"{source.name}:{call.node.lineno}: a line has one event, and fields by name")
        fields = tuple(name for keyword in call.node.keywords for name in _fields(keyword, mappings, source))
        for event in _events(call.node.args[0], call.within, source):
            yield LogLine(event=event, level=target.attr, fields=fields, module=source.name)


def _logs(source: Source) -> bool:
    """Whether the module has a logger, which then is called ``log``."""
    made = [call.node for call in source.calls if call.name.rpartition(".")[2] == "get_logger"]
    named = [one.value for one in source.tree.body if isinstance(one, ast.Assign) and dotted(one.targets[0]) == "log"]
    if any(node not in named for node in made):
        raise ValueError(f"{source.name}: a logger is called `log`, so that its lines are found")
    return bool(made)


def _events(node: ast.expr, within: str, source: Source) -> list[str]:
    """The event itself, or what the callers of the function ``within`` in the module give for it."""
    said = [text_of(node)]
    if isinstance(node, ast.Name):
        callers = [call.node for call in source.calls if call.name.rpartition(".")[2] == within]
        said = [text_of(caller.args[0]) for caller in callers if caller.args]
    events = [event for event in said if event is not None]
    if not events or len(events) < len(said):
        raise ValueError(f"{source.name}:{node.lineno}: the event {ast.unparse(node)} is not plain to see")
    return events


def _fields(keyword: ast.keyword, mappings: dict[str, tuple[str, ...]], source: Source) -> tuple[str, ...]:
    if keyword.arg is not None:
        return (keyword.arg,)
    function = dotted(keyword.value.func).rpartition(".")[2] if isinstance(keyword.value, ast.Call) else ""
    if function not in mappings:
        raise ValueError(
            f"{source.name}:{keyword.value.lineno}: the fields **{ast.unparse(keyword.value)} are not plain to see"
        )
    return mappings[function]


def _mappings(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Functions that return one mapping with keys in the source, and these."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
            if len(returned) == 1 and isinstance(returned[0], ast.Dict):
                keys = [text_of(key) for key in returned[0].keys]
                if all(key is not None for key in keys):
                    yield node.name, tuple(key for key in keys if key is not None)
