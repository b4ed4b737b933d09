"""Commands in the documentation exist, with the options that they are shown with; so do make targets and modules."""

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
import typer

from forebay.cli.main import _forebay
from tests.unit.docs.pages import PAGES, ROOT, blocks, code_spans

_WORD = r"""(?:'[^']*'|"[^"]*"|[^\s;|&()<>`'"])+"""
_FOREBAY = re.compile(rf"(?:^|(?<=[\s(|;&`]))forebay((?: +{_WORD})+)", re.MULTILINE)
_MAKE = re.compile(r"(?:^|(?<=[;&|] ))make ([a-z-]+)", re.MULTILINE)
_MODULE = re.compile(r"python -m ([\w.]+)((?: +[\w./-]+)*)")
ROOT_COMMAND = typer.main.get_command(_forebay)


def _shell() -> Iterator[tuple[str, str]]:
    """Where it stands, and shell text: blocks without comments and joined at their backslashes, and code spans."""
    for block in blocks("sh", "bash", "console"):
        yield block.name, re.sub(r"(^|\s)#.*", "", block.text.replace("\\\n", " "))
    for page in PAGES:
        for span in code_spans(page):
            if re.match(r"(forebay|make|python) ", span):
                yield str(page.relative_to(ROOT)), span


def _commands() -> Iterator[tuple[str, list[str]]]:
    for place, text in _shell():
        for match in _FOREBAY.finditer(text):
            yield place, shlex.split(match[1])


def problem(words: list[str]) -> str:
    """What is wrong with ``forebay WORDS``; empty when nothing is."""
    command: Any = ROOT_COMMAND
    rest = list(words)
    while hasattr(command, "get_command") and rest and not rest[0].startswith("-"):
        if re.fullmatch(r"[A-Z…]+|.*\|.*", rest[0]):
            return ""  # a placeholder
        found = command.get_command(None, rest[0])
        if found is None:
            return f"there is no command {rest[0]!r}"
        command = found
        rest.pop(0)
    known = {"--help"} | {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    return f"{command.name} has no {unknown}" if unknown else ""


def test_forebay_commands_exist() -> None:
    problems = [f"{place}: {words}: {why}" for place, words in _commands() if (why := problem(words))]
    assert not problems


def test_there_are_commands_to_check() -> None:
    found = {words[0] for _, words in _commands()}
    assert {"up", "send", "status", "worker", "topics", "schemas", "review", "dlq", "spend"} <= found


@pytest.mark.parametrize("words", [["sned"], ["send", "--wiat"], ["review", "praise"], ["dlq", "list", "--colour"]])
def test_a_command_that_does_not_exist_is_noticed(words: list[str]) -> None:
    assert problem(words)


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {target for _, text in _shell() for target in _MAKE.findall(text)}
    assert {"demo", "test", "setup"} <= named
    assert named <= targets


def test_modules_and_their_commands_exist() -> None:
    named = {(module, tuple(words.split()[:1])) for _, text in _shell() for module, words in _MODULE.findall(text)}
    for module, _ in named:
        assert find_spec(module), module
    main = (ROOT / "loadtest/__main__.py").read_text("utf-8")
    declared = re.findall(r'^@app\.command\((?:"([\w-]+)")?.*\)\ndef (\w+)', main, re.MULTILINE)
    there = {name or function for name, function in declared}
    there |= set(re.findall(r'^app\.command\("([\w-]+)"\)', main, re.MULTILINE))
    measured = {word for module, words in named if module == "loadtest" for word in words if not word.isupper()}
    assert {"hop", "chain"} <= measured
    assert measured <= there
