"""The detector as it is shipped, with the profile that lets nothing stay; loaded once."""

import pytest

from forebay_agents.redaction.detection.detector import Detector
from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.settings import Profile, RedactionSettings


@pytest.fixture(scope="session")
def redactor() -> Redactor:
    settings = RedactionSettings(profile=Profile.STRICT)
    return Redactor(Detector(settings), Policies(settings), settings.max_chars)


@pytest.fixture(scope="session")
def structured() -> Redactor:
    """Without the names model: only what has a form."""
    settings = RedactionSettings(names="none")
    return Redactor(Detector(settings), Policies(settings), settings.max_chars)
