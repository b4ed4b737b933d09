"""Tables: what the head of a column says of its cells, and tables about things, which stay."""

import pytest

from forebay_agents.redaction.offline.lines import Redactor
from tests.data.kinds import unmarked

FOUND = [
    "id,name,dob,city\n1,⟦P:Qiu Hua⟧,⟦D:1991-04-02⟧,⟦L:Ningbo⟧\n2,⟦P:Ye Fan⟧,⟦D:1984-12-30⟧,⟦L:Xi'an⟧\n\nsort this",
    "driver|licence|plate\n⟦P:Dora Webb⟧|⟦N:W123-4567-8901⟧|⟦V:KD 11 204⟧",
    "| Name | Age | Town |\n|---|--|--|\n| ⟦P:Mzee Jum⟧ | ⟦A:98⟧ | ⟦L:Mlandizi⟧ |\n| ⟦P:Asha⟧ | 31 | ⟦L:Bunju⟧ |",
    '"Nachname";"Vorname";"Straße";"PLZ"\n"⟦P:Moser⟧";"⟦P:Lea⟧";"⟦L:Am Rain 3b⟧";"⟦L:6020⟧"',
    "firstName\tlastName\tphoneNumber\n⟦P:Ola⟧\t⟦P:Nowak⟧\t⟦T:601 555 212⟧",
    "username,role,seen\n⟦N:lfischer08⟧,editor,today\nguest,reader,never",
    "customer_name,customer_no,amount\n⟦P:Ida Falk⟧,⟦N:60418827⟧,12.50",
    'name,address,phone\n⟦P:Bo Ek⟧,"⟦L:Storgatan 1, Umeå⟧",⟦T:070 555 0199⟧',
    (
        "INSERT INTO cars (id, owner, plate, vin, since) VALUES (1,'⟦P:Ivo Babić⟧','⟦V:ZG 9912-KT⟧',"
        "'⟦V:WVWZZZ1JZXW000777⟧',DATE '2019-05-20'),(2,'⟦P:O''Hara⟧',NULL,NULL,NOW());"
    ),
    "insert into people (ssn, zip) values ('⟦N:123456⟧', '⟦L:30318⟧');",
    "nombre;fecha de nacimiento;teléfono\n⟦P:Eva Paz⟧;⟦D:03/11/1995⟧;⟦T:987 555 120⟧",
]
CLEAN = [
    "sku,name,price\nA-1,Desk lamp,3.4\nB-2,Desk,9.9",
    "team,played,won,pts\nReal,38,27,87\nInter,38,25,83",
    "name,license\nnumpy,BSD\nscipy,BSD",
    "account,debit,credit\n4000,12.00,0\n5000,0,12.00",
    "| Feature | Basic | Pro |\n|---|---|---|\n| Seats | 5 | 50 |",
    "INSERT INTO products (id, name, price) VALUES (5001, 'Olive oil', 9.49);",
    "from models import Name, Address\nfrom tools import parse, validate",
    "def f(name, address):\n    g(first, second)",
    "age,phone\n34,n/a\n35,-",
    "policy,status\nretention,active\nbackup,paused",
    "SELECT name, address, phone\nFROM users, orders, things",
    "fruit; country of origin; price\napple; unknown; 3",
    "name\tvalue\ntimeout\t30\nretries\t5",
    "user,role\nadmin,owner\nguest,reader",
]


@pytest.mark.parametrize("marked", FOUND, ids=range(len(FOUND)))
def test_cells_are_what_their_head_says(structured: Redactor, marked: str) -> None:
    row = unmarked(marked, "table")
    covered = {at for span in structured.redact(row.text).spans for at in range(span.start, span.end)}
    left = [row.text[a:b] for a, b, _ in row.spans if not set(range(a, b)) <= covered]
    assert left == []


@pytest.mark.parametrize("text", CLEAN, ids=range(len(CLEAN)))
def test_tables_about_things_stay(structured: Redactor, text: str) -> None:
    assert structured.redact(text).text == text


def test_cells_that_cannot_be_it_stay(structured: Redactor) -> None:
    text = "name,dob,iban\n(vacant),unknown,n/a\nTBD,-,none"
    assert structured.redact(text).text == text
