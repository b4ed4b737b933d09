"""Clients of two tenants on a real broker, with a topic each or signing: each is answered, and neither as the other."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from forebay import ForebayClient, ResponseTopic, UndecodableError
from forebay.client.door_channel import KafkaDoorChannel
from forebay.client.errors import InvalidRequestError
from forebay.contract.handlers import Context, Output, Route
from forebay.contract.json_lines import new_id
from forebay.contract.names import topics_of, topics_read
from forebay.contract.records import Completion, Feedback, FeedbackRating, Message, Request, ResponseStatus
from forebay.contract.wire import Delivered
from forebay.edge.answers import Answers
from forebay.edge.desk import Desk
from forebay.edge.metrics import EdgeMetrics
from forebay.embedded.files import write_private
from forebay.kafka.reader import read_topic
from forebay.kafka.topic_admin import TopicAdmin
from forebay.runtime.runner import StageApp
from forebay.runtime.stage import Stage
from forebay.settings import KafkaSettings, Settings, StageSettings, TenantSettings, load
from forebay.settings.tenants import EVERY, Identity
from forebay.trust.tenant_keys import new_tenant_key
from forebay_agents.response.agent import response_stage

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(180)]
TENANTS = ("acme", "globex")


@pytest.fixture(params=[Identity.TOPIC, Identity.SIGNED])
def apart(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """An installation that tells tenants apart, with its topics."""
    lines = {tenant: new_tenant_key(f"{tenant}-1", tenant) for tenant in TENANTS}
    for tenant, line in lines.items():
        write_private(tmp_path / f"{tenant}.key", line)
    lines["door"] = new_tenant_key("door-1", EVERY)
    write_private(tmp_path / "door.key", lines["door"])
    write_private(tmp_path / "keys", "".join(lines.values()))
    monkeypatch.setenv("FOREBAY_TENANTS_IDENTITY", request.param.value)
    monkeypatch.setenv("FOREBAY_TENANTS_KNOWN", '["acme", "globex"]')
    monkeypatch.setenv("FOREBAY_TENANTS_KEYS_FILE", str(tmp_path / "keys"))
    assert settings is not None
    found = load()
    admin = TopicAdmin(found[KafkaSettings], topics=topics_of(found[TenantSettings]))
    admin.create()
    yield found
    admin.delete()


def of(tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("FOREBAY_TENANTS_TENANT", tenant)
    monkeypatch.setenv("FOREBAY_TENANTS_KEY_FILE", str(tmp_path / f"{tenant}.key"))
    return load()


async def answer(request: Request, _context: Context) -> list[Output]:
    """In place of all between the first stage and the last."""
    done = Completion(
        request_id=request.request_id,
        tenant_id=request.tenant_id,
        user_id=request.user_id,
        status=ResponseStatus.OK,
        content=f"{request.messages[0].content} of {request.tenant_id}",
    )
    return [Output(topic="completions", key=done.request_id, value=done)]


@asynccontextmanager
async def stages(settings: Settings) -> AsyncIterator[None]:
    limits = StageSettings()
    names = topics_read("requests", settings[TenantSettings])
    first = Stage(name="redaction", routes=[Route(topic=name, handle=answer) for name in names], limits=limits)
    async with AsyncExitStack() as stack:
        apps = [
            StageApp(stage, settings) for stage in (first, await stack.enter_async_context(response_stage(settings)))
        ]
        for app in apps:
            await app.start()
            stack.push_async_callback(app.stop)
        while not all(app.ready for app in apps):
            await asyncio.sleep(0.05)
        yield


def whose(topic: ResponseTopic, source: Delivered) -> str:
    """Of whom a response is, for a consumer of one's own; else why it cannot be read."""
    try:
        return topic.decode(source.value, key=source.key, headers=source.headers.items()).tenant_id
    except UndecodableError as error:
        return error.code


async def test_each_tenant_is_answered_and_neither_as_the_other(
    apart: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        ForebayClient(of("acme", tmp_path, monkeypatch)) as acme,
        ForebayClient(of("globex", tmp_path, monkeypatch)) as globex,
    ):
        theirs = ResponseTopic(of("globex", tmp_path, monkeypatch))
        async with stages(apart):
            # One id: whatever is kept by ids alone would mix them up.
            waits = [client.submit("Report", request_id="r-1") for client in (acme, globex)]
            found = await asyncio.gather(*(asyncio.to_thread(future.result, 60) for future in waits))
            assert [one.content for one in found] == ["Report of acme", "Report of globex"]
            with pytest.raises(InvalidRequestError):
                acme.submit("Report", tenant_id="globex")
            feedback = Feedback(request_id="r-1", rating=FeedbackRating.DOWN)
            await asyncio.to_thread(acme.send_feedback, feedback)
    [told] = read_topic(apart, "feedback.acme" if apart[TenantSettings].identity is Identity.TOPIC else "feedback")
    assert told.value.tenant_id == "acme"
    for record in read_topic(apart, theirs.name.removeprefix(apart[KafkaSettings].topic_prefix)):
        assert whose(theirs, record.source) in ("globex", "unreadable_seal")


async def test_a_door_speaks_for_all_of_them(apart: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREBAY_TENANTS_KEY_FILE", str(tmp_path / "door.key"))
    answers = Answers(keep_s=60, keep_bytes=1_000_000)
    channel = await asyncio.to_thread(KafkaDoorChannel, load(), answers.arrived, back_s=60)
    answers.read_with(channel)
    desk = Desk(channel, answers, EdgeMetrics(CollectorRegistry()), keep_s=60)
    try:
        async with stages(apart):
            asked = Request(messages=(Message(content="Report"),), user_id="u", key_id="abcdefghijkl", created_at=1)
            requests = [replace(asked, request_id=new_id(), tenant_id=tenant) for tenant in TENANTS]
            waits = [desk.ask(request, {}, named=False).answer for request in requests]
            found = await asyncio.wait_for(asyncio.gather(*waits), 60)
            assert [one.content for one in found] == ["Report of acme", "Report of globex"]
            assert desk.known(requests[0].request_id, "acme") == found[0]
            assert desk.known(requests[0].request_id, "globex") is None
            await desk.tell(Feedback(request_id="r-1", tenant_id="globex", rating=FeedbackRating.DOWN))
    finally:
        await asyncio.to_thread(channel.close)
    [told] = read_topic(apart, "feedback.globex" if apart[TenantSettings].identity is Identity.TOPIC else "feedback")
    assert told.value.tenant_id == "globex"
