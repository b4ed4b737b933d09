"""What Faust is told; each of these was measured to matter."""

from forebay.runtime.faust_app import new_faust_app
from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings, StageSettings


def test_a_worker_learns_of_new_leaders_before_its_session_could_end() -> None:
    """aiokafka asks a former leader for offsets until its metadata expire; meanwhile the whole stage stands still."""
    limits = StageSettings()
    app = new_faust_app(Stage(name="cache", routes=[], limits=limits), KafkaSettings())
    assert app.conf.consumer_metadata_max_age_ms <= 1000 * limits.session_timeout_s


def test_a_named_worker_is_a_static_member_of_its_group() -> None:
    stage = Stage(name="cache", routes=[], limits=StageSettings())
    assert new_faust_app(stage, KafkaSettings(), "pod-3").conf.consumer_group_instance_id == "pod-3"
    assert not new_faust_app(stage, KafkaSettings()).conf.consumer_group_instance_id
