"""What does the stage need of the brokers and of Redis?"""

from forebay.contract.rights import RedisRights, StageRights
from forebay.state.keys import Common, globs

RIGHTS = StageRights(
    writes=("spend", "usage", "alerts"),
    tables=("attempts", "spend"),
    state=RedisRights(keys=globs(Common.CONDITION), commands=("get", "set", "getdel", "del")),
)
