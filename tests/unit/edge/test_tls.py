"""With a certificate of its own the door speaks TLS, and waits no longer for hands to be shaken than for a head."""

import asyncio
import datetime
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from forebay.edge.run import tls
from forebay.edge.settings import EdgeSettings
from tests.unit.edge.bench import Bench, bench
from tests.unit.edge.test_hostile_clients import SHORT, connection, rest


@pytest.fixture
def certificate(tmp_path: Path) -> EdgeSettings:
    """Settings that name a certificate for ``localhost``, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    shown = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "cert.pem").write_bytes(shown.public_bytes(pem))
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(plain)
    return EdgeSettings(tls_cert=str(tmp_path / "cert.pem"), tls_key=str(tmp_path / "key.pem"))


async def alive(door: Bench, certificate: EdgeSettings) -> bytes:
    """What a client hears that trusts the certificate."""
    port = int(door.url.rpartition(":")[2])
    trusting = ssl.create_default_context(cafile=certificate.tls_cert)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
    said = await reader.readuntil(b"}")
    writer.close()
    return said


@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["silent", "a hello that stops"])
async def test_a_handshake_that_stalls_is_closed_and_others_are_served(begun: bytes, certificate: EdgeSettings) -> None:
    async with bench(tls=tls(certificate), head_s=SHORT) as door, connection(door) as (reader, writer):
        writer.write(begun)
        answer = asyncio.create_task(rest(reader))
        assert b'{"status":"alive"}' in await alive(door, certificate)
        assert await answer == b""
        assert b'{"status":"alive"}' in await alive(door, certificate)


async def test_a_handshake_that_comes_byte_by_byte_has_no_more_time(certificate: EdgeSettings) -> None:
    async with bench(tls=tls(certificate), head_s=SHORT) as door, connection(door) as (reader, writer):
        answer, began = asyncio.create_task(rest(reader)), time.monotonic()
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 400
        sent = 0
        while not answer.done() and sent < len(hello):
            writer.write(hello[sent : sent + 1])
            sent += 1
            await asyncio.sleep(SHORT / 10)
        assert (await answer, sent < len(hello)) == (b"", True), f"after {time.monotonic() - began:.1f} s"


async def test_after_the_handshake_a_head_is_waited_for_as_long(certificate: EdgeSettings) -> None:
    async with bench(tls=tls(certificate), head_s=SHORT) as door:
        port = int(door.url.rpartition(":")[2])
        trusting = ssl.create_default_context(cafile=certificate.tls_cert)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
        await asyncio.sleep(SHORT / 10)
        writer.write(b"GET /heal")
        assert b"408" in await rest(reader)
        writer.close()
