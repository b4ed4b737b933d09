"""What are topics and consumer groups called on the broker? By their logical name and the installation's prefix."""

from forebay.settings import KafkaSettings


def topic_on_broker(name: str, settings: KafkaSettings) -> str:
    """Name on the broker of the logical topic ``name``."""
    return settings.topic_prefix + name


def group_on_broker(stage: str, settings: KafkaSettings, version: int) -> str:
    """Consumer group of a stage; Faust appends ``stage.version`` from 2 on."""
    return topic_on_broker(stage if version == 1 else f"{stage}-v{version}", settings)
