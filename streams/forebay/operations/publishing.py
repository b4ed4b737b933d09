"""How does what people write reach the brokers? Past the last check for personal data, as what stages write does."""

from collections.abc import Sequence
from functools import partial

from forebay.contract.failures import Permanent
from forebay.contract.handlers import Output
from forebay.kafka.publisher import Check, PublishError
from forebay.kafka.publisher import publish as publish_unchecked
from forebay.kafka.transactions import Transactions
from forebay.operations.choices import InvalidChoiceError
from forebay.privacy.egress import EgressGuard
from forebay.privacy.outbound import Departures
from forebay.settings import EgressSettings, Settings

__all__ = ["PublishError", "guard", "publish", "transactions"]


def guard(settings: Settings) -> Check:
    """Raises InvalidChoiceError for records with personal data that people would read; it names kinds, no values."""
    departures = Departures(EgressGuard(settings[EgressSettings]), None)

    def check(outputs: Sequence[Output]) -> None:
        try:
            departures.enforce(outputs)
        except Permanent as failure:
            raise InvalidChoiceError(f"nothing was done: {failure.message}; say it without") from None

    return check


def publish(settings: Settings, outputs: Sequence[Output]) -> None:
    """Publish ``outputs`` and wait for their delivery. Raises PublishError, InvalidChoiceError."""
    publish_unchecked(settings, outputs, check=guard(settings))


def transactions(settings: Settings, name: str) -> partial[Transactions]:
    """Opens the only writer under ``name``; its steps raise InvalidChoiceError besides."""
    return partial(Transactions, settings, name, guard(settings))
