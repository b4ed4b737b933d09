"""What people may do to stages: found by name, typed, and without a terminal."""

import dataclasses
import enum
import inspect
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol, get_args, get_origin, get_type_hints

import pytest

from forebay import operations
from forebay.operations.dead_letters.plan import Progress
from forebay.operations.stages import GROUP, UnknownOperationsError, stage_operations, stages
from forebay.settings import Settings
from forebay_agents.review.operations import Decision, ReviewDesk

OWN = [f"forebay.operations.{module.name}" for module in iter_modules(operations.__path__) if not module.ispkg]
OWN += ["forebay.operations.dead_letters.actions"]  # the other modules there are how it does it
STAGES = [entry.value for entry in entry_points(group=GROUP)]
EVERY = [*OWN, *STAGES]
PLAIN = (int, float, bool, str, bytes, Path, type(None))


def functions(name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Public functions of a module, and methods of its public classes that are no errors."""
    module = import_module(name)
    for key, value in vars(module).items():
        if key.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        if inspect.isfunction(value):
            yield key, value
        elif inspect.isclass(value) and not issubclass(value, Exception) and not getattr(value, "_is_protocol", False):
            for inner, method in vars(value).items():
                if inspect.isfunction(method) and not inner.startswith("_"):
                    yield f"{key}.{inner}", method


def test_every_stage_that_people_act_on_is_there() -> None:
    assert stages() == ["cache", "completion", "cost", "notify", "redaction", "review"]
    assert {"forebay.operations.topics", "forebay.operations.vault"} < set(OWN)


@pytest.mark.parametrize("name", EVERY)
def test_operations_say_what_they_take_give_and_do(name: str) -> None:
    assert import_module(name).__doc__
    found = dict(functions(name))
    assert found or name not in STAGES
    for function, code in found.items():
        assert code.__doc__, function
        hints = get_type_hints(code, localns={"T": Any})
        assert {*inspect.signature(code).parameters, "return"} - hints.keys() <= {"self", "cls"}, function
        untyped = [one for one in parts(hints["return"]) if not is_typed(one)]
        assert untyped == [], f"{function} gives {untyped}"


def parts(hint: Any) -> Iterator[Any]:
    """The types in an annotation: of ``list[Spend] | None``, ``Spend`` and ``None``."""
    inner = get_args(hint)
    if not inner:
        yield hint
    for one in inner:
        yield from parts(one)
    if isinstance(get_origin(hint), type) and not issubclass(get_origin(hint), types.UnionType):
        assert not issubclass(get_origin(hint), dict) or all(kind in PLAIN for kind in inner), hint


def is_typed(kind: Any) -> bool:
    """A plain value, a closed set, a frozen record, or something with methods of its own: no ``Any``, no bare dict."""
    if kind in PLAIN or not isinstance(kind, type):
        return kind is not Any
    if dataclasses.is_dataclass(kind):
        frozen: bool = kind.__dataclass_params__.frozen  # type: ignore[attr-defined]  # CPython's own
        return frozen or kind is Progress  # which counts while it runs
    return issubclass(kind, enum.Enum) or kind.__module__.startswith(("forebay.", "forebay_agents."))


def test_no_operation_needs_a_terminal() -> None:
    """Not even by what it imports, nor the weight of Faust, litellm, Presidio. (structlog imports rich, if it can.)"""
    program = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program, *EVERY], capture_output=True, text=True, check=True)
    loaded = {module.partition(".")[0] for module in done.stdout.split()}
    assert "forebay_agents" in loaded
    assert loaded & {"typer", "click", "faust", "litellm", "presidio_analyzer", "sklearn"} == set()


class Reviewing(Protocol):
    """What a console would say that it needs of the stage ``review``."""

    def open_desk(self, settings: Settings) -> AbstractContextManager[ReviewDesk]:
        """See forebay_agents.review.operations."""
        ...

    def Decision(self, *, review_id: str) -> Decision:
        """See forebay_agents.review.operations."""
        ...


def test_a_stage_is_found_by_name_and_has_what_is_asked_of_it() -> None:
    found = stage_operations("review", Reviewing)
    assert found.open_desk is import_module("forebay_agents.review.operations").open_desk


class Impossible(Protocol):
    """What no stage has."""

    def guess(self) -> None:
        """Nothing."""
        ...


@pytest.mark.parametrize(
    ("stage", "said"),
    [("review", "review .* has no guess"), ("retry", "'retry' has no operations; those that have: cache, ")],
)
def test_what_is_not_there_is_said_when_it_is_asked_for(stage: str, said: str) -> None:
    with pytest.raises(UnknownOperationsError, match=said):
        stage_operations(stage, Impossible)
