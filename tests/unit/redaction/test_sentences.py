"""What only a sentence or a question makes personal: ages, plates, accounts, answers; and sentences that do not."""

import pytest

from forebay_agents.redaction.offline.lines import Redactor
from tests.data.kinds import unmarked

FOUND = [
    "he is ⟦A:95⟧ and lives alone", "my gran, who is ⟦A:91⟧, fell", "my nans ⟦A:94⟧ and you hung up on her",
    "great aunt Nora who was ⟦A:97⟧ when she died", "Mr. Olsen is ⟦A:96⟧ now", "Edna Marsh, ⟦A:94⟧, of Hull won",
    "she turned ⟦A:101⟧ in May", "his ⟦A:95⟧th birthday", "Oma ist ⟦A:92⟧ und allein",
    "my mother is ⟦A:ninety-four⟧.",
    "Pt ⟦A:93⟧F with cough", "patient is ⟦A:94⟧ y.o. and frail",
    "the donor is ⟦V:1M8GDM9AXKP042788⟧ I think", "a blue one, ⟦V:WAUZZZ8K9BA123456⟧, stolen",
    "a Volvo (⟦V:MK63 ZTP⟧) hit me", "my car ⟦V:MK63ZTP⟧", "Kennzeichen ⟦V:HH-AB 1234⟧",
    "⟦V:34 ABC 123⟧ plakalı araç",
    "matrícula ⟦V:1234 BCD⟧", "immatriculation: ⟦V:AB-123-CD⟧",
    "my bike ⟦V:KA 05 MH 1234⟧ was towed", "reg no ⟦V:P123 ABC⟧",
    "Agent: What is your customer number?\nUser: ⟦N:5512-338-1177⟧", "Your date of birth?\nthe ⟦D:9th of May 1961⟧",
    "Bot: Please enter your policy number.\nUser: it's ⟦N:HX-55120934⟧",
    "What is your order number?\nUser: ⟦N:5512-338-1177⟧", "Which plate, so I can book you in?\nMe: ⟦V:KX19 VBB⟧",
    "Your passport number please?\nUser: ⟦N:K 1234567⟧", "And your phone?\n⟦T:555 0143 22⟧",
    "Postcode?\nUser: ⟦L:hu5 3qx⟧",
    "about policy ⟦N:HX-55120934⟧, please", "frequent flyer number is ⟦N:BA 512 618 553⟧",
    "Meine Versichertennummer lautet ⟦N:K583920174⟧", "numéro de client : ⟦N:88213340⟧",
    "número de póliza ⟦N:7731209⟧",
    "klantnummer ⟦N:8812034⟧", "codice cliente: ⟦N:9912034⟧",
    "my license number ⟦N:S 530 440 277 190⟧", "driver licence ⟦N:W355-2018-1147⟧", "DL ⟦N:D123-4567-8901⟧",
    "Tel.: ⟦T:0461 / 555 01 93⟧", '"msisdn": "⟦T:233205550148⟧"', "phone LIKE '%⟦T:4955550127⟧%'",
    "mobile='⟦T:5550127712⟧'",
    "log in with password ⟦S:Birch!Lamp-4410⟧", "pin ⟦S:551207#⟧", "dial in, pin ⟦S:551207⟧.",
    "Fecha de nac.: ⟦D:04-11-1994⟧", "F. nac. ⟦D:04/11/1994⟧", "født ⟦D:04.11.1964⟧", "doğum tarihi: ⟦D:04.11.1964⟧",
    "дата рождения ⟦D:04.11.1964⟧", "data ur. ⟦D:1964-11-04⟧", "the ⟦D:7th of October 1956⟧",
    "⟦D:07/10/1956⟧", "⟦D:1956-10-07⟧.",
    "my pasword is ⟦S:Autumn2021!7⟧", "to accunt number ⟦N:204418827⟧",
    "NI number: ⟦N:QX 21 33 04 B⟧", "national insurance ⟦N:ZZ213304B⟧", "CDL ⟦N:K5521-70932-18⟧ (Ohio)",
    "my user is ⟦N:tkimura_77⟧", "done by user ⟦N:lfischer08⟧ today", "she died at ⟦A:98⟧, in Cork",
    "two of us are ⟦A:92⟧, no stairs",
    "at the corner of ⟦L:Laurel Street⟧ and ⟦L:Canal Avenue⟧", "he lives on ⟦L:Harrow Road⟧",
]  # fmt: skip
CLEAN = [
    "he is 95 % sure", "she is 95 minutes late", "it is 95 and sunny", "it was 98 degrees", "he was 100 in line",
    "she is 34 and lives alone", "they are 100 percent right", "who is 90 points ahead", "he scored 95 and won",
    "the team was 97 points up", "the score is 91.", "my mum is 95 miles away",
    "its 100th anniversary", "ninety days",
    "a hundred people came", "RATED PG13 FOR LANGUAGE", "budget FY24 CAP", "the MY24 CAR", "hash 0F3A9C21D4E5B6A78",
    "AB12CDE is a part", "Which booking?\nUser: 55123381",
    "How many?\nUser: 12 please", "What is your customer number?\nUser: I do not know", "policy 2024 changes",
    "policy on refunds", "account balance 55120", "customer service 24 hours",
    "Where is my parcel?\n1Z999AA10123456784",
    "password OAuth2 flow", "password SHA-512 hashing", "password must be 8+ characters",
    "pin 4 is ground", "pin 2024 posts",
    "2026-03-01", "12 March 2024", "12 March 1985 was a Tuesday", "the 7th of October",
    "Wall Street fell", "Abbey Road is an album",
    "between Monday and Friday", "between Main and Second", "phone = None", "tel: n/a", "mobile first design 2024",
    "the user is wrong", "user v2 is out", "login via oauth2 works", "died at 9 in the evening", "it lived to 2010",
    "QX 21 33 04 B is a colour", "license number is required", "registration opens 12 May",
]  # fmt: skip


@pytest.mark.parametrize("marked", FOUND, ids=lambda text: ascii(text)[:50])
def test_what_the_words_say_is_found(structured: Redactor, marked: str) -> None:
    row = unmarked(marked, "sentence")
    covered = {at for span in structured.redact(row.text).spans for at in range(span.start, span.end)}
    assert [row.text[a:b] for a, b, _ in row.spans if not set(range(a, b)) <= covered] == []


@pytest.mark.parametrize("text", CLEAN, ids=lambda text: ascii(text)[:50])
def test_what_says_nothing_of_a_person_stays(structured: Redactor, text: str) -> None:
    assert structured.redact(text).text == text
