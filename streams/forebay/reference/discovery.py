"""Where in the distribution is what a reference page is about? In modules with an agreed name.

Stages declare their metrics in modules called ``metrics``. Packages are found through the stages' entry points:
:mod:`forebay` does not know who builds on it.
"""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType

DISTRIBUTION = "forebay"


def packages() -> list[str]:
    """Top-level packages of this distribution that hold stages, the substrate among them."""
    own = (e for e in entry_points(group="forebay.stages") if e.dist is not None and e.dist.name == DISTRIBUTION)
    return sorted({__name__.partition(".")[0], *(entry.module.partition(".")[0] for entry in own)})


def modules_named(name: str) -> Iterator[ModuleType]:
    """Every module of the distribution whose last part is ``name``, imported, in alphabetical order."""
    for package in packages():
        root = import_module(package)
        for found in pkgutil.walk_packages(root.__path__, f"{package}."):
            if found.name.rpartition(".")[2] == name:
                yield import_module(found.name)
