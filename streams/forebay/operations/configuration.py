"""Can this configuration be used?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forebay import __version__
from forebay.operations.audit.recording import Recorder
from forebay.settings import ConfigurationError, Fault
from forebay.settings.effective import Value, fingerprint, unprotected
from forebay.settings.faults import in_order
from forebay.settings.loading import read_unchecked


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a look at a configuration found.

    Attributes:
        file: which file that was.
        shipped: it is the one that comes with the code, since there is no other.
        fingerprint: of what counts, as workers log it; empty when there are faults.
        faults: what is wrong, all of it.
        unprotected: protection that settings take away.
    """

    file: str
    shipped: bool
    fingerprint: str
    faults: Sequence[Fault]
    unprotected: Sequence[Value]


def check(path: Path | None = None, reached: Mapping[str, str] | None = None) -> Checked:
    """Look at the configuration in ``path``, or at the one that counts here, with this process's environment.

    Nothing is raised: what keeps the file from being read at all is a fault like others.

    Args:
        path: instead of what counts here.
        reached: variables under which a running stack is reached, as :func:`forebay.settings.load` takes them.
    """
    try:
        settings, faults = read_unchecked(path, reached)
    except ConfigurationError as error:
        found = error.faults or (Fault(place=str(path or "forebay.yaml"), message=str(error)),)
        return Checked(file=str(path or ""), shipped=False, fingerprint="", faults=found, unprotected=())
    usable = not faults
    return Checked(
        file=settings.file.name,
        shipped=settings.file.shipped,
        fingerprint=fingerprint(settings) if usable else "",
        faults=in_order(faults),
        unprotected=unprotected(settings) if usable else (),
    )


def record_start(found: Checked, record: Recorder) -> None:
    """Write down that this configuration is about to be used: by its hash, which every worker logs at start.

    Raises:
        PublishError: it cannot be written down.
    """
    details = {"version": __version__, "unprotected": ", ".join(one.key for one in found.unprotected)}
    with record("configuration.start", subject=f"sha256 {found.fingerprint}", details=details):
        pass
