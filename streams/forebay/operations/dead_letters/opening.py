"""How do the actions on dead letters reach the brokers, the registry and the vault's keys? Put together here only."""

from collections.abc import Iterator
from contextlib import contextmanager

from forebay.avro.codec import open_codecs
from forebay.avro.registry import open_registry
from forebay.contract.records import DeadLetterState
from forebay.operations.audit.opening import recorder
from forebay.operations.dead_letters.actions import DeadLetters
from forebay.operations.dead_letters.answered import KafkaEnded
from forebay.operations.dead_letters.outcomes import watch
from forebay.operations.dead_letters.queue import KafkaQueue
from forebay.operations.publishing import transactions
from forebay.operations.topic_view import TopicView, open_view
from forebay.privacy.sealing import Keyring, load_keyring
from forebay.settings import ConfigurationError, Settings, VaultSettings
from forebay.trust.keys import operator_key


@contextmanager
def open_dead_letters(settings: Settings) -> Iterator[DeadLetters]:
    """The dead letters on the brokers of ``settings``: for one command, or for as long as a console runs."""

    def keyring() -> Keyring | None:
        try:
            return load_keyring(settings[VaultSettings])
        except ConfigurationError:
            return None  # letters that are not sealed need none; others say so

    notes: TopicView[DeadLetterState]
    with open_view(settings, "dlq.state") as notes:
        yield DeadLetters(
            queue=KafkaQueue(settings),
            ended=KafkaEnded(settings),
            notes=notes,
            journal=transactions(settings, "dlq-operator"),
            watch=lambda replay_id: watch(settings, replay_id),
            record=recorder(settings),
            codecs=open_codecs(settings, open_registry(settings)),
            keyring=keyring,
            signer=lambda: operator_key(settings),
        )
