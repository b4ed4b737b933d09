"""What does a stage need of the brokers and of Redis? Said by the stage, in a module that imports nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RedisRights:
    """What a stage needs of a Redis beside a connection and, where it reads topics, the claims of replays.

    Attributes:
        keys: Redis' patterns of their names, without ``redis.key_prefix`` (:func:`forebay.state.keys.globs`).
        commands: as `ACL SETUSER` takes them, without the ``+``; those that its scripts call as well.
    """

    keys: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StageRights:
    """What a stage needs of the brokers beside its group, the retry topics, `dlq`, `clock` and `alerts`; and of Redis.

    A stage names its own in the entry point group ``forebay.rights``.

    Attributes:
        writes: topics of its outputs; ``follows``: those that it reads outside of its group.
        tables: Faust's tables, each with a changelog that it makes.
        returns: it puts records back into every topic that another stage reads.
        state: of ``redis.url``.
        cache: of ``redis.cache_url``.
    """

    writes: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    returns: bool = False
    state: RedisRights = RedisRights()
    cache: RedisRights = RedisRights()
