"""What does the stage need of the brokers and of Redis?"""

from forebay.contract.rights import RedisRights, StageRights
from forebay.state.keys import Owned, globs

RIGHTS = StageRights(
    writes=("reviews",),
    state=RedisRights(keys=globs(Owned.OUTCOME), commands=("get", "set")),
)
