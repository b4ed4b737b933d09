"""The keys, secrets and the file of settings that an installation makes for itself."""

import json
from collections.abc import Sequence
from pathlib import Path

from forebay.embedded.files import write_private
from forebay.privacy.sealing import new_key_line
from forebay.trust.keys import new_operator_key, new_secret, public_key


def make_keys(folder: Path, stages: Sequence[str]) -> None:
    """What an installation has to make for itself."""
    write_private(folder / "vault.keys", new_key_line("test") + "\n")
    (folder / "forebay.yaml").write_text("{}")  # the defaults are meant
    for stage in stages:
        write_private(folder / f"{stage}.secret", new_secret())
    line = new_operator_key("ann")
    write_private(folder / "operator.key", line)
    name, public = public_key(line)
    (folder / "operators.json").write_text(json.dumps({name: public}))
