"""What does the stage need of the brokers?"""

from forebay.contract.topics import StageRights

RIGHTS = StageRights(writes=("requests.uncached", "completions", "usage", "cache.verify"))
