"""Who needs which rights on the brokers? The table of ``docs/how-to/production.md``."""

from collections.abc import Iterable

from forebay.operations.rights import OPEN, READ, Operation, declared, read_by, roles
from forebay.reference.markdown import code, table

_EVERY = "every topic in the column READ of the stages"
_OPEN = f"{_EVERY} but for personal data"


def rights_section() -> str:
    """A row a user; what every stage needs stands above the table."""
    stages, read = declared(), set(READ)
    rows = []
    for role in roles():
        own = stages.get(role.user)
        writes = [*_words(role.writes if own is None else own.writes, read)]
        if own is not None and own.returns:
            writes = [_EVERY]
        reads = _words(role.reads if own is None else dict.fromkeys((*read_by(role.user), *own.follows)), read)
        if role.tables:
            changelogs = [code(f"{role.user}-{name}-changelog") for name in role.tables]
            reads += changelogs
            writes.append(f"CREATE and WRITE on its {len(changelogs)} changelogs")
        writes += [f"the transactional id {code('forebay.' + name)}" for name in role.transactional]
        if role.everywhere:
            writes.append(f"{_list(role.everywhere)} on all topics" + (" and groups" if role.all_groups else ""))
        elif role.all_groups:
            writes.append(f"{_list(role.all_groups)} on all groups")
        who = (
            code(role.user)
            if own is not None
            else f"{role.user}s" + (f" ({', '.join(map(code, role.what))})" if role.what else "")
        )
        rows.append([who, ", ".join(reads), ", ".join(writes)])
    return table(["user", "READ", "WRITE"], rows)


def _words(topics: Iterable[str], read: set[str]) -> list[str]:
    named = list(topics)
    for many, words in ((read, _EVERY), (set(OPEN), _OPEN)):
        if many <= set(named):
            return [*(code(topic) for topic in dict.fromkeys(named) if topic not in many), words]
    return [code(topic) for topic in named]


def _list(operations: Iterable[Operation]) -> str:
    words = {Operation.DESCRIBE_CONFIGS: "DESCRIBE_CONFIGS"}
    return ", ".join(words.get(operation, operation.name) for operation in operations)
