"""How does `forebay dlq` say what went wrong? What there is not is a usage error; what somebody else did is told."""

from collections.abc import Callable

import pytest
import typer
from typer.testing import CliRunner, Result

from forebay.cli.dead_letters.printing import explained
from forebay.contract.records import DeadLetterAction, DeadLetterState
from forebay.kafka.publisher import PublishError
from forebay.kafka.transactions import FencedError, StepError
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.dead_letters.transform import TransformError
from forebay.operations.seen_writes import OutdatedError
from forebay.operations.topic_view import Entry, Position

Fails = Callable[[Exception], Result]


@pytest.fixture
def fails() -> Fails:
    """Runs a command whose operation raises an error."""

    def run(error: Exception) -> Result:
        app = typer.Typer(add_completion=False)

        @app.command()
        def command() -> None:
            with explained():
                raise error

        return CliRunner().invoke(app, [], catch_exceptions=False)

    return run


def test_what_there_is_not_is_a_usage_error(fails: Fails) -> None:
    result = fails(InvalidChoiceError("there is no dead letter 0-7; see `forebay dlq list`"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Invalid value: there is no dead letter 0-7" in result.stderr


def test_a_usage_error_names_the_option_that_is_meant(fails: Fails) -> None:
    assert (
        "Invalid value for --reason: a reason is needed"
        in fails(InvalidChoiceError("a reason is needed", "reason")).stderr
    )


def test_who_would_overwrite_a_decision_is_told_whose_it_is(fails: Fails) -> None:
    dropped = DeadLetterState(dead_letter_id="0-7", action=DeadLetterAction.DROPPED, by="bob")
    note = Entry(key="0-7", value=dropped, at=Position(1, 4), written_at=1)
    result = fails(OutdatedError({"0-7": note, "0-8": None}))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "0-7, 0-8 meanwhile; look again\n0-7 was dropped by bob\n" in result.stderr


@pytest.mark.parametrize("kind", [FencedError, StepError, PublishError, TransformError])
def test_what_the_brokers_or_the_letters_refuse_is_one_line(fails: Fails, kind: type[Exception]) -> None:
    result = fails(kind("this is why"))
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "forebay: this is why\n")
