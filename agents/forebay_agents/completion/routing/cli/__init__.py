"""``forebay tiers``: replay, train and calibrate the choice of a tier."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forebay.cli.explaining import explained
from forebay.cli.terminal.bars import Bar
from forebay.cli.terminal.saying import complain, print_json, say
from forebay.cli.terminal.tables import print_table
from forebay_agents.completion.routing.cli.status import status

if TYPE_CHECKING:
    from forebay.operations.audit.recording import Recorder
    from forebay_agents.completion.routing.offline.rows import Row

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Replay, train and calibrate the choice of a tier.")

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
File = Annotated[str, typer.Argument(help="JSON lines; - is standard input.", metavar="FILE")]

Folder = Annotated[
    Path | None, typer.Option(help="Where versions are kept.", show_default="completion.router_folder of the settings")
]


app.command("status", help="Breakers, limits, errors, latency and cost of each deployment; the router's version.")(
    status
)


@app.callback()
def main() -> None:
    """So that ``simulate`` stays a subcommand."""


@app.command(help="Replay recorded answers {prompt?, models: {name: {answer?, correct, cost, confidence?}}}, offline.")
def simulate(
    file: File,
    tiers: Annotated[str, typer.Option(help="Models to use, comma-separated; all by default.")] = "",
    folds: Annotated[int, typer.Option(min=2, max=50, help="Folds of the cross-validation.")] = 5,
    quality_floor: Annotated[
        float | None, typer.Option(help="Mean quality to reach; by default that of the best model alone.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Exit status 1 when a line could not be read (the report is of the others), 2 when there is no report."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _needs_sklearn()
    from forebay_agents.completion.routing.offline.rows import table
    from forebay_agents.completion.routing.offline.simulate import simulate as run

    rows, bad = _rows(file)
    try:
        with _progress("replaying") as progress:
            found = run(
                table(rows, [name.strip() for name in tiers.split(",") if name.strip()] or None),
                folds=folds,
                floor=quality_floor,
                progress=progress,
            )
    except ValueError as error:
        complain(error)
        raise typer.Exit(2) from None
    if as_json:
        print_json(found)
    else:
        _show(found)
    if bad:
        raise typer.Exit(1)


@app.command(help="Learn router and confidence from judged rows (as simulate reads them); a new version, used at once.")
def train(file: File, folder: Folder = None, as_json: Json = False) -> None:
    """Exit status 1 when a line could not be read, 2 when nothing could be learnt."""
    _learn(file, folder, as_json, router=True)


@app.command(help="Learn the confidence curves alone; the router of the current version stays.")
def calibrate(file: File, folder: Folder = None, as_json: Json = False) -> None:
    """Exit status as for ``train``."""
    _learn(file, folder, as_json, router=False)


@app.command(help="Versions, oldest first; the current one is marked.")
def versions(folder: Folder = None, as_json: Json = False) -> None:
    """Reads the folder only."""
    from forebay_agents.completion import operations

    for one in operations.versions(_kept_in(folder)):
        print_json(one) if as_json else say(f"{one.version}{'  current' if one.current else ''}")


@app.command(help="Make an older version the current one; before the first one comes the heuristic.")
def rollback(
    version: Annotated[
        str, typer.Argument(help='By default the one before the current one; "heuristic": nothing that was learnt.')
    ] = "",
    folder: Folder = None,
) -> None:
    """Exit status 2 when there is no such version, or nothing before the current one."""
    from forebay_agents.completion import operations
    from forebay_agents.completion.routing.model import ModelError

    try:
        with explained():
            current = operations.roll_back(_kept_in(folder), _recorder(folder), version)
    except ModelError as error:
        complain(error)
        raise typer.Exit(2) from None
    say(f"current: {current}")


def _kept_in(folder: Path | None) -> Path:
    """``folder``, or where the workers of this configuration look."""
    if folder is not None:
        return folder
    from forebay.settings import ConfigurationError, load
    from forebay_agents.completion.settings import CompletionSettings

    try:
        return load()[CompletionSettings].router_folder
    except ConfigurationError as error:
        complain(error)
        raise typer.Exit(2) from None


def _recorder(folder: Path | None) -> "Recorder":
    """What workers use is written down in the audit trail; a folder of one's own is nobody's business."""
    from forebay.embedded.installation import installation
    from forebay.operations.audit.opening import recorder
    from forebay.operations.audit.recording import unrecorded

    own = folder is not None and folder.absolute() != _kept_in(None).absolute()
    if own:
        return unrecorded
    return recorder(installation())


def _learn(file: str, folder: Path | None, as_json: bool, *, router: bool) -> None:
    _needs_sklearn()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from forebay_agents.completion import operations

    rows, bad = _rows(file)
    try:
        with explained():
            found = operations.learn(_kept_in(folder), rows, _recorder(folder), router=router)
    except ValueError as error:
        complain(error)
        raise typer.Exit(2) from None
    if as_json:
        print_json(found)
    else:
        say(f"version {found.version}, {found.rows} rows, in {found.file}")
        for part, curves in (("router", found.router), ("confidence", found.confidence)):
            for tier, one in curves.items():
                say(f"{part} {tier}: {one.rows} rows, ECE {one.ece:.3f} (uncalibrated {one.ece_before:.3f})")
    if bad:
        raise typer.Exit(1)


def _show(found: dict[str, Any]) -> None:
    rows = []
    for policy in found["policies"]:
        calls = ", ".join(f"{name} {share:.0%}" for name, share in policy["calls"].items() if share > 0)
        rows.append((policy["name"], f"{policy['quality']:.4f}", f"{policy['cost']:.6g}", calls))
    title = f"{found['rows']} rows, {found['folds']} folds"
    print_table(("policy", "quality", "cost", "calls"), rows, title=title)
    floor, tuned = found["quality_floor"], found["policies"][-1]["quality"]
    if floor is not None and tuned < floor:
        say(f"the quality floor of {floor:g} was not reached: {tuned:.4f}")
    saving = found["saving_at_equal_quality"]
    low, high = saving["ci95"]
    say(f"saving at the best model's quality: {saving['value']:.1%} (95 %: {low:.1%} to {high:.1%})")
    say(f"cheap calls whose answer was not served: {found['wasted_cheap_calls']:.1%}")


def _rows(file: str) -> "tuple[list[Row], int]":
    from forebay_agents.completion.routing.offline.rows import read

    bad = 0

    def refuse(number: int, reason: str) -> None:
        nonlocal bad
        bad += 1
        error = {"line": number, "error": {"code": "invalid_row", "message": reason}}
        print_json(error, err=True)

    if file == "-":
        return read((raw.decode("utf-8", "replace") for raw in sys.stdin.buffer), refuse), bad
    if not Path(file).is_file():
        complain(f"there is no file {file}")
        raise typer.Exit(2)
    with Path(file).open(encoding="utf-8", errors="replace") as stream:
        return read(stream, refuse), bad


def _needs_sklearn() -> None:
    import importlib.util

    if importlib.util.find_spec("sklearn") is None:  # before anything that only the extra `server` has
        raise ModuleNotFoundError(name="sklearn")


@contextmanager
def _progress(what: str) -> "Iterator[Any]":
    with Bar(what, 1.0, stays=False, counts=False) as bar:
        yield lambda share: bar.update(done=share)
