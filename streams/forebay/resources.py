"""Where is a file that comes with the code? In the checkout, or in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_path(name: str) -> Path:
    """Path of a data file: beside the packages in a checkout, inside ``forebay/_data`` in an installed
    wheel."""
    checkout = _PACKAGE.parents[1] / name
    return checkout if checkout.exists() else _PACKAGE / "_data" / name
