"""How long does a provider ask us to wait? What its Retry-After header says, in either of its two forms."""

import pytest

from forebay_agents.models.providers.refusals import retry_after_s

NOW = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_a_number_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds
