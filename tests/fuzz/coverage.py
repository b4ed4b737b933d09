"""``make fuzz``: is there any text that breaks a promise? Texts are bred for the branches of our code that they reach.

atheris (libFuzzer for Python) is in the dependency group ``fuzz``, which ``make setup`` leaves out: it has wheels for
Linux and CPython up to 3.13 only, nothing else needs it, and the tests replay what it found without it. Arguments
are libFuzzer's::

    python -m tests.fuzz.coverage tests/fuzz/corpus -max_total_time=600

What breaks a promise is written to ``crash-…``, by ``make fuzz`` in ``.forebay/``; once it is mended it belongs into
``corpus/``.
"""

import sys

import atheris

LONGEST = 5_000
"""Bytes of a text."""

with atheris.instrument_imports(include=["forebay_agents.redaction", "forebay"], enable_loader_override=False):
    from tests.fuzz.promises import Promises


def main() -> None:
    """Run until libFuzzer ends it."""
    promises = Promises()

    def one(data: bytes) -> None:
        promises.hold(data.decode("utf-8", "surrogateescape"))

    atheris.Setup([*sys.argv, f"-max_len={LONGEST}", "-timeout=60", "-rss_limit_mb=4096"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
