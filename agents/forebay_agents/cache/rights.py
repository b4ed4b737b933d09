"""What does the stage need of the brokers and of Redis?"""

from forebay.contract.rights import RedisRights, StageRights
from forebay.state.keys import Common, Hashed, Owned, globs

RIGHTS = StageRights(
    writes=("requests.uncached", "completions", "usage", "cache.verify"),
    state=RedisRights(keys=globs(Owned.REVIEW_TASK, Common.STAGE_WAITS), commands=("get", "set", "hset")),
    cache=RedisRights(
        keys=globs(
            Owned.CACHE_TRACE,
            Owned.CACHE_EXPLORED,
            Hashed.CACHE_ENTRY,
            Hashed.CACHE_LEASE,
            Hashed.CACHE_UNSHAREABLE,
            Hashed.CACHE_VECTORS,
            Hashed.CACHE_EVIDENCE,
            Hashed.CACHE_QUOTA,
            Common.CACHE_EPOCHS,
            Common.CACHE_SAMPLED,
        ),
        commands=(
            *("get", "mget", "set", "del", "unlink", "exists", "expire", "pttl", "eval", "scan"),
            *("hget", "hgetall", "hmget", "hincrby"),
            *("vadd", "vsim", "vcard", "vrandmember", "vrem"),
        ),
    ),
)
