"""How do the two client libraries reach the brokers? The same settings in each one's words."""

import logging
import ssl
from typing import Any

from forebay.settings import KafkaSettings


def ssl_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """TLS context of aiokafka and Faust, ``None`` without TLS. Raises ``OSError`` on unusable files."""
    if "SSL" not in settings.security_protocol:
        return None
    context = ssl.create_default_context(cafile=settings.ssl_cafile or None)
    if settings.ssl_certfile:
        context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile or None)
    return context


def aiokafka_options(settings: KafkaSettings) -> dict[str, Any]:
    """Connection arguments of an aiokafka client."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap.split(","),
        "security_protocol": settings.security_protocol,
    }
    context = ssl_context(settings)
    if context is not None:
        options["ssl_context"] = context
    if settings.security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.sasl_password.get_secret_value(),
        }
    return options


def confluent_options(settings: KafkaSettings) -> dict[str, Any]:
    """Connection configuration of a confluent-kafka client."""
    options: dict[str, Any] = {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": settings.security_protocol,
        "log_level": 4,  # warnings; librdkafka says good-bye on standard error otherwise
    }
    for name, value in (
        ("ssl.ca.location", settings.ssl_cafile),
        ("ssl.certificate.location", settings.ssl_certfile),
        ("ssl.key.location", settings.ssl_keyfile),
    ):
        if value:
            options[name] = value
    if settings.security_protocol.startswith("SASL"):
        options |= {
            "sasl.mechanism": settings.sasl_mechanism,
            "sasl.username": settings.sasl_username,
            "sasl.password": settings.sasl_password.get_secret_value(),
        }
    return options


def silent() -> logging.Logger:
    """A logger for confluent-kafka clients that may ask in vain; librdkafka reports every refused connection."""
    logger = logging.getLogger("forebay.librdkafka")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
