"""Who may do what in Redis? A user a stage, with the keys and commands that it says that it needs, and operators.

As :mod:`forebay.operations.rights` for the brokers. What many need is added to each: a connection, the memory of the
server (:mod:`forebay.state.redis_watch`), and the claims of replays, by which a copy of a replayed record is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from forebay.contract.rights import RedisRights, StageRights
from forebay.operations.rights import declared
from forebay.state.keys import Common, Hashed, Owned, globs, literal

DOOR, OPERATOR = "door", "operator"
CONNECTION = ("ping", "info", "select", "client|setinfo", "client|setname", "multi", "exec", "discard")
"""What a client says beside its commands."""
_REPLAYS = RedisRights(keys=globs(Common.REPLAY), commands=("set",))
_DOOR = RedisRights(
    keys=globs(
        Owned.KEY_RATE,
        Hashed.VAULT_MAP,
        Hashed.VAULT_REQUEST,
        Hashed.VAULT_NEWEST,
        Common.VAULT_PEPPER,
        Common.VAULT_BOUND_AT,
    ),
    commands=("get", "set", "eval"),
)
"""It restores what is being written, as ``response`` does with the whole, and counts how often a key asks."""
_EVERYTHING = RedisRights(keys=("*",), commands=("@read", "@write", "@scripting"))
"""Of operators, who erase, purge and rotate. What holds personal data is sealed; they need the vault's key to open it.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RedisUser:
    """A user of one Redis; keys with the installation's prefix, commands without what takes the server away."""

    user: str
    keys: Sequence[str]
    commands: Sequence[str]


def redis_users(prefix: str, *, cache: bool) -> list[RedisUser]:
    """The users of a Redis, stages in alphabetical order, then doors and operators; who needs nothing of it is none.

    Args:
        prefix: ``redis.key_prefix``.
        cache: of ``redis.cache_url``; else of ``redis.url``.
    """
    found = [_user(stage, prefix, _needed(rights, cache=cache)) for stage, rights in declared().items()]
    doors = [] if cache else [_user(DOOR, prefix, [_DOOR])]
    return [*(user for user in found if user.keys), *doors, _user(OPERATOR, prefix, [_EVERYTHING])]


def _needed(rights: StageRights, *, cache: bool) -> list[RedisRights]:
    if cache:
        return [rights.cache]
    return [rights.state] if rights.returns else [rights.state, _REPLAYS]


def both(state: Sequence[RedisUser], cache: Sequence[RedisUser]) -> list[RedisUser]:
    """The users of one Redis that is both."""
    users = dict.fromkeys(one.user for one in (*state, *cache))
    found = []
    for name in users:
        own = [one for one in (*state, *cache) if one.user == name]
        keys = dict.fromkeys(key for one in own for key in one.keys)
        commands = dict.fromkeys(command for one in own for command in one.commands)
        found.append(RedisUser(user=name, keys=list(keys), commands=list(commands)))
    return found


def acl_line(user: RedisUser) -> str:
    """The line for `redis-cli`: everything is taken away first. The password is the installation's."""
    keys = " ".join(f"~{key}" for key in user.keys)
    # What is dangerous (FLUSHALL, KEYS, …) goes out of the groups again before single commands come in.
    groups = [command for command in user.commands if command.startswith("@")]
    single = [command for command in user.commands if not command.startswith("@")]
    rules = [*(f"+{group}" for group in groups), *(["-@dangerous"] if groups else []), *(f"+{one}" for one in single)]
    return f"ACL SETUSER {user.user} reset on >PASSWORD {keys} {' '.join(rules)}"


def _user(name: str, prefix: str, needed: Sequence[RedisRights]) -> RedisUser:
    keys = dict.fromkeys(f"{literal(prefix)}{key}" for one in needed for key in one.keys)
    commands = dict.fromkeys(command for one in needed for command in one.commands)
    return RedisUser(user=name, keys=list(keys), commands=[*commands, *CONNECTION])
