"""What are the values of a section, where does each come from, and what is wrong with them?"""

import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from forebay.settings.faults import Fault, refusal, shown
from forebay.settings.file import ConfigurationFile, Path_, dotted
from forebay.settings.known import sections
from forebay.settings.section import Section
from forebay.settings.written import known_only, unknown_section

S = TypeVar("S", bound=Section)

_NOWHERE = "\0"
"""A prefix of variables that no environment has: it was read already."""


class Settings:
    """All sections of one configuration.

    Args:
        content: the parsed file: section name to its keys.
        origin: where it was read, for error messages.
        reached: variables that count where the environment has none of that name.
        file: the file that ``content`` was made of, for places.
        default: the file that it was filled up from.
        environment: instead of this process's, as it is when a section is first asked for.
    """

    def __init__(
        self,
        content: Mapping[str, Any],
        origin: str = "forebay.yaml",
        reached: Mapping[str, str] | None = None,
        *,
        file: ConfigurationFile | None = None,
        default: ConfigurationFile | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._content = content
        self._file = file or ConfigurationFile(name=origin, content=dict(content))
        self._default = default or self._file
        self._reached = reached or {}
        self._environment = environment
        self._sections: dict[type[Section], Section] = {}

    def __getitem__(self, kind: type[S]) -> S:
        """The section ``kind``. Raises :class:`ConfigurationError` naming each wrong key."""
        found = self._sections.get(kind)
        if found is None:
            found, faults = self._built(kind)
            if found is None or faults:
                raise refusal(faults)
            self._sections[kind] = found
        assert isinstance(found, kind)
        return found

    def peek(self, kind: type[S]) -> S | None:
        """The section ``kind``, or ``None`` while something is wrong with it: that is said elsewhere."""
        section, faults = self._built(kind)
        return None if faults else section

    @property
    def file(self) -> ConfigurationFile:
        """The file that was read."""
        return self._file

    @property
    def section_names(self) -> frozenset[str]:
        """Sections present in the file."""
        return frozenset(self._content)

    def faults(self) -> list[Fault]:
        """What is wrong with any section, asked for or not, and sections that nobody has."""
        known = {kind.section: kind for kind in sections()}
        found = [
            Fault(place=self._file.place((str(name),)), key=shown(name), message=unknown_section(str(name), [*known]))
            for name in self._content
            if name not in known
        ]
        for kind in known.values():
            section, faults = self._built(kind)
            if section is not None and not faults:
                self._sections[kind] = section
            found += faults
        return found

    def origin(self, section: type[Section], path: Path_) -> str:
        """Where the value at ``path`` of ``section`` comes from: a variable, ``FILE:LINE``, or ``default``."""
        variables = self._variables()
        if (name := section.variable(str(path[0]))) in variables:
            return name
        place = (section.section, *path)
        own = place in self._file.lines and not self._file.shipped
        where = self._file.place(place) if own else "default"
        names = [name for name in (self._file if own else self._default).references(place) if name in variables]
        return f"{', '.join(dict.fromkeys(names))} ({where})" if names else where

    def _variables(self) -> dict[str, str]:
        environment = os.environ if self._environment is None else self._environment
        return {**self._reached, **environment}

    def _built(self, kind: type[S]) -> tuple[S | None, list[Fault]]:
        """The section as far as it can be made, and what is wrong with it."""
        faults: list[Fault] = []
        given = self._given(kind, faults)
        written = self._content.get(kind.section)
        if written is not None and not isinstance(written, dict):
            place = self._file.place((kind.section,))
            faults.append(Fault(place=place, key=kind.section, message="must be a mapping of keys to values"))
            written = None

        unknown: list[Path_] = []

        def report(path: Path_, message: str) -> None:
            unknown.append(path)
            faults.append(self._fault(kind, path, message))

        values = known_only(kind, {**(written or {}), **given}, (), report)
        try:
            section = kind(**{"_env_prefix": _NOWHERE, **values})
        except ValidationError as error:
            faults += [self._fault(kind, at, message) for at, message in _problems(error, unknown)]
            return None, faults
        faults += [self._fault(kind, at, words) for at, words in section.faults(self)]
        return section, faults

    def _fault(self, kind: type[Section], path: Path_, message: str) -> Fault:
        variable = kind.variable(str(path[0])) if path else ""
        if variable in self._variables():
            return Fault(place=variable, key=dotted(path[1:]), message=message)
        whole = (kind.section, *path)
        return Fault(place=self._file.place(whole), key=dotted(whole), message=message)

    def _given(self, kind: type[Section], faults: list[Fault]) -> dict[str, Any]:
        """The keys that the environment has; lists and mappings are JSON there."""
        variables = self._variables()
        source = EnvSettingsSource(kind)
        source.env_vars = {
            name.lower(): variables[name] for name in map(kind.variable, kind.model_fields) if name in variables
        }
        given = {}
        for key, field in kind.model_fields.items():
            raw, _, complex_ = source.get_field_value(field, key)
            if raw is None:
                continue
            try:
                given[key] = source.prepare_field_value(key, field, raw, complex_)
            except ValueError:
                faults.append(Fault(place=kind.variable(key), message="must be a list or a mapping, in JSON"))
        return given


def _problems(error: ValidationError, unknown: list[Path_]) -> Iterator[tuple[Path_, str]]:
    """What pydantic says, without what only follows: from a misspelt key that its model lacks one, or has none left."""
    problems = error.errors(include_input=False, include_url=False)
    below = [*unknown, *(problem["loc"] for problem in problems)]
    for problem in problems:
        at, follows = problem["loc"], False
        if problem["type"] == "missing":
            follows = any(path[:-1] == at[:-1] for path in unknown)
        elif problem["type"] == "too_short":
            follows = any(len(path) > len(at) and path[: len(at)] == at for path in below)
        if not follows:
            message = problem["msg"].removeprefix("Value error, ")
            yield at, message[:1].lower() + message[1:]
