"""``forebay keys create|list|show|rotate|revoke``."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forebay.cli.terminal.saying import print_json, refusal, say

if TYPE_CHECKING:
    from forebay.contract.records import ApiKey
    from forebay.operations.api_keys import Shown

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Keys of the HTTP door.")

KeyId = Annotated[str, typer.Argument(help="Its id, as `forebay keys list` has it.", metavar="KEY_ID")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ToFile = Annotated[
    Path | None, typer.Option("--file", help="Write the key there, readable by its owner only, instead of printing it.")
]


@app.command(help="Make a key; it is shown once.")
def create(
    *,
    tenant: Annotated[str, typer.Option(help="Whose requests are made with it.")],
    user: Annotated[str, typer.Option(help="By whom.")],
    name: Annotated[str | None, typer.Option(help="What for, for people.")] = None,
    role: Annotated[str, typer.Option(help="ask, or read: look only.")] = "ask",
    models: Annotated[str, typer.Option(help="auto and tiers that may be asked, with commas; all by default.")] = "",
    redaction: Annotated[
        str, typer.Option(help="Profiles that requests may choose, with commas; the first is used by itself.")
    ] = "",
    rpm: Annotated[int | None, typer.Option(help="Most requests a minute.")] = None,
    tpm: Annotated[int | None, typer.Option(help="Most tokens a minute; kept, and not yet held to.")] = None,
    daily_usd: Annotated[float | None, typer.Option(help="Most dollars a day; kept, and not yet held to.")] = None,
    monthly_usd: Annotated[float | None, typer.Option(help="The same a month.")] = None,
    expires: Annotated[str, typer.Option(help="How long it is good, such as 90d; for ever by default.")] = "",
    addresses: Annotated[
        list[str] | None, typer.Option("--from", help="Network that it may come from (CIDR); may be repeated.")
    ] = None,
    user_from_header: Annotated[
        bool, typer.Option(help="Its holder speaks for many people: each request names one in x-forebay-user.")
    ] = False,
    file: ToFile = None,
    json_output: AsJson = False,
) -> None:
    """Whose a request is says its key, and nothing else does."""
    from forebay.cli.explaining import explained
    from forebay.contract.clock import now_ms
    from forebay.contract.records import ApiKey, KeyRole
    from forebay.embedded.installation import installation
    from forebay.operations.api_keys import created, span_ms
    from forebay.operations.audit.opening import recorder
    from forebay.operations.publishing import publish

    if file is not None and file.exists():
        raise refusal(f"{file} is there already")
    if role not in list(KeyRole):
        raise refusal("ask or read", "--role")
    settings = installation()
    with explained():
        wanted = ApiKey(
            tenant_id=tenant,
            user_id=user,
            name=name,
            role=KeyRole(role),
            models=_words(models),
            redaction=_words(redaction),
            addresses=tuple(addresses or ()),
            requests_per_minute=rpm,
            tokens_per_minute=tpm,
            daily_nanousd=None if daily_usd is None else round(1e9 * daily_usd),
            monthly_nanousd=None if monthly_usd is None else round(1e9 * monthly_usd),
            user_from_header=user_from_header,
            expires_at=now_ms() + span_ms(expires, "expires") if expires else None,
        )
        with created(wanted, recorder(settings), partial(publish, settings)) as made:
            _show(made, file, as_json=json_output)


@app.command("list", help="All keys; never their secrets.")
def list_keys(
    *, tenant: Annotated[str, typer.Option(help="Of this tenant alone.")] = "", json_output: AsJson = False
) -> None:
    """In the order in which they were made."""
    from forebay.cli.explaining import explained
    from forebay.cli.keys.printing import print_keys
    from forebay.embedded.installation import installation
    from forebay.kafka.queries import BrokerUnavailableError
    from forebay.operations.api_keys import keys_of

    with explained(BrokerUnavailableError):
        found = [key for key in keys_of(installation()) if tenant in ("", key.tenant_id)]
    if json_output:
        print_json([told(key) for key in found])
        return
    print_keys(found)


@app.command(help="What a key may.")
def show(key_id: KeyId, *, json_output: AsJson = False) -> None:
    """Never its secret: nobody has that but its holder."""
    from forebay.cli.explaining import explained
    from forebay.cli.keys.printing import print_key
    from forebay.embedded.installation import installation
    from forebay.kafka.queries import BrokerUnavailableError
    from forebay.operations.api_keys import keys_of, one

    settings = installation()
    with explained(BrokerUnavailableError):
        found = told(one(key_id, lambda: keys_of(settings)))
    if json_output:
        print_json(found)
        return
    print_key(found)


@app.command(help="Give a key another secret; the one of before is good for a while.")
def rotate(
    key_id: KeyId,
    *,
    grace: Annotated[str, typer.Option(help="How long the old secret is good.")] = "24h",
    file: ToFile = None,
    json_output: AsJson = False,
) -> None:
    """The id stays, and with it what is counted under it."""
    from forebay.cli.explaining import explained
    from forebay.embedded.installation import installation
    from forebay.kafka.queries import BrokerUnavailableError
    from forebay.operations.api_keys import keys_of, rotated, span_ms
    from forebay.operations.audit.opening import recorder
    from forebay.operations.publishing import publish

    if file is not None and file.exists():
        raise refusal(f"{file} is there already")
    settings = installation()
    with (
        explained(BrokerUnavailableError),
        rotated(
            key_id, span_ms(grace, "grace"), lambda: keys_of(settings), recorder(settings), partial(publish, settings)
        ) as made,
    ):
        _show(made, file, as_json=json_output)


@app.command(help="Take a key away; doors let it in no more within two seconds.")
def revoke(
    key_id: KeyId,
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for the trail.")] = None,
    json_output: AsJson = False,
) -> None:
    """For good: make another one where it was a mistake."""
    from forebay.cli.explaining import explained
    from forebay.embedded.installation import installation
    from forebay.kafka.queries import BrokerUnavailableError
    from forebay.operations.api_keys import keys_of
    from forebay.operations.api_keys import revoke as take_away
    from forebay.operations.audit.opening import recorder
    from forebay.operations.publishing import publish

    settings = installation()
    with explained(BrokerUnavailableError):
        key = take_away(
            key_id, lambda: keys_of(settings), recorder(settings), partial(publish, settings), reason=reason
        )
    if json_output:
        print_json(told(key))
    else:
        say(f"{key.key_id}: revoked")


def told(key: "ApiKey") -> dict[str, object]:
    """What people may see of a key: not its hashes."""
    return {
        "key_id": key.key_id,
        "tenant_id": key.tenant_id,
        "user_id": key.user_id,
        "name": key.name,
        "role": key.role.value,
        "models": list(key.models),
        "redaction": list(key.redaction),
        "from": list(key.addresses),
        "rpm": key.requests_per_minute,
        "tpm": key.tokens_per_minute,
        "daily_usd": None if key.daily_nanousd is None else key.daily_nanousd / 1e9,
        "monthly_usd": None if key.monthly_nanousd is None else key.monthly_nanousd / 1e9,
        "user_from_header": key.user_from_header,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "rotated_until": key.previous_expires_at,
    }


def _show(made: "Shown", file: Path | None, *, as_json: bool) -> None:
    from forebay.embedded.files import write_private

    if file is not None:
        write_private(file, f"{made.key}\n")
    if as_json:
        print_json({**asdict(made), **({} if file is None else {"key": None, "file": str(file)})})
    else:
        say(made.key if file is None else f"{made.key_id}: {file}")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(",", " ").split() if word)
