"""How does a command find the stack that runs here? By the state file, unless the environment names servers itself."""

import os
from pathlib import Path

from forebay.embedded.supervision.state import live

DATA_DIR = ".forebay"


def reached(data_dir: str | Path = DATA_DIR) -> dict[str, str]:
    """Variables under which the stack that runs in ``data_dir`` is reached; empty when none does.

    A server that the environment names already is left out, together with everything that says how to reach it.
    """
    state = live(Path(data_dir))
    if state is None:
        return {}
    kafka_is_named = "FOREBAY_KAFKA_BOOTSTRAP" in os.environ
    return {
        name: value
        for name, value in state.environment.items()
        if name not in os.environ and not (kafka_is_named and name.startswith("FOREBAY_KAFKA_"))
    }


def apply_to_environment(data_dir: str | Path = DATA_DIR) -> bool:
    """Point this process, and all that it starts, at the stack that runs in ``data_dir``; whether one does."""
    found = reached(data_dir)
    os.environ.update(found)
    return live(Path(data_dir)) is not None
