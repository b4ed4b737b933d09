"""Which field does the head of a column name? Words of seven languages, and what a cell of such a field looks like."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from forebay.contract.canonical import normal
from forebay_agents.redaction.detection.names.words import listed

PERSONAL = frozenset({"PERSON", "LOCATION", "DATE_OF_BIRTH", "PHONE_NUMBER", "EMAIL_ADDRESS", "AGE"})
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_LETTER = re.compile(r"[\W_]+")
_OWNERS = listed(
    "customer client patient employee emp user member guest passenger contact holder cust tenant driver owner student "
    "applicant billing shipping home delivery mailing primary emergency personal current residential main private "
    "account insured staff person policyholder subscriber cardholder beneficiary resident recipient sender the"
)
_FIELDS: dict[str, str] = {
    name: kind
    for kind, names in {
        "PERSON": "first name|last name|full name|surname|forename|given name|given names|family name|maiden name|"
        "middle name|"
        "firstname|lastname|fullname|fname|lname|vorname|nachname|familienname|prenom|nom de famille|nombre completo|"
        "nombres|"
        "apellido|apellidos|cognome|sobrenome|apelido|nome completo|achternaam|voornaam|customer|patient|employee|"
        "tenant|"
        "passenger|policyholder|cardholder|account holder|next of kin|mitarbeiter|kunde|mieter|imie|nazwisko|ime|"
        "prezime|"
        "ime i prezime|jmeno|prijmeni|ad soyad|adi|soyadi|fornavn|etternavn|efternavn|fornamn|efternamn|beneficiary|"
        "guest|student|resident|recipient|attendee|cliente|paciente|empleado|client|locataire|salarie|paziente",
        "LOCATION": "address|street|street address|address line 1|address line 2|address 1|address 2|addr|postcode|"
        "post code|"
        "postal code|zip|zip code|zipcode|plz|postleitzahl|strasse|adresse|anschrift|wohnort|rue|code postal|"
        "direccion|calle|"
        "codigo postal|domicilio|indirizzo|via|cap|endereco|rua|cep|adres|straat|straatnaam|huisnummer|hausnummer|"
        "house number|residence|adresa|ulica|adres zamieszkania|place of birth|birthplace|geburtsort|morada",
        "DATE_OF_BIRTH": "dob|d o b|birth|birthdate|birth date|date of birth|birthday|born|geburtsdatum|geb|geboren|"
        "date de naissance|naissance|nee le|ne le|fecha de nacimiento|fecha nac|fec nac|nacimiento|data di nascita|"
        "nascita|"
        "data de nascimento|nascimento|geboortedatum|data urodzenia|datum rodjenja|dogum tarihi|dogum|dogum gunu|"
        "birth dt|birth year|year of birth|patient dob|fodselsdato|fodt|fodd",
        "AGE": "age|alter|edad|eta|idade|leeftijd|umri",
        "US_SSN": "ssn|us ssn|social security|social security number|social security no|ss number",
        "NATIONAL_ID": "national id|nationalid|national id no|national id number|id number|id no|id card|nin|nino|"
        "ni number|dni|"
        "nif|nie|cpf|curp|rfc|rut|cedula|bsn|pesel|aadhaar|pan|personnummer|ausweis|ausweisnummer|steuer id|tax id|"
        "taxid|tin|"
        "codice fiscale|oib|jmbg|tc kimlik no|kimlik no|kimlik|tc no|tc|tckn|tc kimlik|nir|nss|identity number|"
        "national insurance",
        "US_BANK_NUMBER": "account|account no|account number|acct|acct no|bank account|account num|konto|kontonummer|"
        "compte|cuenta|"
        "conto|conta|rekening|rekeningnummer|sort code|routing|routing number",
        "IBAN_CODE": "iban",
        "CREDIT_CARD": "card|card number|card no|cc|credit card|cc number|kartennummer",
        "US_DRIVER_LICENSE": "licence|license|licence no|license no|licence number|license number|driver license|"
        "driver licence|"
        "drivers license|driving licence|dl|dl no|dl number|fuhrerschein|permis|rijbewijs",
        "LICENSE_PLATE": "plate|plate no|number plate|license plate|licence plate|registration plate|reg no|"
        "kennzeichen|placa|"
        "matricula|immatriculation|targa|kenteken|registracija|tablica|plaka",
        "VIN": "vin|vin number|chassis|chassis no|chassis number|fahrgestellnummer|sasija",
        "US_PASSPORT": "passport|pass no|passport num|passport no|passport number|reisepass|passeport|pasaporte|"
        "passaporto|paspoort",
        "PHONE_NUMBER": "phone|phone no|phone number|mobile|mobile no|mobile number|cell|cell phone|tel|telephone|"
        "telefon|telefono|"
        "telefone|telephone number|handy|portable|movil|celular|cellulare|telemovel|telefoonnummer|msisdn|contact no|"
        "contact number|whatsapp|fax",
        "EMAIL_ADDRESS": "email|e mail|mail|email address|correo|courriel",
        "MEDICAL_RECORD": "mrn|medical record number|medical record no|hospital number|nhs|nhs no|nhs number|patient "
        "id|patient no|medical record|hospital no|medicare|"
        "medicare no",
        "ACCOUNT_ID": "customer id|customer no|customer number|client id|client no|member id|member no|membership no|"
        "policy no|"
        "policy number|policy|employee id|employee no|staff id|staff no|student id|kundennummer|vertragsnummer|"
        "versichertennummer|numero client|numero de cliente|loyalty no|user id",
        "IP_ADDRESS": "ip|ip address",
        "USERNAME": "username|user name|login|login name|user|benutzername|nom d utilisateur|usuario|utente|gebruiker",
    }.items()
    for name in names.split("|")
}  # fmt: skip
_OF_PEOPLE = dict.fromkeys(
    listed("name names nom nombre nome naam owner vlasnik driver fahrer titular inhaber"), "PERSON"
) | dict.fromkeys(
    listed(
        "city town country state county village district region ort stadt land wohnort ville pays ciudad pais "
        "citta comune cidade plaats woonplaats grad miasto location "
    ),
    "LOCATION",
)
"""Of a person only in a table about people: products have names and countries too."""
_PRODUCTS = listed(
    "sku ean gtin upc price unit qty quantity stock product item items brand barcode isbn version model cost msrp "
    "amount preis menge artikel produkt prix produit precio cantidad producto prezzo prodotto preco produto prijs "
    "quantite played won lost drawn goals pts points team capacity founded population"
)
_HEAD = re.compile(r"(?:[^\W\d][\w .\-/#°'*]{0,40}(?:\([\w ./]{1,16}\))?|#|)")
_CODE = listed("import from def class select return const let var function if for where set")
"""Lines of code have commas too: "from models import Name, Address"."""
_PLACEHOLDER = re.compile(
    r"[\W_]*|\(.*\)|\[.*\]|<.*>|\{.*\}|n\.?/?a\.?|none|null|nil|nan|unknown|tbd|tbc|total|sum|true|false|yes|no|x+|default|"
    r"example|anonymous|redacted|varchar.*|text|string|int(?:eger)?|date|not null|\*+",
    re.IGNORECASE,
)


def _digits(least: int, most: int) -> Callable[[str], bool]:
    """A number with letters, as identifiers are written."""

    def check(cell: str) -> bool:
        return least <= sum(map(str.isdigit, cell)) and len(cell) <= most and _NUMBER.fullmatch(cell) is not None

    return check


_NUMBER = re.compile(r"[A-Za-zÀ-ÿČčŠšŽž0-9 ./\-+()*#_]+")
_DATED = re.compile(
    r"\d{1,4}[./\- ]\d{1,2}[./\- ]\d{1,4}(?:[ T]00:00.*)?|\d{8}|"
    r"\d{1,2}(?:\.|st|nd|rd|th|º)?[ \-](?:of |de )?[^\W\d]{3,10}\.?,?[ \-](?:de )?\d{2,4}|"
    r"[^\W\d]{3,10}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}|(?:19|20)\d\d"
)
_NAME = re.compile(r"[^\W\d_][^\d@/\\:;=<>{}\[\]|_]{0,59}")
_AGE = re.compile(r"9\d|1[01]\d")

_LOGIN = re.compile(
    r"(?!(?i:admin|root|guest|system|nobody|test|service|user)\b)(?=[A-Za-z]*[\d_.\-])[A-Za-z][\w.\-]{2,31}"
)
"""With a digit or a sign in it: other words in such a column may be roles."""
_CELLS: dict[str, Callable[[str], bool]] = {
    "PERSON": lambda cell: _NAME.fullmatch(cell) is not None and cell.count(" ") <= 5,
    "LOCATION": lambda cell: 3 <= len(cell) <= 120 and any(map(str.isalnum, cell)) and "@" not in cell,
    "DATE_OF_BIRTH": lambda cell: _DATED.fullmatch(cell) is not None,
    "AGE": lambda cell: _AGE.fullmatch(cell) is not None,
    "EMAIL_ADDRESS": lambda cell: "@" in cell,
    "PHONE_NUMBER": _digits(6, 30),
    "US_SSN": _digits(4, 16),
    "NATIONAL_ID": _digits(5, 25),
    "US_BANK_NUMBER": _digits(5, 34),
    "IBAN_CODE": _digits(8, 42),
    "CREDIT_CARD": _digits(12, 30),
    "US_DRIVER_LICENSE": _digits(4, 25),
    "LICENSE_PLATE": _digits(2, 12),
    "VIN": _digits(4, 17),
    "US_PASSPORT": _digits(5, 14),
    "MEDICAL_RECORD": _digits(4, 20),
    "ACCOUNT_ID": _digits(5, 25),
    "IP_ADDRESS": lambda cell: cell.count(".") == 3 or cell.count(":") > 1,
    "USERNAME": lambda cell: _LOGIN.fullmatch(cell) is not None,
}


_CERTAIN = frozenset({"DATE_OF_BIRTH", "PHONE_NUMBER", "EMAIL_ADDRESS", "US_SSN", "NATIONAL_ID", "IBAN_CODE", "AGE",
                      "US_PASSPORT", "MEDICAL_RECORD", "USERNAME"})  # fmt: skip
_PEOPLE = _CERTAIN | {"PERSON", "LOCATION", "LICENSE_PLATE", "VIN"}
"""Columns that make a table one about people: accounts, policies and licences are of things as well."""


def fields(heads: list[str]) -> list[str | None] | None:
    """The kind of each column; ``None`` for columns of no person, and for a head that is none or not about people."""
    if not all(map(_HEAD.fullmatch, heads)):
        return None
    names = [_plain(head) for head in heads]
    if any(name.count(" ") > 3 or not _CODE.isdisjoint(name.split()) for name in names):
        return None
    kinds: list[str | None] = [_kind(name) for name in names]
    if not any(kinds) or not any(kind and name for kind, name in zip(kinds, names, strict=True)):
        return None
    words = {word for name in names for word in name.split()}
    if not _PEOPLE.isdisjoint(kinds) and (words.isdisjoint(_PRODUCTS) or not _CERTAIN.isdisjoint(kinds)):
        kinds = [kind or _OF_PEOPLE.get(name) for kind, name in zip(kinds, names, strict=True)]
    return kinds


def kind_of(head: str) -> str | None:
    """The kind of what ``head`` names by itself."""
    return _kind(_plain(head))


def plausible(kind: str, cell: str) -> bool:
    """Whether ``cell`` can be a value of ``kind``."""
    return _PLACEHOLDER.fullmatch(cell) is None and _CELLS[kind](cell)


@lru_cache(4096)
def _kind(name: str) -> str | None:
    found = _FIELDS.get(name)
    if found:
        return found
    owner, _, rest = name.partition(" ")
    if owner in _OWNERS and rest:
        return _FIELDS.get(rest) or _OF_PEOPLE.get(rest)
    return None


def _plain(head: str) -> str:
    """In lower case, without accents, words apart: "dateOfBirth" and "Date_of_birth" are the same."""
    spaced = _NO_LETTER.sub(" ", _CAMEL.sub(" ", head)).strip().lower()
    if spaced.isascii():
        return spaced
    return "".join(char for char in normal("NFD", spaced.replace("ß", "ss")) if not unicodedata.combining(char))
