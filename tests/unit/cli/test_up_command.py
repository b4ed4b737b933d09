"""``forebay up`` refuses a layout that is none before anything is started."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from forebay.cli.up import up


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--layout", "cache;nobody"), "there is no stage nobody"),
        (("--layout", "cache,cost;cache"), "named twice: cache"),
        (("--layout", "cache", "--workers", "single"), "contradict each other"),
    ],
)
def test_a_layout_that_is_none_is_refused(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(up, [*options, "--data-dir", str(tmp_path)], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert said in result.stderr
    assert list(tmp_path.iterdir()) == []
