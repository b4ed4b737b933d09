"""Which dead letters does a command mean? Its options, as the filter of :mod:`forebay.operations.dead_letters`."""

from typing import TYPE_CHECKING

from forebay.cli.dead_letters.options import State

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.operations.dead_letters.letters import LetterState
    from forebay.operations.dead_letters.selection import Filter


def letter_filter(
    now_ms: int, stage: str, code: str, tenant: str, request_id: str, text: str, since: str, until: str,
    ids: list[str] | None, states: "frozenset[LetterState]",
) -> "Filter":  # fmt: skip
    """The filter that the options of a command describe; no ``states``: all. Raises :class:`InvalidChoiceError`."""
    from forebay.operations.choices import moment
    from forebay.operations.dead_letters.selection import Filter

    return Filter(
        stage=stage, code=code, tenant=tenant, request_id=request_id, text=text, since=moment(since, now_ms),
        until=moment(until, now_ms), states=states, ids=frozenset(ids or ()),
    )  # fmt: skip


def states_of(state: State) -> "frozenset[LetterState]":
    """The states that an option means."""
    from forebay.operations.dead_letters.letters import LetterState

    return frozenset() if state is State.ALL else frozenset({LetterState(state.value)})
