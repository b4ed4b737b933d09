"""What does a worker do without, and did somebody say so? Asked and logged at every start.

A protection is never missing since nobody thought of it: what takes one away is a setting that was written down, and
the log of each start repeats it. Brokers on this machine alone are reached without a password by default.
"""

from collections.abc import Iterable

import structlog

from forebay.contract.topics import Access, topic_named
from forebay.settings import ConfigurationError, KafkaSettings, Settings
from forebay.settings.effective import effective, fingerprint, unprotected

log = structlog.get_logger(__name__)


def tell_configuration(settings: Settings) -> None:
    """Log which configuration counts, by path and hash, and what it does without.

    Raises:
        ConfigurationError: a protection is missing, and no setting says that this is meant.
    """
    log.info("configuration", path=settings.file.name, shipped=settings.file.shipped, sha256=fingerprint(settings))
    for missing in unprotected(settings):
        if missing.origin == "default":
            [value] = [one.value for one in effective(settings) if one.key == missing.key]
            raise ConfigurationError(f"{missing.value}; if that is meant, say so: {missing.key}: {value}")
        log.warning("unprotected", setting=missing.key, origin=missing.origin, what=missing.value)


def refuse_shipped(settings: Settings, topics: Iterable[str]) -> None:
    """Raise :class:`ConfigurationError` where a worker would read personal data with defaults that nobody looked at.

    Over TLS, since that is no trial any more: there is an installation, and its ``forebay.yaml`` was not found.

    Args:
        settings: as they were loaded.
        topics: logical names of what the worker reads.
    """
    known = [topic for name in topics if (topic := topic_named(name)) is not None]
    restricted = sorted(topic.name for topic in known if topic.access is Access.RESTRICTED)
    tls = settings[KafkaSettings].security_protocol in ("SSL", "SASL_SSL")
    if restricted and tls and settings.file.shipped:
        raise ConfigurationError(
            f"{', '.join(restricted)} hold personal data, and there is no configuration but the shipped one: name "
            "yours in FOREBAY_CONFIG, or start where forebay.yaml is; an empty one says that the defaults are meant"
        )
