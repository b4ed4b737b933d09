"""The encoder's lower part as a graph of its own says what the model itself says, whatever is read beside a text."""

import hashlib
from functools import cache
from typing import Any

import numpy as np
import onnxruntime
import pytest

from forebay_agents.embeddings import unpacked
from forebay_agents.redaction.detection.names.encoder.fused import RANGES, REVISION, fused
from forebay_agents.redaction.detection.names.encoder.layer import HEADS, LAYERS, third_layer
from forebay_agents.redaction.detection.names.encoder.protobuf import fields, message, written
from forebay_agents.redaction.training.ranges import MOST, measured
from tests.data.kinds import texts

_OUTPUT = "/encoder/layer.2/output/LayerNorm/Add_1_output_0"
_GRAPH, _OUTPUTS = 7, 12


@cache
def _model() -> bytes:
    return (unpacked("minilm", "all-minilm-l6-v2-q") / "model.onnx").read_bytes()


def _unoptimised(model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _with_third_layer_shown(model: bytes) -> bytes:
    """The whole model with one output more."""
    pieces = []
    for number, wire, body in fields(model):
        shown = written(_OUTPUTS, message({1: _OUTPUT})) if number == _GRAPH else b""
        pieces.append(written(number, body + shown) if wire == 2 else written(number, body, wire))
    return b"".join(pieces)


def _some(count: int) -> list[int]:
    return [int(piece) for piece in np.random.default_rng(count).integers(1_000, 20_000, count)]


@pytest.mark.parametrize("count", [1, 17, 110])
def test_the_vectors_are_nearly_the_models(count: int) -> None:
    ids = np.array([[101, *_some(count), 102]])
    whole = _unoptimised(_with_third_layer_shown(_model()))
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    expected = whole.run([_OUTPUT], feeds)[0][0, 1:-1]
    [vectors] = third_layer().vectors([_some(count)], [range(count)])
    # Both are some thousandths away from full precision, in different ways.
    assert _alike(vectors, expected) > 0.98


def test_a_text_reads_the_same_beside_others() -> None:
    together = [_some(count) for count in (1, 2, 9, 10, 10, 11, 12, 40, 44, 45, 119, 120, 121, 300)] + [[], _some(5)]
    wanted = [[place for place in range(len(ids)) if place % 4 != 1] for ids in together]
    wanted[-1] = []
    for ids, places, vectors in zip(together, wanted, third_layer().vectors(together, wanted), strict=True):
        [alone] = third_layer().vectors([ids], [range(len(ids))])
        assert vectors.shape == (len(places), 384)
        assert alone.shape == (len(ids), 384)
        np.testing.assert_allclose(vectors, alone[places], atol=1e-4)


def test_the_ranges_hold_for_texts_that_they_were_not_measured_on() -> None:
    seen = measured([row.text for row in texts()])
    for (low, high), (found_low, found_high) in zip(RANGES, seen, strict=True):
        assert -MOST <= low < 0 < high <= MOST
        assert found_low > 1.25 * low
        assert found_high < 1.25 * high


def test_sums_of_two_products_fit_into_sixteen_bits() -> None:
    model = _first_product(fused(_model(), LAYERS, HEADS, RANGES))
    assert np.abs(model.astype(int)).max() == 63
    assert 2 * 255 * 63 < 1 << 15


def _first_product(model: bytes) -> Any:
    """The first matrix of signed bytes."""
    for number, _, body in fields(model):
        for part, _, tensor in fields(body) if number == _GRAPH else ():
            found = {field: value for field, _, value in fields(tensor)} if part == 5 else {}
            if found.get(2) == b"\x03":
                return np.frombuffer(found[9], np.int8)
    raise AssertionError("no matrix")


def _alike(some: Any, others: Any) -> float:
    """The least cosine of two vectors of one place."""
    norms = np.linalg.norm(some, axis=1) * np.linalg.norm(others, axis=1)
    return float(((some * others).sum(axis=1) / norms).min())


def test_another_graph_is_kept_under_another_name() -> None:
    made = hashlib.sha256(fused(_model(), LAYERS, HEADS, RANGES)).hexdigest()[:8]
    assert (REVISION, made) == (3, "b5539db9"), "raise REVISION: finished graphs are kept by it"
