"""The stage without its tables: as when something fails before they are made."""

from forebay.settings import KafkaSettings
from forebay.state.conditions import Conditions, MemoryConditions
from forebay_agents.cost.agent import CostStage
from forebay_agents.models.cost_settings import CostSettings


async def test_a_stage_that_was_never_set_up_warns_of_nothing_and_ends() -> None:
    stage = CostStage(CostSettings(), KafkaSettings(), Conditions(MemoryConditions()))
    assert stage.warnings() == {}
    await stage.close()
