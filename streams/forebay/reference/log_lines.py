"""Which lines can a worker log, with which fields? Read from every call of a logger in the source.

A field is the name of an argument, so the source says all of them. What it does not say plainly (an event that is put
together, fields out of a mapping that nobody can follow) is an error here: nobody could say what such a line holds.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from forebay.reference.sources import Source, text_of

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
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("logging.configure", "configure")
            for keyword in node.keywords
        }
    )


def _of_module(source: Source, mappings: dict[str, tuple[str, ...]]) -> Iterator[LogLine]:
    loggers = set(_loggers(source))
    for function, call in _calls(source.tree):
        target = call.func
        if not isinstance(target, ast.Attribute) or target.attr not in _LEVELS:
            continue
        owner = ast.unparse(target.value)
        if owner.startswith(("logging", "structlog")):
            raise ValueError(f"{source.name}:{call.lineno}: logs by something else than a logger of its own")
        if owner not in loggers:
            continue
        if len(call.args) != 1:
            raise ValueError(f"{source.name}:{call.lineno}: a line has one event, and fields by name")
        fields = tuple(name for keyword in call.keywords for name in _fields(keyword, mappings, source, call.lineno))
        for event in _events(call.args[0], function, source):
            yield LogLine(event=event, level=target.attr, fields=fields, module=source.name)


def _loggers(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("structlog.get_logger", "get_logger"):
            if f"log = {ast.unparse(node)}" not in map(ast.unparse, source.tree.body):
                raise ValueError(f"{source.name}:{node.lineno}: a logger is called `log`, so that its lines are found")
            yield "log"


def _calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Each call with the name of the function around it."""

    def below(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call):
                yield function, child
            inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            yield from below(child, inner)

    return below(tree, "")


def _events(node: ast.expr, function: str, source: Source) -> list[str]:
    """The event itself, or what the callers of ``function`` in the module give for it."""
    said = [text_of(node)]
    if isinstance(node, ast.Name):
        said = [
            text_of(call.args[0])
            for _, call in _calls(source.tree)
            if call.args and ast.unparse(call.func).rpartition(".")[2] == function
        ]
    events = [event for event in said if event is not None]
    if not events or len(events) < len(said):
        raise ValueError(f"{source.name}:{node.lineno}: the event {ast.unparse(node)} is not plain to see")
    return events


def _fields(keyword: ast.keyword, mappings: dict[str, tuple[str, ...]], source: Source, line: int) -> tuple[str, ...]:
    if keyword.arg is not None:
        return (keyword.arg,)
    function = ast.unparse(keyword.value).partition("(")[0].rpartition(".")[2]
    if function not in mappings:
        raise ValueError(f"{source.name}:{line}: the fields **{ast.unparse(keyword.value)} are not plain to see")
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
