"""What does the stage need of the brokers?"""

from forebay.contract.rights import StageRights

RIGHTS = StageRights(writes=("spend", "usage"), tables=("attempts", "spend"))
