"""``forebay alerts``: which alerts fire, and who is to hear of them."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forebay.cli.audit.account import account
from forebay.cli.explaining import explained
from forebay.cli.terminal.saying import print_json, say
from forebay.cli.terminal.tables import Column, print_table
from forebay.contract.json_lines import to_json

if TYPE_CHECKING:
    from forebay.contract.records import Silence
    from forebay_agents.notify.operations import Firing

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Alerts that fire, and silences.")


@app.command("list", help="Alerts that fire, and silences that are not over.")
def list_alerts(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line an alert, then one a silence.")] = False,
) -> None:
    """As the topic `alerts` has them; Prometheus' alerts are in its Alertmanager."""
    from forebay.embedded.installation import installation
    from forebay.kafka.queries import BrokerUnavailableError
    from forebay_agents.notify import operations

    settings = installation()
    with explained(BrokerUnavailableError):
        firing, silences = operations.read_firing(settings), operations.read_silences(settings)
    if as_json:
        for one in firing:
            print_json({**to_json(one.alert), "silenced_until": one.silenced_until})
        for silence in silences:
            print_json(to_json(silence))
        return
    print_firing(firing)
    if silences:
        print_silences(silences)


@app.command("silence", help="Have nobody hear of some alerts for a while; in the audit trail.")
def silence_alerts(
    matchers: Annotated[
        list[str],
        typer.Argument(
            help="kind, severity, tenant, subject, fingerprint or label:NAME; * is anything; all have to fit.",
            metavar="FIELD=VALUE...",
        ),
    ],
    span: Annotated[str, typer.Option("--for", help="How long, such as 2h or 7d.")],
    reason: Annotated[str | None, typer.Option(help="A few words, without personal data.")] = None,
) -> None:
    """Alerts that fire still are told of when it is over."""
    from forebay.embedded.installation import installation
    from forebay.operations.api_keys import span_ms
    from forebay.operations.audit.opening import recorder
    from forebay.operations.publishing import publish
    from forebay_agents.notify import operations

    with explained():
        wanted, for_ms = operations.matchers_of(matchers), span_ms(span, "for")
        settings = installation()
        made = operations.silence(
            wanted, for_ms, recorder(settings), partial(publish, settings), by=account(), reason=reason
        )
    say(f"{made.silence_id}: until {_time(made.ends_at)}")


@app.command("unsilence", help="End a silence before its time; in the audit trail.")
def end_silence(silence_id: Annotated[str, typer.Argument(help="Its id, as `forebay alerts list` has it.")]) -> None:
    """What fires still is told of at once."""
    from forebay.embedded.installation import installation
    from forebay.kafka.queries import BrokerUnavailableError
    from forebay.operations.audit.opening import recorder
    from forebay.operations.publishing import publish
    from forebay_agents.notify import operations

    settings = installation()
    with explained(BrokerUnavailableError):
        found = operations.read_silences(settings)
        operations.end_silence(silence_id, found, recorder(settings), partial(publish, settings))
    say(f"{silence_id}: over")


def print_firing(firing: "Sequence[Firing]") -> None:
    """Alerts as a table."""
    from forebay_agents.notify.telling import since

    print_table(
        ("since", "severity", "kind", "tenant", "about", "summary", "silenced until",
         Column(title="fingerprint", whole=True)),
        [
            (_time(since(one.alert)), one.alert.severity.value, one.alert.kind, one.alert.tenant_id or "-",
             one.alert.subject, one.alert.summary or one.alert.message, _time(one.silenced_until),
             one.alert.fingerprint)
            for one in firing
        ],
        title=f"{len(firing)} firing",
    )  # fmt: skip


def print_silences(silences: "Sequence[Silence]") -> None:
    """Silences as a table."""
    print_table(
        (Column(title="silence", whole=True), "of", "until", "by", "reason"),
        [
            (one.silence_id, ", ".join(f"{name}={value}" for name, value in one.matchers.items()),
             _time(one.ends_at), one.by, one.reason or "")
            for one in silences
        ],
        title=f"{len(silences)} silences",
    )  # fmt: skip


def _time(at_ms: Any) -> str:
    from forebay.cli.dead_letters.printing import time_text

    return "" if at_ms is None else time_text(at_ms)
