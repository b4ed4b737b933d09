"""What does the stage need of the brokers?"""

from forebay.contract.rights import StageRights

RIGHTS = StageRights(returns=True, follows=("dlq", "dlq.state"))
