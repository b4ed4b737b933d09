"""What may people do about alerts? See which fire, and have nobody hear of some for a while."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from forebay.contract.clock import Clock, now_ms
from forebay.contract.handlers import Output
from forebay.contract.json_lines import new_id
from forebay.contract.records import Alert, AlertState, Silence
from forebay.kafka.decoding import ReadRecord
from forebay.operations.audit.recording import Recorder
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.topic_view import open_view
from forebay.settings import Settings
from forebay_agents.notify.routing import FIELDS, LABEL, silenced_until
from forebay_agents.notify.telling import since

LONGEST_MS = 90 * 86_400_000
"""Of a silence: what nobody is to hear of for longer is a matter for the configuration's routes."""

Publish = Callable[[Sequence[Output]], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Firing:
    """An alert that is not over; ``silenced_until``: nobody hears of it until then, ms since the epoch."""

    alert: Alert
    silenced_until: int | None


def firing(alerts: Sequence[Alert], silences: Sequence[Silence], at_ms: int) -> list[Firing]:
    """Of the newest alert of each fingerprint those that fire at a time, the oldest first."""
    found = [
        Firing(alert=alert, silenced_until=silenced_until(alert, silences, at_ms))
        for alert in alerts
        if alert.state is AlertState.FIRING and (alert.ends_at is None or alert.ends_at > at_ms)
    ]
    return sorted(found, key=lambda one: (since(one.alert), one.alert.fingerprint))


def read_firing(settings: Settings, clock: Clock = now_ms) -> list[Firing]:
    """Alerts that fire now, as the topic has them.

    Raises:
        BrokerUnavailableError: no broker answers, or there is no such topic.
    """
    with open_view(settings, "alerts", key=_fingerprint, value=_alert) as view:
        alerts = view.values()
    return firing(alerts, read_silences(settings), clock())


def read_silences(settings: Settings, clock: Clock = now_ms) -> list[Silence]:
    """Silences that are not over, in the order in which they end.

    Raises:
        BrokerUnavailableError: as above.
    """
    with open_view(settings, "alerts.silences", value=_silence) as view:
        found = [one for one in view.values() if one.ends_at > clock()]
    return sorted(found, key=lambda one: (one.ends_at, one.silence_id))


def matchers_of(words: Sequence[str]) -> dict[str, str]:
    """``kind=budget_*`` and the like as matchers. Raises :class:`InvalidChoiceError`."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value or (name not in FIELDS and not name.startswith(LABEL)):
            raise InvalidChoiceError(f"{word!r} is none of {', '.join(FIELDS)} or {LABEL}NAME, with =VALUE")
        if name in found:
            raise InvalidChoiceError(f"{name} is named twice")
        found[name] = value
    if not found:
        raise InvalidChoiceError("say what nobody is to hear of, such as kind=quality_drop")
    return found


def silence(
    matchers: Mapping[str, str],
    for_ms: int,
    record: Recorder,
    publish: Publish,
    *,
    by: str,
    reason: str | None = None,
    clock: Clock = now_ms,
) -> Silence:
    """Have nobody hear of what fits all of ``matchers`` for so long.

    Raises:
        InvalidChoiceError: no time, or more than 90 days.
        PublishError: it cannot be written down; nothing changes.
    """
    if not 0 < for_ms <= LONGEST_MS:
        raise InvalidChoiceError("between a second and 90 days", "for")
    now = clock()
    made = Silence(
        silence_id=new_id(), matchers=dict(matchers), ends_at=now + for_ms, by=by, reason=reason, created_at=now
    )
    facts = {"ends_at": str(made.ends_at), **{f"match {name}": value for name, value in matchers.items()}}
    with record("alerts.silence", subject=f"silence {made.silence_id}", by=by, reason=reason, details=facts) as act:
        publish([_output(made)])
        act.count = 1
    return made


def end_silence(
    silence_id: str, found: Sequence[Silence], record: Recorder, publish: Publish, clock: Clock = now_ms
) -> Silence:
    """End a silence before its time. Raises :class:`InvalidChoiceError`: there is none of this id."""
    for one in found:
        if one.silence_id == silence_id:
            ended = replace(one, ends_at=clock())
            with record("alerts.unsilence", subject=f"silence {silence_id}") as act:
                publish([_output(ended)])
                act.count = 1
            return ended
    raise InvalidChoiceError("there is no such silence; `forebay alerts list` has them")


def _output(made: Silence) -> Output:
    return Output(topic="alerts.silences", key=made.silence_id, value=made)


def _fingerprint(record: ReadRecord) -> str | None:
    alert: Alert | None = record.value
    return None if alert is None else alert.fingerprint


def _alert(record: ReadRecord) -> Alert:
    alert: Alert = record.value
    return alert


def _silence(record: ReadRecord) -> Silence:
    made: Silence = record.value
    return made
