"""Where is a file that comes with the code? In the checkout, or in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_path(name: str) -> Path:
    """Path of a data file: inside ``forebay/_data`` in an installed wheel, beside the packages in a checkout."""
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.exists() else _PACKAGE.parents[1] / name
