"""The detector as it is shipped, loaded once."""

import pytest

from agents.redaction.detection import Detector
from agents.redaction.lines import Redactor
from agents.redaction.policy import Policies
from agents.redaction.settings import RedactionSettings


@pytest.fixture(scope="session")
def redactor() -> Redactor:
    settings = RedactionSettings()
    return Redactor(Detector(settings), Policies(settings), settings.max_chars)


@pytest.fixture(scope="session")
def structured() -> Redactor:
    """Without the names model: only what has a form."""
    settings = RedactionSettings(names="none")
    return Redactor(Detector(settings), Policies(settings), settings.max_chars)
