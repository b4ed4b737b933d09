"""What does the stage need of the brokers and of Redis?"""

from forebay.contract.rights import RedisRights, StageRights
from forebay.state.keys import Owned, globs

RIGHTS = StageRights(
    writes=("reviews",),
    follows=("completions",),  # an answer is read again, by its place, when feedback on it comes
    state=RedisRights(keys=globs(Owned.OUTCOME), commands=("get", "set")),
)
