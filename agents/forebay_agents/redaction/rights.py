"""What does the stage need of the brokers and of Redis?"""

from forebay.contract.rights import RedisRights, StageRights
from forebay.state.keys import Common, Hashed, Owned, globs

RIGHTS = StageRights(
    writes=("requests.redacted", "completions"),
    state=RedisRights(
        keys=globs(
            Hashed.VAULT_REQUEST,
            Hashed.VAULT_NEWEST,
            Hashed.VAULT_CONVERSATION,
            Hashed.VAULT_USER,
            Common.VAULT_PEPPER,
            Common.VAULT_BOUND_AT,
            Owned.FINGERPRINT,
            Common.REDACTION_DAY,
            Common.STAGE_WAITS,
        ),
        commands=(
            *("get", "set", "expire", "eval", "hget", "hgetall", "hset", "hmget", "hincrby"),
            *("zadd", "zremrangebyscore"),
        ),
    ),
)
