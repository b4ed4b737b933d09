"""The encoder's lower part as a graph of its own says what the model itself says."""

import hashlib
from functools import cache
from typing import Any

import numpy as np
import onnxruntime
import pytest

from agents.redaction.names.fused import REVISION, fused
from agents.redaction.names.protobuf import fields, message, written
from streams.encoder import unpacked

_OUTPUT = "/encoder/layer.2/output/LayerNorm/Add_1_output_0"
_GRAPH, _OUTPUTS = 7, 12


@cache
def _model() -> bytes:
    return (unpacked("minilm", "all-minilm-l6-v2-q") / "model.onnx").read_bytes()


def _session(model: bytes, *, optimised: bool) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_BASIC if optimised else levels.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _with_third_layer_shown(model: bytes) -> bytes:
    """The whole model with one output more."""
    pieces = []
    for number, wire, body in fields(model):
        shown = written(_OUTPUTS, message({1: _OUTPUT})) if number == _GRAPH else b""
        pieces.append(written(number, body + shown) if wire == 2 else written(number, body, wire))
    return b"".join(pieces)


@pytest.mark.parametrize(("count", "alike"), [(3, 0.9999), (17, 0.9999), (120, 0.99)])
def test_the_vectors_are_the_models(count: int, alike: float) -> None:
    ids = np.random.default_rng(count).integers(1_000, 20_000, (1, count))
    whole = _session(_with_third_layer_shown(_model()), optimised=False)
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    expected = whole.run([_OUTPUT], feeds)[0]
    own = _session(fused(_model(), 3, 12), optimised=True)
    vectors = own.run(None, {"ids": ids, "positions": np.arange(count)})[0]
    # Sums are added up in another order, and a number at the border of two quanta may fall to the other side:
    # rare in a short text.
    assert _alike(vectors[0], expected[0]) > alike


def _alike(some: Any, others: Any) -> float:
    """The least cosine of two vectors of one place."""
    norms = np.linalg.norm(some, axis=1) * np.linalg.norm(others, axis=1)
    return float(((some * others).sum(axis=1) / norms).min())


def test_another_graph_is_kept_under_another_name() -> None:
    made = hashlib.sha256(fused(_model(), 3, 12)).hexdigest()[:8]
    assert (REVISION, made) == (2, "d67f04eb"), "raise REVISION: finished graphs are kept by it"
