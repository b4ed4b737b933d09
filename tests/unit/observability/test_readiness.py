"""What a worker says of itself: that it serves, that it does not, and what somebody has to do though it does."""

from forebay.observability.health import Readiness, answer

WARNED = {"cost": {"tables_too_few": "make them anew"}}


def test_what_somebody_has_to_do_is_said_and_keeps_nobody_from_serving() -> None:
    said = answer(Readiness(started=True, warnings=WARNED))
    assert (said["status"], said["problems"], said["warnings"]) == ("ready", {}, WARNED)


def test_what_keeps_from_serving_counts_more() -> None:
    stands = {"cost": {"standing_still": "usage/0"}}
    said = answer(Readiness(started=True, problems=stands, warnings=WARNED))
    assert (said["status"], said["warnings"]) == ("not_ready", WARNED)
    assert answer(Readiness(started=False, problems=stands))["status"] == "starting"
