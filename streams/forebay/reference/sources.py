"""What does the source say that no object says? The syntax trees of the distribution's modules, outside of training."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path

from forebay.reference.discovery import packages


@dataclass(frozen=True, kw_only=True)
class Called:
    """A call: what is called as :func:`dotted` has it, and the function around it; empty for none."""

    name: str
    node: ast.Call
    within: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """A module: its import name, and what stands in it."""

    name: str
    tree: ast.Module

    @cached_property
    def calls(self) -> tuple[Called, ...]:
        """Every call, in the order of the source."""

        def below(node: ast.AST, within: str) -> Iterator[Called]:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.Call):
                    yield Called(name=dotted(child.func), node=child, within=within)
                inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else within
                yield from below(child, inner)

        return tuple(below(self.tree, ""))


@cache
def sources() -> tuple[Source, ...]:
    """All modules of the packages with stages and of the substrate; rooms called ``training`` never run in a worker."""
    return tuple(_read())


def _read() -> Iterator[Source]:
    for package in packages():
        [root] = map(Path, import_module(package).__path__)
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            if "training" not in parts:
                yield Source(name=".".join(parts).removesuffix(".__init__"), tree=ast.parse(path.read_text("utf-8")))


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of a name or of attributes of one; what stands before an attribute of anything else is left out.

    ``ast.unparse`` says more, and takes a hundred times as long: there are 30,000 calls.
    """
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    names.append(node.id if isinstance(node, ast.Name) else "")
    return ".".join(reversed(names))


def text_of(node: ast.expr | None) -> str | None:
    """The text that a node is, if it is one."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
