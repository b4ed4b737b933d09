"""A broker that takes TLS and SCRAM only, and lets everybody do only what an access rule allows."""

import datetime
import ipaddress
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from forebay.artifacts import fetch
from forebay.embedded.files import write_private
from forebay.embedded.ports import Ports
from forebay.embedded.servers import class_cache
from forebay.embedded.servers.kafka import broker_parts, plan
from forebay.kafka.connection import confluent_options
from forebay.settings import KafkaSettings
from tests.stack import running

ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class SecureBroker:
    """The running broker."""

    bootstrap: str
    ca_file: Path
    passwords: Mapping[str, str]

    def environment(self, user: str, password: str | None = None) -> dict[str, str]:
        """How a process reaches it as ``user``."""
        return {
            "FOREBAY_KAFKA_BOOTSTRAP": self.bootstrap,
            "FOREBAY_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "FOREBAY_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "FOREBAY_KAFKA_SASL_USERNAME": user,
            "FOREBAY_KAFKA_SASL_PASSWORD": password or self.passwords[user],
            "FOREBAY_KAFKA_SSL_CAFILE": str(self.ca_file),
            "FOREBAY_TENANTS_IDENTITY": "field",
        }

    def settings(self, user: str, prefix: str) -> KafkaSettings:
        """The same as settings."""
        return KafkaSettings(
            bootstrap=self.bootstrap,
            topic_prefix=prefix,
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username=user,
            sasl_password=self.passwords[user],
            ssl_cafile=str(self.ca_file),
        )

    def allow(
        self, user: str, topics: Mapping[str, Sequence[str]], groups: Sequence[str], writers: Sequence[str] = ()
    ) -> None:
        """Let ``user`` do the operations of ``topics`` (name on the broker to operations), and read as ``groups``.

        Args:
            writers: transactional ids.
        """
        from confluent_kafka.admin import (
            AclBinding,
            AclOperation,
            AclPermissionType,
            AdminClient,
            ResourcePatternType,
            ResourceType,
        )

        def rule(kind: Any, name: str, operation: str) -> Any:
            who, what = f"User:{user}", AclOperation[operation]
            return AclBinding(
                kind, name, ResourcePatternType.LITERAL, who, "*", what, AclPermissionType.ALLOW
            )  # fmt: skip

        rules = [rule(ResourceType.TOPIC, name, do) for name, does in topics.items() for do in does]
        rules += [rule(ResourceType.GROUP, group, "READ") for group in groups]
        rules += [rule(ResourceType.TRANSACTIONAL_ID, writer, "WRITE") for writer in writers]
        admin = AdminClient(confluent_options(self.settings(ADMIN, "")))
        for done in admin.create_acls(rules).values():
            done.result(30)


DENIALS = """
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.access.name = kafka.authorizer.logger
logger.access.level = info
"""
"""Has the broker log whom it refused what."""


@contextmanager
def secure_broker(folder: Path, ports: Ports, users: Sequence[str], *, denials: bool = False) -> Iterator[SecureBroker]:
    """The broker with these users, each with a password of its own.

    Args:
        denials: its log, ``logs/kafka.log``, has everything that it refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    passwords = {user: f"{user}-secret" for user in (ADMIN, *users)}
    keystore, ca_file = _certificates(folder)
    cluster = plan(folder / "kafka", 1, ports, KafkaSettings())
    [broker] = cluster.brokers
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    cluster = replace(
        cluster,
        extra={
            "listeners": f"SASL_SSL://127.0.0.1:{broker.port},CONTROLLER://127.0.0.1:{broker.controller_port}",
            "advertised.listeners": f"SASL_SSL://127.0.0.1:{broker.port}",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "SASL_SSL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config":
                f'{login} username="{ADMIN}" password="{passwords[ADMIN]}";',
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(keystore),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(ca_file),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # The broker talks to its own controller, on loopback, without a name.
            "super.users": f"User:{ADMIN};User:ANONYMOUS",
        },
        client={
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": ADMIN,
            "sasl.password": passwords[ADMIN],
            "ssl.ca.location": str(ca_file),
        },
    )  # fmt: skip
    jars = fetch("kafka")
    class_cache.make(jars)
    [part] = broker_parts(cluster, jars, class_cache.flags(jars))
    if denials:
        logging = folder / "log4j2.properties"
        logging.write_text(DENIALS)
        own = [flag for flag in part.command if not flag.startswith("-Dlog4j2.configurationFile=")]
        part = replace(part, command=[*own, f"-Dlog4j2.configurationFile={logging}"])
    part.prepare()
    marker, _data, config, cluster_id, *java = part.command[4:]
    users_of_format = [
        argument
        for user, password in passwords.items()
        for argument in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]")
    ]
    subprocess.run(
        [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", config, *users_of_format],
        env=dict(part.environment), check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    Path(marker).touch()
    with running([part], folder / "logs"):
        yield SecureBroker(bootstrap=cluster.bootstrap, ca_file=ca_file, passwords=passwords)


def _certificates(folder: Path) -> tuple[Path, Path]:
    """PEM files: key and certificate of the broker, and the authority that signed it."""
    now = datetime.datetime.now(datetime.UTC)
    authority_key, broker_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])

    def builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    authority = (
        builder(authority_name, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )  # fmt: skip
    broker = (
        builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")]), broker_key)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key = broker_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(folder / "broker.pem", (key + broker.public_bytes(pem)).decode())
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    return folder / "broker.pem", folder / "ca.pem"
