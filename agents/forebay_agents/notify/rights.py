"""What does the stage need of the brokers and of Redis?"""

from forebay.contract.rights import RedisRights, StageRights
from forebay.state.keys import Common, globs

RIGHTS = StageRights(
    writes=("notifications",),
    state=RedisRights(
        keys=globs(Common.NOTIFY_OPEN, Common.NOTIFY_DUE, Common.NOTIFY_GROUP, Common.SILENCES, Common.NOTIFIED),
        commands=(
            *("eval", "get", "set", "exists", "hget", "hset", "hdel", "hgetall", "hkeys"),
            *("zadd", "zrem", "zrangebyscore"),
        ),
    ),
)
