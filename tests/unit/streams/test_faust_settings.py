"""What Faust is told; each of these was measured to matter."""

from streams.app import new_faust_app
from streams.settings import KafkaSettings, StageSettings
from streams.stage import Stage


def test_a_worker_learns_of_new_leaders_before_its_session_could_end() -> None:
    """aiokafka asks a former leader for offsets until its metadata expire; meanwhile the whole stage stands still."""
    limits = StageSettings()
    app = new_faust_app(Stage(name="cache", routes=[], limits=limits), KafkaSettings())
    assert app.conf.consumer_metadata_max_age_ms <= 1000 * limits.session_timeout_s
