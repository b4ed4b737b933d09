"""A policy may name what the recognisers can find, and nothing else."""

from forebay_agents.redaction.conversation.shapes import SHAPES
from forebay_agents.redaction.detection.engine import names_engine, structured_engine
from forebay_agents.redaction.kinds import KINDS
from forebay_agents.redaction.policy import DEFAULT, DENIED
from forebay_agents.redaction.settings import RedactionSettings


def test_the_list_is_what_can_be_found() -> None:
    names = names_engine(RedactionSettings())
    assert names is not None
    asked = {*SHAPES}
    found = {*asked, *structured_engine(RedactionSettings()).get_supported_entities(), *names.get_supported_entities()}
    assert {*KINDS} == {*found, DEFAULT, DENIED}, "a new entity type has to be in forebay_agents/redaction/kinds.py too"
