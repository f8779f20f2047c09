"""The BERT encoder of all-MiniLM-L6-v2 as an ONNX graph, built from its tensors: word pieces of one text in, one vector out.

The graph takes one text without padding: there is no mask, nothing is computed twice, and the activations' int8 scale is that
text's own, so its vector can't depend on its neighbours. Token types are all 0, so their row is added to the positions here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Precision = Literal["int8", "float32"]

GRAPH_VERSION = 1
"""Counts the changes of the graph that change its vectors."""
MAX_TOKENS = 256
DIMENSIONS = 384

_LAYERS = 6
_HEADS = 12
_EPSILON = 1e-12
_FUSED = "com.microsoft"

Tensors = Mapping[str, NDArray[np.generic]]


def build_graph(tensors: Tensors, *, precision: Precision) -> ModelProto:
    """Build the encoder: `ids` int64 (tokens,) with [CLS] and [SEP] → `vector` float32 (384,), mean-pooled and L2-normalised.

    Architecture: Devlin et al. 2019 (arXiv:1810.04805), post-norm, exact GELU; pooling: Reimers & Gurevych 2019 (arXiv:1908.10084).
    """
    graph = _Graph(tensors, precision)
    states = graph.embeddings()
    for layer in range(_LAYERS):
        states = graph.layer(states, f"encoder.layer.{layer}.")
    mean = graph.add("ReduceMean", states, graph.constant("axes", np.array([0, 1])), keepdims=0)
    graph.nodes.append(helper.make_node("LpNormalization", [mean], ["vector"], name="vector", axis=0, p=2))
    return graph.model()


def quantize_columns(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 with one scale per output: `weight` (in, out) ≈ int8 (in, out) * scale (out,).

    Processors without VNNI multiply uint8 activations with int8 weights by an instruction that adds two neighbouring products in
    int16, saturating. A scale that keeps each such pair of weights within 32,767 / 255 makes that sum exact everywhere; it costs
    far less precision than the usual seven bits.
    """
    largest = np.abs(weight).max(axis=0) / 127
    pair = np.abs(weight[0::2] + weight[1::2]).max(axis=0) / 127
    scale = np.maximum(np.maximum(largest, pair), np.finfo(np.float32).tiny).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale


class _Graph:
    """Nodes and constants in the making. Names of values are unique; names of constants are those of the tensors."""

    def __init__(self, tensors: Tensors, precision: Precision) -> None:
        self.nodes: list[NodeProto] = []
        self._tensors = tensors
        self._precision = precision
        self._constants: dict[str, TensorProto] = {}

    def tensor(self, name: str) -> NDArray[np.float32]:
        return self._tensors[name].astype(np.float32, copy=False)

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.tensor(name))

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        return self.add_many(operator, *inputs, outputs=1, domain=domain, **attributes)[0]

    def add_many(self, operator: str, *inputs: str, outputs: int, domain: str = "", **attributes: object) -> list[str]:
        name = f"{operator}_{len(self.nodes)}"
        values = [f"{name}:{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, values, name=name, domain=domain, **attributes))
        return values

    def embeddings(self) -> str:
        """Word + position + token type 0, normalised: (1, tokens, 384)."""
        words = self.tensor("embeddings.word_embeddings.weight")
        if self._precision == "int8":
            scale = np.abs(words).max(axis=1, keepdims=True) / 127
            table = self.constant(
                "words", np.rint(words / np.maximum(scale, np.finfo(np.float32).tiny)).astype(np.int8)
            )
            rows = self.add("Cast", self.add("Gather", table, "ids"), to=TensorProto.FLOAT)
            rows = self.add("Mul", rows, self.add("Gather", self.constant("words.scale", scale), "ids"))
        else:
            rows = self.add("Gather", self.constant("words", words), "ids")
        places = self.tensor("embeddings.position_embeddings.weight")[:MAX_TOKENS]
        table = self.constant("positions", places + self.tensor("embeddings.token_type_embeddings.weight")[0])
        first = self.constant("first", np.array([0]))
        places = self.add("Slice", table, first, self.add("Shape", "ids"), first)
        return self._add_and_normalise(
            self.add("Unsqueeze", rows, first), self.add("Unsqueeze", places, first), "embeddings.LayerNorm"
        )

    def layer(self, states: str, prefix: str) -> str:
        """One encoder layer, (1, tokens, 384) → the same."""
        mixed = self._dense(self._attention(states, prefix), prefix + "attention.output.dense")
        states = self._add_and_normalise(
            mixed, states, prefix + "attention.output.LayerNorm", bias=prefix + "attention.output.dense.bias"
        )
        wide = self._dense(states, prefix + "intermediate.dense")
        wide = self.add("BiasGelu", wide, self.weight(prefix + "intermediate.dense.bias"), domain=_FUSED)
        narrow = self._dense(wide, prefix + "output.dense")
        return self._add_and_normalise(narrow, states, prefix + "output.LayerNorm", bias=prefix + "output.dense.bias")

    def _attention(self, states: str, prefix: str) -> str:
        parts = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self.tensor(part + ".weight").T for part in parts], axis=1)
        name = prefix + "attention.self"
        bias = self.constant(name + ".bias", np.concatenate([self.tensor(part + ".bias") for part in parts]))
        if self._precision == "float32":
            inputs = [states, self.constant(name + ".weight", weight), bias]
            return self.add("Attention", *inputs, domain=_FUSED, num_heads=_HEADS)
        values, scale = quantize_columns(weight)
        quantized, states_scale, zero = self.add_many("DynamicQuantizeLinear", states, outputs=3)
        weight_zero = self.constant(name + ".zero", np.zeros(len(scale), np.int8))
        inputs = [quantized, self.constant(name + ".weight", values), bias, states_scale]
        inputs += [self.constant(name + ".scale", scale), "", zero, weight_zero]
        return self.add("QAttention", *inputs, domain=_FUSED, num_heads=_HEADS)

    def _dense(self, states: str, name: str) -> str:
        """`states` times the weight; the bias is left to the operator that follows."""
        weight = self.tensor(name + ".weight").T
        if self._precision == "float32":
            return self.add("MatMul", states, self.constant(name + ".weight", weight))
        values, scale = quantize_columns(weight)
        inputs = [states, self.constant(name + ".weight", values), self.constant(name + ".scale", scale)]
        return self.add("DynamicQuantizeMatMul", *inputs, domain=_FUSED)

    def _add_and_normalise(self, states: str, skip: str, norm: str, *, bias: str | None = None) -> str:
        inputs = [states, skip, self.weight(norm + ".weight"), self.weight(norm + ".bias")]
        if bias is not None:
            inputs.append(self.weight(bias))
        return self.add("SkipLayerNormalization", *inputs, domain=_FUSED, epsilon=_EPSILON)

    def model(self) -> ModelProto:
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"])
        vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [DIMENSIONS])
        graph = helper.make_graph(self.nodes, "all-MiniLM-L6-v2", [ids], [vector], list(self._constants.values()))
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(_FUSED, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="ken")
