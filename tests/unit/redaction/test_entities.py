"""Every structured entity: what is found, and what looks alike and is not."""

import pytest

from forebay_agents.redaction.offline.lines import Redactor

FOUND = [
    ("US_SSN", "my ssn is {}", "219-09-9999"),
    ("US_SSN", "social security number: {}", "219 09 9999"),
    ("US_SSN", "SSN {} on file", "219099999"),
    ("CREDIT_CARD", "pay with {}", "4111111111111111"),
    ("CREDIT_CARD", "pay with {}", "5500 0055 5555 5559"),
    ("CREDIT_CARD", "amex {} please", "3782-822463-10005"),
    ("CREDIT_CARD", "card {}", "6011000990139424"),
    ("CREDIT_CARD", "diners {}", "30569309025904"),
    ("CREDIT_CARD", "{}", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
    ("IBAN_CODE", "to {} today", "DE89 3704 0044 0532 0130 00"),
    ("IBAN_CODE", "to {} today", "gb29nwbk60161331926819"),
    ("PHONE_NUMBER", "call {}", "(212) 555-0187"),
    ("PHONE_NUMBER", "call me on {} tonight", "020 7946 0958"),
    ("PHONE_NUMBER", "reach us: {}", "+49 30 1234567"),
    ("PHONE_NUMBER", "fax {}", "774-222-1234x5678"),
    ("EMAIL_ADDRESS", "write to {}", "ann.lee+x@mail.example.co.uk"),
    ("EMAIL_ADDRESS", "write to {}", "ann at example dot com"),
    ("EMAIL_ADDRESS", "write to {}", "ann [at] example [dot] org"),
    ("IP_ADDRESS", "from {} today", "203.0.113.77"),
    ("IP_ADDRESS", "from {} today", "2001:db8::8a2e:370:7334"),
    ("MAC_ADDRESS", "device {}", "00:1b:44:11:3a:b7"),
    ("CRYPTO", "wallet {}", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("CRYPTO", "wallet {}", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
    ("US_PASSPORT", "passport number {}", "533380006"),
    ("US_DRIVER_LICENSE", "driver's license {}", "D1234567"),
    ("US_BANK_NUMBER", "checking account {}", "000123456789"),
    ("ABA_ROUTING_NUMBER", "routing number {}", "021000021"),
    ("UK_NHS", "NHS number {}", "943 476 5919"),
    ("UK_NINO", "NI {}", "AB 12 34 56 C"),
    ("EU_VAT_ID", "our VAT id is {}", "DE136695976"),
    ("ES_NIF", "NIF {}", "54362315K"),
    ("DATE_OF_BIRTH", "born on {}", "12 March 1985"),
    ("DATE_OF_BIRTH", '{{"dob": "{}"}}', "1985-03-12"),
    ("AGE", "she is {} years old", "97"),
    ("MEDICAL_RECORD", "MRN: {}", "00123456"),
    ("MEDICAL_RECORD", '{{"mrn": "{}"}}', "19162178"),
    ("URL_CREDENTIALS", "see {}", "https://ann:s3cret@intra.example.com/x"),
    ("API_KEY", "key {}", "AKIAIOSFODNN7EXAMPLQ"),
    ("API_KEY", "key {}", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
    ("API_KEY", "key {}", "sk-proj-Ab3dE6gH9jK2mN5pQ8sT1vW4yZ7"),
    ("JWT", "token {}", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"),
    ("BEARER_TOKEN", "Authorization: Bearer {}", "mF9xB5f4B1JqM2kQ7"),
    ("PRIVATE_KEY", "{}", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----"),
    ("CONNECTION_STRING", "use {}", "postgres://app:s3cret@db.example.com:5432/orders"),
    ("PASSWORD", "password: {}", "Tr0ub4dor&3"),
    ("LOCATION", "send it to {}", "P.O. Box 1234"),
    ("LOCATION", "at {} please", "221 Elm Street"),
    ("LOCATION", "postcode {}", "SW1A 1AA"),
    ("COORDINATES", "at {}", "52.5200, 13.4050"),
    ("VIN", "VIN {}", "1HGCM82633A004352"),
    ("USERNAME", "my username is {}", "blue_owl77"),
]

CLEAN = [
    "Your order 4471-20993 ships on Monday.",
    "Version 10.2.11 is out, build 20260301.",
    "the total is $1,299.00 for 1200 units",
    "the part 1234567812345678 is out of stock",  # fails Luhn, and nothing says card
    "IBAN-like DE00 1234 is too short",
    "at 14:30 we meet in room 12, until 2026-03-01",
    "she is 34 years old",
    "a password must have at least 12 characters",
    "Authorization: Bearer <token>",
    "api_key=os.environ['KEY']",
    "127.0.0.1 and ::1 are loopback",
    "12:30:45 is a time, 00:00:00 too",
    "ISBN 978-3-16-148410-0",
    "1 + 2 = 3, 10/2 = 5, 3.14159265",
    "temperature 0.7, top_p 0.95, max_tokens 512",
    "SELECT count(*) FROM t WHERE id = 42;",
    "the year 1999, the 90s, 100 %",
    "git commit 3f2a9c1, branch release-2.1",
]


@pytest.mark.parametrize(("kind", "frame", "value"), FOUND)
def test_what_has_a_form_is_found(structured: Redactor, kind: str, frame: str, value: str) -> None:
    text = frame.format(value)
    redacted = structured.redact(text)
    found = {(span.kind, text[span.start : span.end]) for span in redacted.spans}
    assert (kind, value) in found, found
    assert value not in redacted.text


@pytest.mark.parametrize("text", CLEAN)
def test_what_only_looks_alike_stays(structured: Redactor, text: str) -> None:
    assert structured.redact(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "my ssn is two one nine oh nine nine nine nine nine",
        "4\u200b1\u200b1\u200b1 1111 1111 1111",
        "４１１１１１１１１１１１１１１１",
        "&#52;111111111111111",
        "mail=john%40example.com",
        "bWFpbCBqb2huQGV4YW1wbGUuY29tIG5vdw==",
        "jоhn@exаmple.com",  # Cyrillic о and а
        "Phone:\\n239-530-5137\\n",
        "4111\u00a01111\u20111111\u00ad1111",
    ],
)
def test_disguises_do_not_help(structured: Redactor, text: str) -> None:
    redacted = structured.redact(text)
    assert redacted.spans
    assert not any(char.isdigit() for char in redacted.text.replace("_1>", ""))
    assert "example" not in redacted.text.lower()
