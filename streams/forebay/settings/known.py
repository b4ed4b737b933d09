"""Which sections and variables are there? What the installed packages declare, found without loading a stage.

A section is an entry point in the group ``forebay.settings``: its module imports pydantic and little else, so all of
them are read in 0.06 s of CPU, where the stages' modules would take 10 s.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from forebay.settings.faults import ConfigurationError, Fault, meant, shown, slips
from forebay.settings.section import Section

GROUP = "forebay.settings"
PREFIX = "FOREBAY_"

OUTSIDE: Mapping[str, str] = MappingProxyType(
    {
        "FOREBAY_CONFIG": "Path of the configuration file.",
        "FOREBAY_CACHE_DIR": "Folder of downloaded artifacts (encoder, embedded Kafka), shared by all checkouts of a "
        "user.",
        "FOREBAY_CONFIG_FILE": "For `docker-compose.yml` alone: the file that its containers get as their "
        "configuration.",
        **{
            f"FOREBAY_RETRY_SECRET_{stage}": "For `docker-compose.yml` alone: what this stage gets as its "
            "FOREBAY_RETRY_SECRET."
            for stage in ("REDACTION", "CACHE", "COMPLETION", "RESPONSE", "COST", "EVALUATION", "REVIEW", "NOTIFY")
        },
    }
)
"""Variables that are no key of a section, and what they are for."""

_OF_KUBERNETES = re.compile(
    r"_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)\Z"
)
"""Ends of what Kubernetes puts into each container for a service whose name begins with ``forebay``."""


@cache
def sections(distribution: str = "") -> tuple[type[Section], ...]:
    """All declared sections, or those of one distribution, by name.

    Raises:
        ConfigurationError: the installation names none, or one that cannot be imported.
    """
    found: dict[str, type[Section]] = {}
    for entry in entry_points(group=GROUP):
        if distribution and (entry.dist is None or entry.dist.name != distribution):
            continue
        try:
            kind = entry.load()
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(f"the section {entry.name!r} cannot be imported: {error}") from None
        found.setdefault(kind.section, kind)
    if not found:
        raise ConfigurationError(f"no package here names its sections (entry points {GROUP}): install it again")
    return tuple(found[name] for name in sorted(found))


def keys() -> Mapping[str, str]:
    """Every key as ``section.key``, with its variable."""
    return {f"{kind.section}.{key}": kind.variable(key) for kind in sections() for key in kind.model_fields}


def variable_faults(environment: Mapping[str, str], quoted: Iterable[str]) -> list[Fault]:
    """What in ``environment`` looks like ours and is read by nobody.

    Args:
        environment: all of it; names that are none of ours stay unread.
        quoted: names that the configuration file refers to.
    """
    known = {*keys().values(), *OUTSIDE, *quoted}
    renamed = {kind.variable(old): _variable(new) for kind in sections() for old, new in kind.renamed.items()}
    in_kubernetes = "KUBERNETES_SERVICE_HOST" in environment
    faults = []
    for name in sorted(environment):
        if name in known or not _ours(name, known) or (in_kubernetes and _of_kubernetes(name)):
            continue
        if name in renamed:
            faults.append(Fault(place=name, message=f"is called {renamed[name]} now"))
        else:
            faults.append(Fault(place=shown(name), message=f"there is no such variable{meant(name, known)}"))
    return faults


def _variable(key: str) -> str:
    return keys().get(key, key)


def _ours(name: str, known: Iterable[str]) -> bool:
    """Whether it begins as ours do, or would be one of ours but for one letter in its beginning."""
    folded = name.upper().replace("-", "_")
    if folded.startswith(PREFIX):
        return True
    if slips(folded[: len(PREFIX) - 1], PREFIX[:-1], 2) > 2:
        return False
    return any(slips(folded, one, 1) <= 1 for one in known)


def _of_kubernetes(name: str) -> bool:
    return _OF_KUBERNETES.search(name) is not None
