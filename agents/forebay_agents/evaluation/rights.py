"""What does the stage need of the brokers and of Redis?"""

from forebay.contract.rights import RedisRights, StageRights
from forebay.state.keys import Common, Owned, globs

RIGHTS = StageRights(
    writes=("evaluations", "reviews", "alerts", "usage"),
    state=RedisRights(
        keys=globs(Owned.JUDGE_CLAIM, Common.SCORES, Common.CONDITION),
        commands=(
            *("eval", "hget", "hset", "hexists", "pttl", "pexpire", "del"),
            *("lpush", "ltrim", "lrange", "get", "set", "getdel"),
        ),
    ),
)
