"""No module makes a key of Redis by itself. (That only a ``Key`` gets the prefix is for the type checker to say.)"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from forebay.state.keys import Common, Hashed, Owned

ROOT = Path(__file__).parents[3]
COMMANDS_WITHOUT_KEYS = {
    "pipeline",
    "execute",
    "scan",
    "scan_iter",
    "info",
    "ping",
    "flushall",
    "config_get",
    "config_set",
}
PLACE_OF_KEY = {"eval": 2, "execute_command": 1}


def home_made(source: str) -> Iterator[str]:
    """Where a module makes a key by itself: as a ``Key``, as a text of a space, or as a text given to Redis."""
    heads = tuple(f"{space.head}{sign}" for space in (*Owned, *Hashed, *Common) for sign in ":|")
    tree = ast.parse(source)
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if text.startswith(heads) and id(node) not in told:
                yield f"{node.lineno}: a text of a space"
            case ast.Call(func=ast.Name(id="Key")):
                yield f"{node.lineno}: a Key"
            case ast.Call(func=ast.Attribute(value=receiver, attr=command)) if command not in COMMANDS_WITHOUT_KEYS:
                place = PLACE_OF_KEY.get(command, 0)
                given = node.args[place : None if command == "eval" else place + 1]
                if ast.unparse(receiver).rstrip("_").endswith(("client", "redis", "pipe", "pipeline")) and any(
                    isinstance(part, ast.JoinedStr | ast.Constant)
                    for argument in given
                    for part in ([argument.left, argument.right] if isinstance(argument, ast.BinOp) else [argument])
                ):
                    yield f"{node.lineno}: a text for {command}"


MODULES = [
    path
    for folder in ("streams", "agents", "loadtest")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "keys.py" and "redis" in path.read_text()
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_makes_a_key_by_itself(path: Path) -> None:
    assert list(home_made(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "self._client.get(f'{prefix}{tenant}:{id}')",
        "await client.set('forebay:x', 1)",
        "self._redis.hgetall(prefix + f'x:{tenant}')",
        "pipe.zadd(prefix + 'x', {})",
        "client.eval(SCRIPT, 1, f'{prefix}x')",
        "pipe.execute_command('VADD', f'{prefix}v', 1)",
        "key = f'claim:judge|{id}'",
        "name = Key('x')",
    ],
)
def test_one_that_does_is_found(source: str) -> None:
    assert list(home_made(source))


@pytest.mark.parametrize(
    "source",
    [
        '"""cache:e: where entries lie."""',
        "self._client.get(self._prefix + owned(Owned.OUTCOME, tenant, id))",
        "pipe.lpush(key, f'{score:.4f}')",
        "client.eval(SCRIPT, len(keys), *keys, *arguments)",
        "settings.get('claim')",
    ],
)
def test_one_that_does_not_is_left_alone(source: str) -> None:
    assert not list(home_made(source))
