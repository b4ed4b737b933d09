"""Personal data that nobody has: names, addresses and identifiers for the labelled corpus, from seeded generators."""

import base64
import json
import random
from typing import Any

from faker import Faker

LOCALES = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR", "sv_SE", "tr_TR")
NHS_WEIGHTS = range(10, 1, -1)


class Values:
    """Draws values by kind.

    Args:
        seed: the same seed, the same values.
    """

    def __init__(self, seed: int) -> None:
        random.seed(seed)  # some of Faker draws from the global generator
        self.rng = random.Random(seed)
        self._fakers = {locale: Faker(locale) for locale in LOCALES}
        for number, fake in enumerate(self._fakers.values()):
            fake.seed_instance(seed * 100 + number)

    def draw(self, kind: str) -> str:
        """A value of ``kind``."""
        made: str = getattr(self, kind.lower())()
        return made

    def _fake(self, *locales: str) -> Any:
        return self._fakers[self.rng.choice(locales or LOCALES)]

    def _digits(self, count: int) -> str:
        return "".join(self.rng.choices("0123456789", k=count))

    def _letters(self, count: int) -> str:
        return "".join(self.rng.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=count))

    def person(self) -> str:
        fake, draw = self._fake(), self.rng.random()
        first, last = fake.first_name(), fake.last_name()
        if draw < 0.1:
            return f"{first} {self._letters(1)}. {last}"
        if draw < 0.16:
            return f"{first} {last}-{self._fake().last_name()}"
        if draw < 0.22:
            return f"{first} O'{self._fake('en_GB').last_name()}"
        return f"{first} {last}"

    def first(self) -> str:
        return str(self._fake().first_name())

    def city(self) -> str:
        return str(self._fake("en_GB", "de_DE", "fr_FR", "es_ES", "pl_PL").city())

    def country(self) -> str:
        return self.rng.choice(
            ("Norway", "Brazil", "South Africa", "Vietnam", "Portugal", "Kenya", "New Zealand", "Chile")
        )

    def address(self) -> str:
        return str(self._fake("en_US", "en_GB", "de_DE", "fr_FR", "es_ES").address()).replace("\n", ", ")

    def lines(self) -> str:
        return str(self._fake("en_US", "en_GB", "de_DE", "fr_FR").address())

    def us_ssn(self) -> str:
        return f"{self.rng.randint(101, 665)}-{self.rng.randint(11, 98)}-{self.rng.randint(1001, 9998)}"

    def us_ssn_plain(self) -> str:
        return self.us_ssn().replace("-", self.rng.choice(("", " ")))

    def credit_card(self) -> str:
        number = self._fake("en_US").credit_card_number(self.rng.choice(("visa16", "mastercard", "amex", "discover")))
        draw = self.rng.random()
        if draw < 0.35 or len(number) != 16:
            return str(number)
        return self.rng.choice((" ", "-")).join(number[at : at + 4] for at in range(0, 16, 4))

    def spaced_card(self) -> str:
        return " ".join(self._fake("en_US").credit_card_number("visa16"))

    def iban_code(self) -> str:
        iban = str(self._fake("de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "en_GB").iban())
        return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4)) if self.rng.random() < 0.5 else iban

    def phone_number(self) -> str:
        digits = f"{self.rng.randint(201, 989)}{self.rng.randint(201, 989)}{self._digits(4)}"
        area, office, line = digits[:3], digits[3:6], digits[6:]
        mobile = " ".join(self._digits(2) for _ in range(4))
        forms = (
            f"({area}) {office}-{line}",
            f"{area}-{office}-{line}",
            f"+1 {area} {office} {line}",
            f"{area}.{office}.{line}",
            f"+44 20 7{self._digits(3)} {self._digits(4)}",
            f"+49 30 {self._digits(7)}",
            f"+33 6 {mobile}",
            f"+1-{area}-{office}-{line} ext. {self._digits(3)}",
        )
        return self.rng.choice(forms)

    def email_address(self) -> str:
        return str(self._fake("en_US", "de_DE", "fr_FR").email())

    def hidden_email(self) -> str:
        name, _, domain = self.email_address().partition("@")
        host, _, top = domain.rpartition(".")
        return self.rng.choice(
            (f"{name} at {host} dot {top}", f"{name}[at]{host}[dot]{top}", f"{name} (at) {host}.{top}")
        )

    def ip_address(self) -> str:
        fake = self._fake("en_US")
        return str(fake.ipv4_public() if self.rng.random() < 0.7 else fake.ipv6())

    def mac_address(self) -> str:
        return str(self._fake("en_US").mac_address())

    def crypto(self) -> str:
        known = ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")
        return self.rng.choice((*known, "0x" + self._digits(3) + "".join(self.rng.choices("0123456789abcdef", k=37))))

    def us_passport(self) -> str:
        return self._digits(9)

    def us_driver_license(self) -> str:
        return self._letters(1) + self._digits(self.rng.choice((7, 8)))

    def us_bank_number(self) -> str:
        return self._digits(self.rng.choice((9, 10, 12)))

    def uk_nhs(self) -> str:
        while True:
            nine = self._digits(9)
            check = (11 - sum(int(d) * w for d, w in zip(nine, NHS_WEIGHTS, strict=True)) % 11) % 11
            if check != 10:
                return f"{nine[:3]} {nine[3:6]} {nine[6:]}{check}"

    def uk_nino(self) -> str:
        digits = self._digits(6)
        return self.rng.choice((f"AB {digits[:2]} {digits[2:4]} {digits[4:]} C", f"JG{digits}A"))

    def eu_vat_id(self) -> str:
        return self.rng.choice((f"DE{self._digits(9)}", f"FR{self._digits(11)}", f"NL{self._digits(9)}B01"))

    def national_id(self) -> str:
        return str(self._fake("es_ES").nif())

    def date_of_birth(self) -> str:
        day, month, year = self.rng.randint(1, 28), self.rng.randint(1, 12), self.rng.randint(1940, 2005)
        name = ("January", "March", "July", "November")[month % 4]
        return self.rng.choice(
            (f"{day:02d}/{month:02d}/{year}", f"{year}-{month:02d}-{day:02d}", f"{day} {name} {year}")
        )

    def age(self) -> str:
        return str(self.rng.randint(90, 109))

    def medical_record(self) -> str:
        return self.rng.choice((self._digits(8), f"MR{self._digits(6)}", f"{self._digits(3)}-{self._digits(4)}"))

    def url_credentials(self) -> str:
        return f"https://{self._letters(5).lower()}:{self._digits(4)}x@intra.example.com/login"

    def api_key(self) -> str:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        body = "".join(self.rng.choices(alphabet, k=60))
        forms = (
            f"AKIA{''.join(self.rng.choices(alphabet[:26] + '234567', k=16))}",
            f"ghp_{body[:36]}",
            f"sk-proj-{body[:40]}",
            f"sk_live_{body[:24]}",
            f"AIza{body[:35]}",
            f"xoxb-{self._digits(11)}-{body[:24]}",
            f"glpat-{body[:20]}",
        )
        return self.rng.choice(forms)

    def jwt(self) -> str:
        parts = (json.dumps({"alg": "HS256"}), json.dumps({"sub": self._digits(8)}), self._digits(30))
        return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)

    def private_key(self) -> str:
        body = base64.b64encode(self.rng.randbytes(96)).decode()
        return f"-----BEGIN RSA PRIVATE KEY-----\n{body[:64]}\n{body[64:]}\n-----END RSA PRIVATE KEY-----"

    def bearer_token(self) -> str:
        return base64.urlsafe_b64encode(self.rng.randbytes(24)).decode() + "7"

    def connection_string(self) -> str:
        return (
            f"postgres://app:{self._letters(4)}{self._digits(4)}@db{self._digits(1)}.internal.example.com:5432/orders"
        )

    def password(self) -> str:
        return self.rng.choice(("Tr0ub4dor&3", "Winter2024!", "hunter2-Blue", "pa55W0rd!x")) + self._digits(2)
