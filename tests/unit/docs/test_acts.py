"""Which commands are acts, that the audit trail has? A new command has to be in one of the two lists."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import typer

PAGE = Path(__file__).parents[3] / "docs/how-to/redaction.md"

ACTS = {
    "alerts silence": ["alerts.silence"],
    "alerts unsilence": ["alerts.unsilence"],
    "cache epoch bump": ["cache.epoch"],
    "cache purge": ["cache.purge"],
    "cache warm": ["cache.warm"],
    "config check": ["configuration.start"],
    "dlq drop": ["dlq.drop"],
    "dlq export": ["dlq.export"],
    "dlq key": ["dlq.key"],
    "budget set": ["budget.set"],
    "dlq park": ["dlq.park"],
    "dlq replay": ["dlq.replay", "dlq.preview"],
    "dlq show": ["dlq.show"],
    "erase": ["person.erase"],
    "keys create": ["keys.create"],
    "keys revoke": ["keys.revoke"],
    "keys rotate": ["keys.rotate"],
    "review approve": ["review.approve"],
    "review correct": ["review.correct"],
    "review reject": ["review.reject"],
    "spend rebuild": ["spend.rebuild"],
    "subject export": ["person.export"],
    "tail": ["topic.read"],
    "tenants key": ["tenants.key"],
    "tiers calibrate": ["tiers.calibrate"],
    "tiers rollback": ["tiers.rollback"],
    "tiers train": ["tiers.train"],
    "topics unanswered": ["requests.expire"],
    "up": ["configuration.start"],
    "vault forget": ["vault.forget"],
    "vault identity": ["vault.identity"],
    "vault key": ["vault.key"],
    "vault rotate": ["vault.rotate"],
}
"""What a command is called in the trail; whatever writes there first and does not happen when that is refused."""

_LOOK = "a look at what holds no personal data"
_OFFLINE = "touches no installation"
_CODE = "adds what the code says, and is there before the trail is"
_OWN = "what an application may do for itself"
_STACK = "starts or stops processes on this machine"
OTHERS = {
    "alerts list": _LOOK,
    "ask": _OWN,
    "audit list": _LOOK,
    "audit verify": _LOOK,
    "cache evaluate": _OFFLINE,
    "cache explain": _OFFLINE,
    "budget show": _LOOK,
    "cache stats": _LOOK,
    "cache tune": _OFFLINE,
    "compress": _OFFLINE,
    "config show": _LOOK,
    "demo": _STACK,
    "dlq list": _LOOK,
    "dlq stats": _LOOK,
    "down": _STACK,
    "trace": _LOOK,
    "prices check": _OFFLINE,
    "keys list": _LOOK,
    "keys show": _LOOK,
    "prices explain": _OFFLINE,
    "prices list": _OFFLINE,
    "redact evaluate": _OFFLINE,
    "redact explain": _OFFLINE,
    "redact lines": _OFFLINE,
    "redact report": _LOOK,
    "reference check": _OFFLINE,
    "reference write": _OFFLINE,
    "review list": _LOOK,
    "rights": _OFFLINE,
    "schemas check": _LOOK,
    "schemas register": _CODE,
    "send": _OWN,
    "spend": _LOOK,
    "spend reconcile": _LOOK,
    "status": _LOOK,
    "tiers simulate": _OFFLINE,
    "tiers status": _LOOK,
    "tiers versions": _LOOK,
    "topics create": _CODE,
    "topics describe": _LOOK,
    "worker": _STACK,
}
"""Commands that are no acts of people on an installation, and why not."""


def commands() -> Iterator[str]:
    for entry in entry_points(group="forebay.commands"):
        yield from _under(typer.main.get_command(entry.load()), entry.name)


def _under(command: Any, path: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None or command.invoke_without_command:
        yield path
    for name, one in (inner or {}).items():
        yield from _under(one, f"{path} {name}")


def test_every_command_is_an_act_or_says_why_not() -> None:
    assert sorted(commands()) == sorted([*ACTS, *OTHERS])


def test_every_act_is_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    assert [name for names in ACTS.values() for name in names if f"`{name}`" not in page] == []
