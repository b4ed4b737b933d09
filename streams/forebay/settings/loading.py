"""Which file counts, and can all of it be used?

What a file leaves out is as shipped: a partial file is a whole configuration. Everything is looked at here, once, by
whoever asks first: a stage that reads two sections must not start beside a misspelt third.
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from forebay.resources import data_path
from forebay.settings.faults import ConfigurationError, Fault, refusal, shown, slips
from forebay.settings.file import ConfigurationFile, read
from forebay.settings.known import PREFIX, variable_faults
from forebay.settings.values import Settings

NAME = "forebay.yaml"


def load(path: str | Path | None = None, reached: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration file, and check every section and every variable.

    Args:
        path: the file; by default ``$FOREBAY_CONFIG``, then ``./forebay.yaml``, then the one that is shipped.
        reached: variables that count where the environment has none of that name: how a stack that was found running
            is reached.

    Raises:
        ConfigurationError: the file is missing or no YAML, or there are faults; each is named, with its place.
    """
    chosen, shipped = _chosen(path)
    place = chosen.absolute()
    return _load(str(chosen), place, _stamp(place), shipped, _frozen(os.environ), _frozen(reached or {}))


def read_unchecked(
    path: str | Path | None = None, reached: Mapping[str, str] | None = None
) -> tuple[Settings, list[Fault]]:
    """The same without refusing anything but a file that cannot be read: the settings, and what is wrong with them."""
    chosen, shipped = _chosen(path)
    return _read(read(chosen, shipped=shipped), dict(os.environ), dict(reached or {}))


_Variables = tuple[tuple[str, str], ...]


def _frozen(variables: Mapping[str, str]) -> _Variables:
    return tuple(sorted(variables.items()))


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when the file does."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


@cache
def _load(
    name: str, path: Path, _stamp: tuple[int, int], shipped: bool, environment: _Variables, reached: _Variables
) -> Settings:
    file = read(path, name, shipped=shipped)
    settings, faults = _read(file, dict(environment), dict(reached))
    if faults:
        raise refusal(faults)
    return settings


def _read(
    file: ConfigurationFile, environment: dict[str, str], reached: dict[str, str]
) -> tuple[Settings, list[Fault]]:
    default = file if file.shipped else read(data_path(NAME), shipped=True)
    faults = variable_faults(environment, [*file.references(), *default.references()])
    variables = {**reached, **environment}
    content = _over(default.resolved(variables, []), file.resolved(variables, faults))
    faults += file.faults() + _slips_in_references(file, environment)
    settings = Settings(content, file.name, reached, file=file, default=default, environment=environment)
    return settings, faults + settings.faults()


def _slips_in_references(file: ConfigurationFile, environment: Mapping[str, str]) -> list[Fault]:
    """References that are one letter from a variable that is set, and that the file nowhere reads."""
    if file.shipped:
        return []
    asked = dict.fromkeys(name for name in file.references() if name.startswith(PREFIX))
    unread = [name for name in environment if name.startswith(PREFIX) and name not in asked]
    return [
        Fault(place=file.name, message=f"${{{name}}} is not set; did you mean {near}?")
        for name in asked
        if name not in environment
        for near in unread
        if slips(name, near, 1) == 1
    ]


def _over(default: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """``own``, with the keys of ``default`` that it leaves out."""
    merged = {**default, **own}
    for name, keys in default.items():
        mine = own.get(name)
        if name in own and (mine is None or isinstance(mine, dict)):
            merged[name] = {**keys, **(mine or {})}
    return merged


def _chosen(path: str | Path | None) -> tuple[Path, bool]:
    """The file, and whether it is the shipped one since there is no other."""
    if path:
        return Path(path), False
    if named := os.environ.get("FOREBAY_CONFIG"):
        return Path(named), False
    here = Path(NAME)
    if here.exists():
        return here, False
    for name in sorted(one.name for one in Path().iterdir()):
        if slips(name.casefold(), NAME, 1) <= 1:
            raise ConfigurationError(f"nobody reads {shown(name)}: call it {NAME}, or name it in FOREBAY_CONFIG")
    return data_path(NAME), True
