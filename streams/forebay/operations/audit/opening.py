"""Whose acts are written down, and where? Those of the account that runs this process, on its brokers."""

import getpass
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager

from forebay.contract.records.operations import KAFKA_USER, OS_USER
from forebay.operations.audit.recording import Act, Recorder, recorded
from forebay.operations.audit.trail import KafkaTrail
from forebay.settings import KafkaSettings, Settings

_NEWEST = 200
"""Records of each partition that are looked at for those that nothing is bound to yet: whoever acts binds all of them,
so that older ones are bound, and an act among a hundred thousand takes no longer than the first."""


def recorder(settings: Settings) -> Recorder:
    """Writes acts down in the topic ``audit``, which takes READ and WRITE on it.

    A record names the person as they call themselves, and beside that the account of the operating system and the user
    of the brokers: a name can be made up, these two were asked for a password.
    """
    trail = KafkaTrail(settings, newest=_NEWEST)
    account = {OS_USER: os_user(), KAFKA_USER: settings[KafkaSettings].sasl_username}

    def record(
        action: str,
        *,
        subject: str,
        by: str = "",
        reason: str | None = None,
        count: int = 0,
        details: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Act]:
        return recorded(
            trail,
            action,
            by=by or account[OS_USER],
            subject=subject,
            reason=reason,
            count=count,
            details={**(details or {}), **account},
        )

    return record


def os_user() -> str:
    """Name of the account that runs this process, or its number, where it has none (a container)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
