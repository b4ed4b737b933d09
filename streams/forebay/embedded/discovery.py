"""How does a command find the stack that runs here? By the state file, unless the environment names servers itself."""

import os
from pathlib import Path

from forebay.embedded.supervision.state import live

DATA_DIR = ".forebay"


def apply_to_environment(data_dir: str | Path = DATA_DIR) -> bool:
    """Point this process at the stack that runs in ``data_dir``; whether one does.

    A server that the environment names already is left alone, together with everything that says how to reach it.
    """
    state = live(Path(data_dir))
    if state is None:
        return False
    kafka_is_named = "FOREBAY_KAFKA_BOOTSTRAP" in os.environ
    for name, value in state.environment.items():
        if kafka_is_named and name.startswith("FOREBAY_KAFKA_"):
            continue
        os.environ.setdefault(name, value)
    return True
