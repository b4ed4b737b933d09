"""``forebay rights``: who needs which rights on the brokers, from the code."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.terminal.saying import print_json, say
from forebay.cli.terminal.tables import print_table

if TYPE_CHECKING:  # a command's module is loaded for every `forebay --help`
    from forebay.operations.rights import Grant
    from forebay.settings import Settings

app = typer.Typer(add_completion=False)


@app.command(help="Which rights on the brokers, and in Redis, each stage, the applications and people need.")
def rights(
    user: Annotated[str, typer.Argument(help="Only of this user: a stage, application, reviewer, operator …")] = "",
    *,
    kafka: Annotated[bool, typer.Option("--kafka", help="As commands of kafka-acls.sh.")] = False,
    redis: Annotated[bool, typer.Option("--redis", help="As commands of redis-cli, for redis.url.")] = False,
    redis_cache: Annotated[
        bool, typer.Option("--redis-cache", help="As commands of redis-cli, for redis.cache_url.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a right.")] = False,
) -> None:
    """Needs no broker. Names are those of this installation: `kafka.topic_prefix`, `stage.version`, `redis.key_prefix`.

    Where redis.cache_url is empty, --redis has the rights for both.
    """
    from forebay.embedded.installation import installation
    from forebay.operations import rights as operations
    from forebay.settings import KafkaSettings, StageSettings, TenantSettings

    settings = installation()
    if redis or redis_cache:
        _print_redis(settings, user, cache=redis_cache, as_json=as_json)
        return
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


def _print_redis(settings: "Settings", user: str, *, cache: bool, as_json: bool) -> None:
    from forebay.operations import redis_rights as operations
    from forebay.settings import RedisSettings

    chosen = settings[RedisSettings]
    found = operations.redis_users(chosen.key_prefix, cache=cache)
    if not cache and not chosen.cache_url.get_secret_value():
        found = operations.both(found, operations.redis_users(chosen.key_prefix, cache=True))
    for one in found:
        if user in ("", one.user):
            print_json(asdict(one)) if as_json else say(operations.acl_line(one))


def print_grants(grants: "Iterable[Grant]") -> None:
    """A line a right."""
    rows = [(grant.user, grant.operation.value, grant.resource.value, grant.name) for grant in grants]
    print_table(("user", "may", "on", "name"), rows)
