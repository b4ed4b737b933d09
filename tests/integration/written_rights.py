"""What do the commands for users and rights say? They are read as written, since Kafka's scripts are not here."""

import re
import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def shell_line(page: str, command: str, part: str) -> str:
    """The line of the page's shell blocks that begins with ``command`` and has ``part``, its continuations joined."""
    text = (ROOT / "docs" / page).read_text("utf-8").replace("\\\n", " ")
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    [line] = [line for line in blocks.splitlines() if line.startswith(command) and part in line]
    return line


def make_user(admin: Any, line: str) -> None:
    """What a line of ``kafka-configs.sh`` says."""
    from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

    words = shlex.split(line)
    assert {"--alter", "--entity-type", "users"} <= set(words)
    name = words[words.index("--entity-name") + 1]
    kind, password = re.fullmatch(r"(.*)=\[password=(.*)\]", words[words.index("--add-config") + 1]).groups()  # type: ignore[union-attr]  # else the test fails
    info = ScramCredentialInfo(ScramMechanism[kind.replace("-", "_")], 4096)
    for done in admin.alter_user_scram_credentials(
        [UserScramCredentialUpsertion(name, info, password.encode())]
    ).values():
        done.result(30)


def rules_of(lines: Sequence[str]) -> list[Any]:
    """What lines of ``kafka-acls.sh`` say."""
    from confluent_kafka.admin import (
        AclBinding,
        AclOperation,
        AclPermissionType,
        ResourcePatternType,
        ResourceType,
    )

    found = []
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "kafka-acls.sh"
        given = dict(pairwise(words))  # option to value
        operation = re.sub(r"(?<!^)([A-Z])", r"_\1", given["--operation"]).upper()
        allow = "--allow-principal" in given
        [(kind, name)] = [(one[2:], given[one]) for one in ("--topic", "--group", "--transactional-id") if one in given]
        found.append(
            AclBinding(
                ResourceType[kind.replace("-", "_").upper()],
                name,
                ResourcePatternType.LITERAL,
                given["--allow-principal" if allow else "--deny-principal"],
                "*",
                AclOperation[operation],
                AclPermissionType.ALLOW if allow else AclPermissionType.DENY,
            )
        )
    return found


def filter_of(rule: Any) -> Any:
    """By which a rule of :func:`rules_of` is taken away again."""
    from confluent_kafka.admin import AclBindingFilter

    kinds = (rule.restype, rule.name, rule.resource_pattern_type, rule.principal, rule.host)
    return AclBindingFilter(*kinds, rule.operation, rule.permission_type)
