"""What does the stage need of the brokers and of Redis?"""

from forebay.contract.rights import RedisRights, StageRights
from forebay.state.keys import Common, Hashed, globs

RIGHTS = StageRights(
    writes=("responses", "outcomes"),
    state=RedisRights(
        keys=globs(
            Hashed.VAULT_MAP,
            Hashed.VAULT_REQUEST,
            Hashed.VAULT_NEWEST,
            Common.VAULT_PEPPER,
            Common.VAULT_BOUND_AT,
            Common.STAGE_WAITS,
        ),
        commands=("get", "set", "hset"),
    ),
)
