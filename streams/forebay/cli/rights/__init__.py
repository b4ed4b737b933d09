"""``forebay rights``: who needs which rights on the brokers, from the code."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.terminal.saying import print_json, say
from forebay.cli.terminal.tables import print_table

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.operations.rights import Grant

app = typer.Typer(add_completion=False)


@app.command(help="Which rights on the brokers each stage, the applications and people need.")
def rights(
    user: Annotated[str, typer.Argument(help="Only of this user: a stage, application, reviewer, operator …")] = "",
    *,
    kafka: Annotated[bool, typer.Option("--kafka", help="As commands of kafka-acls.sh.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a right.")] = False,
) -> None:
    """Needs no broker. Names are those of this installation: `kafka.topic_prefix`, `stage.version`."""
    from forebay.embedded.installation import installation
    from forebay.operations import rights as operations
    from forebay.settings import KafkaSettings, StageSettings, TenantSettings

    settings = installation()
    tenants = operations.tenants_apart(settings[TenantSettings])
    found = operations.grants(settings[KafkaSettings], settings[StageSettings].version, tenants=tenants)
    chosen = [grant for grant in found if user in ("", grant.user)]
    if as_json:
        for grant in chosen:
            print_json(asdict(grant))
    elif kafka:
        for grant in chosen:
            say(operations.acl_command(grant))
    else:
        print_grants(chosen)


def print_grants(grants: "Iterable[Grant]") -> None:
    """A line a right."""
    rows = [(grant.user, grant.operation.value, grant.resource.value, grant.name) for grant in grants]
    print_table(("user", "may", "on", "name"), rows)
