"""Which names, places and other things are put into training text? Drawn from public lists, by a seeded generator.

Half of the draws follow real frequencies, half are uniform, so that rare names are seen.
"""

import random

from forebay_agents.redaction.detection.names.encoder.pieces import tokenizer
from forebay_agents.redaction.training.lists import faked, family_names, given_names, places, words_of

_FAMILY_NAMES = 30_000
_COMMON_WORDS = 9_000
"""Tokens of the encoder's vocabulary, the most used first, from which common words are drawn."""

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
        self._first, self._first_weights = given_names()
        self._last, self._last_weights = family_names()
        self._places = places()
        self.faked = faked(rng, per_locale)
        known = {word for group in self.groups() for word in group}
        self._common = [word for word in tokenizer().vocabulary(_COMMON_WORDS) if len(word) > 2 and word not in known]

    def groups(self) -> tuple[list[str], list[str], list[str]]:
        """Words of given names, of family names and of places, lower-case."""
        world = self._places
        return (
            words_of(self._first + self.faked.first),
            words_of(self._last[:_FAMILY_NAMES] + self.faked.last),
            words_of(world.cities + world.countries + world.states + world.counties),
        )

    def company(self) -> str:
        """A firm."""
        return self._rng.choice(self.faked.companies)

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
        return self._rng.choice(self.faked.first)

    def last(self) -> str:
        """A family name."""
        draw = self._rng.random()
        if draw < 0.3:
            name = self._rng.choices(self._last, cum_weights=self._last_weights)[0]
        elif draw < 0.65:
            name = self._rng.choice(self._last)
        else:
            name = self._rng.choice(self.faked.last)
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
            return self._rng.choice(self.faked.foreign)
        if draw < 0.37:
            return self._rng.choice(self.faked.full)
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
            return self._rng.choices(self._places.cities, cum_weights=self._places.city_weights)[0]
        return self._rng.choice(self._places.cities if draw < 0.8 else self.faked.cities)

    def place(self) -> str:
        """A city, region, country or landmark."""
        draw = self._rng.random()
        if draw < 0.05:
            return f"{self._rng.choice([self.last(), self.city()])} {self._rng.choice(_LANDMARKS)}"
        if draw < 0.08:
            return self._rng.choice(self._places.counties)
        return self._rng.choice(_PLACE_TEMPLATES).format(
            c=self.city(),
            n=self._rng.choice(self._places.countries),
            s=self._rng.choice(self._places.states),
            a=self._rng.choice(self._places.abbreviations),
        )

    def street(self) -> str:
        """A house number and a street, in some country's order."""
        if self._rng.random() < 0.4:
            return self._rng.choice(self.faked.streets)
        name = self._rng.choice((self.last, self.last, self.first, self.city))()
        line = f"{self._rng.randint(1, self._rng.choice((30, 300, 9999)))} {name} {self._rng.choice(_STREETS)}"
        if self._rng.random() < 0.25:
            unit = self._rng.choice(("Apt", "Apt.", "Suite", "Unit", "#", "Flat", "Floor"))
            line += f"{self._rng.choice((' ', ', '))}{unit} {self._rng.randint(1, 400)}"
        return line

    def address(self) -> str:
        """A whole postal address, on one line or several."""
        if self._rng.random() < 0.5:
            address = self._rng.choice(self.faked.addresses)
            return address if self._rng.random() < 0.4 else address.replace("\n", self._rng.choice((", ", ", ", " ")))
        pieces = [self.street(), self.city()]
        region = self._rng.choice(
            (self._rng.choice(self._places.abbreviations), self._rng.choice(self._places.states), "")
        )
        code = self._rng.choice((f"{self._rng.randint(1000, 99999):05d}", self.postcode(), ""))
        pieces += [f"{region} {code}".strip()] if region or code else []
        if self._rng.random() < 0.3:
            pieces.append(self._rng.choice(self._places.countries))
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
