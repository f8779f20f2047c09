"""The encoder of all-MiniLM-L6-v2 as an ONNX graph, built from its tensors: one text's word pieces in, its vector and theirs out.

The graph takes one text and no padding. So there is no mask, nothing is computed for nothing, and a text's int8
activations are scaled by that text alone: its vector can't depend on what it is embedded with. Token types are all 0;
their row is added to the positions when the graph is built.

How int8 comes about:

- Weights: one scale per output, small enough that no processor saturates; see `quantize_columns`.
- Word embeddings: one scale per word.
- Hidden states, before attention and before the feed-forward network: one scale per text, after the channels that stick
  out are divided, and their weights multiplied, by a power of two (Xiao et al. 2022, SmoothQuant, arXiv:2211.10438).
- Mixed values, after attention: one scale per text.
- Activations after GELU: one scale per word piece, as single pieces stick out. GELU's lower bound is known, so almost
  the whole range of a byte is left for what is positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from ken.models.weights import DIMENSIONS, MAX_TOKENS, Tensors

LAYERS = 6
HEADS = 12
EPSILON = 1e-12

OUTLIERS = (63, 99, 127, 157, 223, 319, 338)
"""Channels of the hidden states whose maxima over 100 texts stick out: 2 to 15 times the median channel's, from layer to layer."""
OUTLIER_DIVISOR = 4.0

GELU_MINIMUM = -0.17
"""GELU's lowest value, rounded down."""
GELU_SCALE = (1 - GELU_MINIMUM) / 255
"""A word piece's activations are divided by their maximum (1 at least), so they lie in [GELU_MINIMUM, 1]."""
GELU_ZERO = math.ceil(-GELU_MINIMUM / GELU_SCALE)

_FUSED = "com.microsoft"
_TINY = np.float32(1e-12)


def build_graph(tensors: Tensors, *, precision: Literal["int8", "float32"]) -> ModelProto:
    """Build the encoder: `ids` int64 (tokens,) with [CLS] and [SEP] → `vector` float32 (384,), of unit length.

    A second output, `states` float32 (tokens, 384), are the vectors of the word pieces, whose normalised mean `vector` is.
    BERT: Devlin et al. 2019 (arXiv:1810.04805), post-norm, exact GELU. Mean pooling: Reimers and Gurevych 2019
    (arXiv:1908.10084). "float32" is the reference that int8 is measured against.
    """
    graph = _Int8Graph(tensors) if precision == "int8" else _Graph(tensors)
    states = graph.embeddings()
    for layer in range(LAYERS):
        states = graph.layer(states, f"encoder.layer.{layer}.")
    rows = graph.constant("rows", np.array([0]))
    graph.nodes.append(helper.make_node("Squeeze", [states, rows], ["states"], name="states"))
    mean = graph.add("ReduceMean", states, graph.constant("tokens", np.array([0, 1])), keepdims=0)
    graph.nodes.append(helper.make_node("LpNormalization", [mean], ["vector"], name="vector", axis=0, p=2))
    return graph.model()


def quantize_columns(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantise symmetrically with one scale per output: `weight` (in, out) ≈ int8 (in, out) * scale (out,).

    Processors without VNNI multiply uint8 activations with int8 weights by an instruction that adds two neighbouring
    products in int16 and saturates. The scale keeps each such pair of weights within 128, and 255 * 128 < 2**15: the
    sums are exact everywhere. It costs 0.35 bits on average; weights of 7 bits, the usual way, cost a whole one.
    """
    largest = np.abs(weight).max(axis=0)
    pair = np.abs(weight[0::2] + weight[1::2]).max(axis=0)
    scale = (np.maximum(np.maximum(largest, pair), _TINY) / 127).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale


@dataclass(frozen=True, slots=True)
class _Dense:
    """A layer's weight (in, out) and bias (out,), and the name for its constants."""

    name: str
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


class _Graph:
    """The float32 graph in the making: nodes, and constants by name."""

    def __init__(self, tensors: Tensors) -> None:
        self.nodes: list[NodeProto] = []
        self._tensors = tensors
        self._constants: dict[str, TensorProto] = {}

    def tensor(self, name: str) -> NDArray[np.float32]:
        return self._tensors[name].astype(np.float32, copy=False)

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: float) -> str:
        return self.add_many(operator, *inputs, outputs=1, domain=domain, **attributes)[0]

    def add_many(self, operator: str, *inputs: str, outputs: int, domain: str = "", **attributes: float) -> list[str]:
        name = f"{operator}_{len(self.nodes)}"
        values = [f"{name}:{index}" for index in range(outputs)]
        node = helper.make_node(operator, inputs, values, name=name, domain=domain)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return values

    def embeddings(self) -> str:
        """Add words and positions and normalise: (1, tokens, 384)."""
        table = self.tensor("embeddings.position_embeddings.weight")[:MAX_TOKENS]
        table = self.constant("positions", table + self.tensor("embeddings.token_type_embeddings.weight")[0])
        first = self.constant("first", np.array([0]))
        positions = self.add("Slice", table, first, self.add("Shape", "ids"), first)
        rows = self.add("Add", self.words(self.tensor("embeddings.word_embeddings.weight")), positions)
        return self.normalise(self.add("Unsqueeze", rows, first), "embeddings.LayerNorm")

    def layer(self, states: str, prefix: str) -> str:
        """Add one encoder layer: (1, tokens, 384) → the same."""
        mixed = self.linear(self.attention(states, prefix), self.dense(prefix + "attention.output.dense"))
        states = self.normalise(self.add("Add", mixed, states), prefix + "attention.output.LayerNorm")
        wide = self.linear_of_states(states, self.dense(prefix + "intermediate.dense"))
        narrow = self.linear_of_gelu(self.add("Gelu", wide), self.dense(prefix + "output.dense"))
        return self.normalise(self.add("Add", narrow, states), prefix + "output.LayerNorm")

    def attention(self, states: str, prefix: str) -> str:
        parts = [self.dense(f"{prefix}attention.self.{part}") for part in ("query", "key", "value")]
        weight = np.concatenate([part.weight for part in parts], axis=1)
        bias = np.concatenate([part.bias for part in parts])
        joint = self.linear_of_states(states, _Dense(prefix + "attention.self", weight, bias))
        projections = self.add_many("Split", joint, outputs=3, axis=-1, num_outputs=3)
        return self.add("Attention", *projections, q_num_heads=HEADS, kv_num_heads=HEADS)

    def dense(self, name: str) -> _Dense:
        return _Dense(name, self.tensor(name + ".weight").T, self.tensor(name + ".bias"))

    def normalise(self, states: str, name: str) -> str:
        # SkipLayerNormalization, which would take the sum's two sides, runs six times slower than Add and this.
        weight = self.constant(name + ".weight", self.tensor(name + ".weight"))
        bias = self.constant(name + ".bias", self.tensor(name + ".bias"))
        return self.add("LayerNormalization", states, weight, bias, axis=-1, epsilon=EPSILON)

    def words(self, table: NDArray[np.float32]) -> str:
        return self.add("Gather", self.constant("words", table), "ids")

    def linear(self, inputs: str, dense: _Dense) -> str:
        product = self.add("MatMul", inputs, self.constant(dense.name + ".weight", dense.weight))
        return self.add("Add", product, self.constant(dense.name + ".bias", dense.bias))

    def linear_of_states(self, states: str, dense: _Dense) -> str:
        return self.linear(states, dense)

    def linear_of_gelu(self, wide: str, dense: _Dense) -> str:
        return self.linear(wide, dense)

    def model(self) -> ModelProto:
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"])
        vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [DIMENSIONS])
        states = helper.make_tensor_value_info("states", TensorProto.FLOAT, ["tokens", DIMENSIONS])
        constants = list(self._constants.values())
        graph = helper.make_graph(self.nodes, "all-MiniLM-L6-v2", [ids], [vector, states], constants)
        opsets = [helper.make_opsetid("", 23), helper.make_opsetid(_FUSED, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=11, producer_name="ken")


class _Int8Graph(_Graph):
    """The same graph with int8 weights."""

    def words(self, table: NDArray[np.float32]) -> str:
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), _TINY) / 127
        rows = self.add("Gather", self.constant("words", np.rint(table / scale).astype(np.int8)), "ids")
        scales = self.add("Gather", self.constant("words.scale", scale), "ids")
        return self.add("Mul", self.add("Cast", rows, to=TensorProto.FLOAT), scales)

    def linear(self, inputs: str, dense: _Dense) -> str:
        values, scale = quantize_columns(dense.weight)
        constants = [self.constant(dense.name + ".weight", values), self.constant(dense.name + ".scale", scale)]
        constants += ["", self.constant(dense.name + ".bias", dense.bias)]
        return self.add("DynamicQuantizeMatMul", inputs, *constants, domain=_FUSED)

    def linear_of_states(self, states: str, dense: _Dense) -> str:
        divisors = np.ones(DIMENSIONS, np.float32)
        divisors[list(OUTLIERS)] = OUTLIER_DIVISOR
        evened = self.add("Mul", states, self.constant("evening", 1 / divisors))
        return self.linear(evened, replace(dense, weight=dense.weight * divisors[:, None]))

    def linear_of_gelu(self, wide: str, dense: _Dense) -> str:
        values, scale = quantize_columns(dense.weight)
        largest = self.add("ReduceMax", wide, self.constant("channels", np.array([-1])))
        largest = self.add("Max", largest, self.constant("one", np.array(1, np.float32)))
        unit = self.constant("gelu.scale", np.array(GELU_SCALE, np.float32))
        zero = self.constant("gelu.zero", np.array(GELU_ZERO, np.uint8))
        small = self.add("Mul", wide, self.add("Reciprocal", largest))
        inputs = [self.add("QuantizeLinear", small, unit, zero), self.constant(dense.name + ".weight", values), unit]
        inputs += [self.constant(dense.name + ".scale", scale), zero]
        product = self.add("Mul", self.add("MatMulIntegerToFloat", *inputs, domain=_FUSED), largest)
        return self.add("Add", product, self.constant(dense.name + ".bias", dense.bias))
