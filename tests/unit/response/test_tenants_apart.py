"""From an application to its response: whoever is not its tenant can neither ask in its name nor read its answers."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from forebay.client.errors import InvalidRequestError
from forebay.client.pending import Waiting
from forebay.client.speaker import Speaker, speaker
from forebay.contract import headers as h
from forebay.contract.handlers import Context, Output, Route
from forebay.contract.names import topics_of, topics_read
from forebay.contract.records import Completion, Message, Request, Response, ResponseStatus
from forebay.contract.topics import TOPICS
from forebay.privacy.fingerprints import FingerprintHeaders, fingerprint, guarded, marked
from forebay.privacy.people.names import Names
from forebay.privacy.people.travelling import TravellingIds
from forebay.runtime.stage import Stage
from forebay.settings import ConfigurationError, Settings, StageSettings, TenantSettings
from forebay.settings.tenants import Identity
from forebay.testing import KEYRING, MemoryTopics, StageRunner, VirtualClock, codecs, context, memory_vault
from forebay.trust.tenant_keys import known_tenants, own_keys, tenants
from forebay_agents.redaction.handler import failed_completion
from forebay_agents.response.addressing import Addressing
from forebay_agents.response.handler import ResponseHandler

SECRET = "acme's only"
KEYS = {"k-1": "acme", "k-2": "globex", "door": "*"}


class Marks(dict[str, str]):
    async def first(self, key: str, mark: str) -> str:
        return self.setdefault(key, mark)

    async def put(self, key: str, mark: str) -> None:
        self[key] = mark


class Installation:
    """The first and the last stage of the chain, and its applications."""

    def __init__(self, folder: Path, identity: str) -> None:
        self.clock = VirtualClock()
        chosen: dict[str, Any] = {"identity": identity, "known": ["acme", "globex"]}
        self._lines = {
            key: f"{key}:{tenant}:{b64encode(key.encode().ljust(32)).decode()}\n" for key, tenant in KEYS.items()
        }
        if identity == "signed":
            (folder / "keys").write_text("".join(self._lines.values()))
            (folder / "keys").chmod(0o600)
            chosen["keys_file"] = str(folder / "keys")
        self.settings = Settings({"tenants": chosen})
        marks = FingerprintHeaders(KEYRING)
        handle, on_failure = guarded(self._redact, Marks(), marks), marked(self._refuse, marks)
        to = Addressing(tenants(self.settings), codecs()["responses"].encode)
        response = ResponseHandler(memory_vault(), marks)
        topics = topics_read("requests", self.settings[TenantSettings])
        self.runner = StageRunner(
            Stage(
                name="redaction",
                routes=[Route(topic=name, handle=handle, on_failure=on_failure) for name in topics],
                limits=StageSettings(),
            ),
            Stage(
                name="response",
                routes=[
                    Route(
                        topic="completions",
                        handle=to.of(response.handle),
                        on_failure=to.of_failure(response.on_failure),
                    )
                ],
                limits=StageSettings(),
            ),
            topics=MemoryTopics(self.clock, self.settings),
        )

    async def _redact(self, request: Request, _context: Context) -> list[Output]:
        done = Completion(
            request_id=request.request_id,
            tenant_id=request.tenant_id,
            user_id=request.user_id,
            status=ResponseStatus.OK,
            content=SECRET,
        )
        return [Output(topic="completions", key=done.request_id, value=done)]

    def _refuse(self, request: Request | None, context: Context, failure: Any) -> list[Output]:
        ids = TravellingIds(KEYRING, Names(b"\2" * 32), pseudonymise=False)
        return [failed_completion(request, context, failure, 0, ids)]

    def application(self, tenant: str, key: str = "") -> "Application":
        identity = self.settings[TenantSettings].identity
        own: dict[str, Any] = {"identity": identity}
        if identity is Identity.TOPIC:
            own["tenant"] = tenant
        if identity is Identity.SIGNED:
            own["key"] = self._lines[key or {"acme": "k-1", "globex": "k-2"}[tenant]]
        return Application(self, speaker(Settings({"tenants": own})))


class Application:
    """What the client does, on topics in memory; ``seen``: all that it may read."""

    def __init__(self, installation: Installation, speaks: Speaker) -> None:
        self.installation, self.speaks = installation, speaks
        speaks._clock = installation.clock
        self.waiting = Waiting()

    def request(self, **fields: Any) -> Request:
        known: dict[str, Any] = {"request_id": "r-1", "messages": (Message(content="Hm?"),)} | fields
        asked: Request = self.speaks.own(Request(**known))
        return asked

    async def ask(
        self, *, topic: str = "", headers: Mapping[str, bytes] | None = None, value: bytes | None = None, **fields: Any
    ) -> None:
        request = self.request(**fields)
        self.future = self.waiting.add(request.request_id, request)
        encoded = codecs()["requests"].encode(request) if value is None else value
        said = dict(self.speaks.headers(b"r-1", encoded)) if headers is None else headers
        await self.installation.runner.send(topic or self.speaks.topic("requests"), encoded, key=b"r-1", headers=said)

    @property
    def seen(self) -> list[Response]:
        found = []
        for one in self.installation.runner.topics.published(self.speaks.topic("responses")):
            value = self.speaks.opened(one.source.value, one.source.headers, (one.source.key or b"").decode())
            if value is not None:
                found.append(codecs()["responses"].decode(value))
        return found

    def answered(self) -> list[str]:
        """What the application's one request got, as the client matches it."""
        found = []
        for one in self.installation.runner.topics.published(self.speaks.topic("responses")):
            headers, key = one.source.headers, (one.source.key or b"").decode()
            value = self.speaks.opened(one.source.value, headers, key)
            if value is not None:
                surely = self.speaks.signs and h.SEALED_FOR not in headers
                about = (headers.get(h.FINGERPRINT) or b"").decode()
                response: Response = codecs()["responses"].decode(value)
                code = response.error.code if response.error else response.content
                found += [code] * len(self.waiting.take(key, about, surely=surely))
        return found


Made = Callable[[str], Installation]
APART = pytest.mark.parametrize("identity", ["topic", "signed"])


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return lambda identity: Installation(tmp_path, identity)


@APART
async def test_each_reads_its_own_answers_and_nobody_elses(made: Made, identity: str) -> None:
    here = made(identity)
    acme, globex = here.application("acme"), here.application("globex")
    await acme.ask(user_id="ann")
    assert [(one.tenant_id, one.content) for one in acme.seen] == [("acme", SECRET)]
    assert globex.seen == []
    assert SECRET.encode() not in b"".join(one.source.value or b"" for one in here.runner.topics.published("responses"))
    assert acme.answered() == [SECRET]


@APART
async def test_one_id_of_two_tenants_is_two_requests(made: Made, identity: str) -> None:
    here = made(identity)
    acme, globex = here.application("acme"), here.application("globex")
    await acme.ask()
    await globex.ask()
    assert [one.tenant_id for one in acme.seen] == ["acme"]
    assert [one.tenant_id for one in globex.seen] == ["globex"]
    assert (acme.answered(), globex.answered()) == ([SECRET], [SECRET])


@APART
async def test_who_speaks_as_another_is_refused_here_and_there(made: Made, identity: str) -> None:
    here = made(identity)
    acme, globex = here.application("acme"), here.application("globex")
    with pytest.raises(InvalidRequestError):
        acme.request(tenant_id="globex")
    forged = codecs()["requests"].encode(Request(request_id="r-1", tenant_id="acme", messages=(Message(content="x"),)))
    victim = acme.waiting.add("r-1", acme.request())
    await globex.ask(value=forged)
    assert [(one.tenant_id, one.error.code) for one in globex.seen if one.error] == [("globex", "tenant_mismatch")]
    assert acme.seen == []
    assert not victim.done()


@APART
@pytest.mark.parametrize("value", [None, b"no avro"])
async def test_whoever_proves_nothing_tells_nobody_anything(made: Made, identity: str, value: bytes | None) -> None:
    here = made(identity)
    acme = here.application("acme")
    await acme.ask(topic="requests", headers={}, value=value, user_id="ann")
    found = [one for one in here.runner.topics.records("responses") if one is not None]
    assert [(one.tenant_id, one.user_id, one.content) for one in found] == [("", "", "")]
    told = ["tenant_unproven"] if identity == "signed" and value is None else []
    assert acme.answered() == told, "of its own words alone it believes what is not sealed"


@APART
async def test_what_cannot_be_read_is_answered_to_its_writer(made: Made, identity: str) -> None:
    here = made(identity)
    acme, globex = here.application("acme"), here.application("globex")
    await acme.ask(value=b"no avro")
    assert [(one.tenant_id, one.error.code) for one in acme.seen if one.error] == [("acme", "not_avro")]
    assert globex.seen == []


async def test_a_door_speaks_for_all_and_reads_what_it_asked(made: Made) -> None:
    here = made("signed")
    door, acme = here.application("", "door"), here.application("acme")
    await door.ask(tenant_id="acme")
    assert [one.content for one in door.seen] == [SECRET]
    assert acme.seen == [], "the answer is for who asked"
    await door.ask(tenant_id="initech")
    assert [one.error.code for one in door.seen if one.error] == ["unknown_tenant"]


def test_an_answer_without_a_key_is_kept_back_and_a_refusal_says_little(tmp_path: Path) -> None:
    here = Installation(tmp_path, "signed")
    to = Addressing(tenants(here.settings), codecs()["responses"].encode)
    assert to is not None
    refused = Response(
        request_id="r", tenant_id="gone", user_id="ann", status=ResponseStatus.FAILED, metadata={"a": "b"}
    )
    [output] = to._all([Output(topic="responses", key="r", value=refused)], _context())
    assert isinstance(output.value, Response)
    assert (output.value.user_id, output.value.metadata) == ("", {})
    answer = Response(request_id="r", tenant_id="gone", status=ResponseStatus.OK, content="x")
    with pytest.raises(Exception, match="no topic and no key"):
        to._all([Output(topic="responses", key="r", value=answer)], _context())


def _context() -> Context:

    return context("completions")


def test_topics_of_tenants_are_made_with_the_others() -> None:
    names = topics_of(TenantSettings(identity=Identity.TOPIC, known=("acme",)))
    assert names.keys() - TOPICS.keys() == {"requests.acme", "feedback.acme", "responses.acme"}
    own, common = names["requests.acme"], TOPICS["requests"]
    assert (own.subject, own.access, own.outside, own.readers, own.broker_time) == (
        common.subject, common.access, common.outside, common.readers, common.broker_time,
    )  # fmt: skip
    assert topics_of(TenantSettings(known=("acme",))) == TOPICS


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"identity": "topic", "known": ["acme"]}, r"tenants\.tenant"),
        ({"identity": "signed"}, "FOREBAY_TENANTS_KEY"),
        ({"identity": "signed", "key": "k:acme:c2hvcnQ="}, "256 bits"),
        ({"identity": "signed", "key": "acme"}, "ID:TENANT:BASE64"),
    ],
)
def test_an_application_is_told_what_it_needs(section: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        speaker(Settings({"tenants": section}))


def test_a_stage_is_told_what_it_needs(tmp_path: Path) -> None:
    for section, words in (
        ({"identity": "topic"}, "tenants.known"),
        ({"identity": "signed"}, "tenants.keys_file"),
        ({"known": ["a b"]}, "is no tenant's id"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            tenants(Settings({"tenants": section}))
    here = Installation(tmp_path, "signed")
    assert known_tenants(here.settings) == {"acme", "globex"}
    line = "k:a:b:" + b64encode(b"x" * 32).decode()
    (tmp_path / "keys").write_text(f"{line}\n{line}\n")
    with pytest.raises(ConfigurationError, match="two keys k"):
        tenants(here.settings)
    (tmp_path / "keys").write_text(line)
    assert known_tenants(here.settings) == {"a:b", "acme", "globex"}
    (tmp_path / "keys").chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to others"):
        tenants(here.settings)
    assert [key.tenant for key in own_keys(Settings({"tenants": {"key": line}}))] == ["a:b"]


def test_of_unsealed_responses_an_applications_own_words_count_alone() -> None:
    waiting, request = Waiting(), Request(request_id="r", messages=(Message(content="Hm?"),))
    future, raw = waiting.add("r", request), waiting.add("r", None)
    assert waiting.take("r", "", surely=True) == []
    assert waiting.take("r", "0" * 32, surely=True) == []
    assert waiting.take("r", fingerprint(request), surely=True) == [future]
    assert waiting.take("r", "") == [raw]
