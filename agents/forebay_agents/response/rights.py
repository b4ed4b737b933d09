"""What does the stage need of the brokers?"""

from forebay.contract.topics import StageRights

RIGHTS = StageRights(writes=("responses",))
