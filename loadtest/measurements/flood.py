"""What does a quiet tenant wait while another floods? The whole chain, with models that are slower than the flood."""

from typing import Any

from loadtest.measurements.chain import by_stage
from loadtest.open_loop import send, summary
from loadtest.simulated_stack import running

_IN_FLIGHT = 4
_ANSWER_S = 0.5
_QUIET_PER_S = 2.0
_PATIENCE_S = 45.0


def report(seconds: float, rate: float) -> dict[str, Any]:
    """Latencies of the quiet tenant alone and beside ``rate`` requests a second of another, each for ``seconds``.

    The models serve 8 requests a second (four at once, 500 ms each): what the flood brings beyond that waits.
    """
    script = {"models": {"*": {"latency": {"first_token_ms": 1000 * _ANSWER_S}, "quality": {"floor": 1.0}}}}
    quiet = [(number / _QUIET_PER_S, "quiet") for number in range(round(_QUIET_PER_S * seconds))]
    flood = [(number / rate, "flood") for number in range(round(rate * seconds))]
    with running(script, FOREBAY_COMPLETION_IN_FLIGHT=str(_IN_FLIGHT)) as (settings, _):
        send(settings, [(number / 4, "quiet") for number in range(12)], "warm", _PATIENCE_S)
        alone = send(settings, quiet, "alone", _PATIENCE_S)
        beside = send(settings, [*quiet, *flood], "beside", _PATIENCE_S)
        answered = {
            kind: [one for one in seen if one.latency_s is not None and one.tenant == "quiet"]
            for kind, seen in (("alone", alone), ("beside", beside))
        }
        stages = {
            kind: by_stage(settings, {one.request_id: one.latency_s or 0 for one in seen})
            for kind, seen in answered.items()
        }
    return {
        "quiet_alone": summary(alone) | {"by_stage": stages["alone"]},
        "quiet_beside_flood": summary([one for one in beside if one.tenant == "quiet"])
        | {"by_stage": stages["beside"]},
        "flood": summary([one for one in beside if one.tenant == "flood"]),
    }
