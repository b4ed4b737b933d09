"""Which dead letters does a command mean, and how does it name them? Options to filters, letters to lines."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import Any

import typer

from forebay.cli.dead_letters.options import State
from forebay.contract.clock import now_ms
from forebay.contract.failures import CODES
from forebay.settings import Settings

_AGE = re.compile(r"(\d+)([smhd])")
_AGE_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def letter_filter(
    stage: str, code: str, tenant: str, request_id: str, text: str, since: str, until: str,
    ids: list[str] | None, state: State | frozenset[str],
) -> Any:  # fmt: skip
    """The filter that the options of a command describe; ``state``: one, or a set of which an empty one means all."""
    from forebay.operations.dead_letters.letters import Filter

    if isinstance(state, State):
        state = frozenset() if state is State.ALL else frozenset({state.value})
    return Filter(
        stage=stage, code=code, tenant=tenant, request_id=request_id, text=text, since=_moment(since),
        until=_moment(until), states=state, ids=frozenset(ids or ()),
    )  # fmt: skip


def chosen_letters(settings: Settings, chosen: Any, limit: int, *, with_bytes: bool = True) -> list[Any]:
    """Letters that a filter matches, the oldest failure first; ``limit`` 0: all.

    Args:
        with_bytes: whether the records themselves are needed: a queue may hold more of them than memory does.

    Raises:
        typer.BadParameter: a stage or code that no letter has, and that is not known either.
    """
    from forebay.operations.dead_letters.letters import read_letters

    letters, stages, codes = [], set(), set()
    for letter in read_letters(settings):
        stages.add(letter.stage)
        codes.add(letter.code)
        if chosen.matches(letter):
            letters.append(letter if with_bytes else letter.without_bytes())
    _check_names(chosen, stages, codes)
    letters.sort(key=lambda letter: letter.failed_at)
    return letters[:limit] if limit else letters


def _check_names(chosen: Any, stages: set[str], codes: set[str]) -> None:
    if chosen.code and chosen.code not in codes | CODES.keys():
        raise typer.BadParameter(f"there is no error code {chosen.code!r}; `forebay dlq stats` shows those at hand")
    known = {entry.name for entry in entry_points(group="forebay.stages")}
    if chosen.stage and chosen.stage not in stages | known:
        raise typer.BadParameter(f"there is no stage {chosen.stage!r}, only {', '.join(sorted(known))}")


def letters_by_id(settings: Settings, ids: Sequence[str]) -> list[Any]:
    """The letters ``ids``. Raises ``typer.BadParameter`` when there is none of one."""
    from forebay.operations.dead_letters.letters import Filter

    letters = chosen_letters(settings, Filter(ids=frozenset(ids), states=frozenset()), 0)
    missing = set(ids) - {letter.letter_id for letter in letters}
    if missing:
        raise typer.BadParameter(f"there is no dead letter {', '.join(sorted(missing))}; see `forebay dlq list`")
    return letters


def _moment(text: str) -> int | None:
    """Milliseconds since the epoch of an ISO 8601 time (UTC unless it says otherwise) or of an age."""
    if not text:
        return None
    if age := _AGE.fullmatch(text):
        return now_ms() - int(age[1]) * _AGE_MS[age[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a time such as 2026-11-23T10:00 nor an age such as 6h") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def letter_line(letter: Any) -> dict[str, Any]:
    """What a JSON line says of a letter: no content of its record."""
    return {
        "id": letter.letter_id,
        "stage": letter.stage,
        "code": letter.code,
        "class": letter.failure_class,
        "message": letter.message,
        "attempts": letter.attempts,
        "failed_at": letter.failed_at,
        "first_failed_at": letter.first_failed_at,
        "origin_topic": letter.origin_topic,
        "request_id": letter.request_id,
        "tenant_id": letter.tenant_id,
        "replays": letter.replays,
        "replay_id": letter.replay_id,
        "state": letter.state,
    }
