"""Where built graphs are kept: one folder for each, made whole or not at all, and checked before every use."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from ken.errors import ModelUnavailable
from ken.models.weights import WEIGHTS_SHA256, ModelFiles, find_model, read_tensors, sha256

Precision = Literal["int8", "float32"]

GRAPH_VERSION = 3
"""Raised by every change of the graph or of its vectors; it is part of the embedder's name, and so of the index's."""

_FILES = ("encoder.onnx", "encoder.bin", "tokenizer.json")
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class BuiltGraph:
    """A graph that is ready to be loaded. Its weights lie beside it in encoder.bin, so that the runtime maps them."""

    name: str
    encoder: Path
    tokenizer: Path


def built_graph(
    cache: Path, *, precision: Precision, folder: Path | None = None, allow_download: bool = False
) -> BuiltGraph:
    """Return the graph kept in `cache` if it is whole, else build it from the model's published files (about 1 s).

    Whole means that its manifest names the published weights and the digests that its files have now. Several processes
    may build at once. Raises ModelUnavailable if the model isn't found, is not the published one, or can't be kept.
    """
    name = f"all-MiniLM-L6-v2-{precision}-{GRAPH_VERSION}"
    home = cache / name
    if not _is_whole(home):
        files = find_model(folder, allow_download=allow_download)
        files.check()
        try:
            _build(files, home, precision=precision)
        except OSError as error:
            raise ModelUnavailable(
                f"The embedder's graph can't be kept in {str(home)!r}: {error}. Make the folder writable, with 200 MB free"
            ) from error
    return BuiltGraph(name=name, encoder=home / "encoder.onnx", tokenizer=home / "tokenizer.json")


def _is_whole(home: Path) -> bool:
    try:
        manifest = cast("dict[str, str]", json.loads((home / _MANIFEST).read_text("utf-8")))
        return manifest == _manifest(home)
    except (OSError, ValueError):
        return False


def _manifest(home: Path) -> dict[str, str]:
    return {"model.safetensors": WEIGHTS_SHA256} | {name: sha256(home / name) for name in _FILES}


def _build(files: ModelFiles, home: Path, *, precision: Precision) -> None:
    # Imported here because only a build needs onnx, which costs 20 MB of memory.
    import onnx  # noqa: PLC0415

    from ken.models.bert_graph import build_graph  # noqa: PLC0415

    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".building-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        model = build_graph(read_tensors(files.weights), precision=precision)
        onnx.save_model(model, made / "encoder.onnx", save_as_external_data=True, location="encoder.bin")
        (made / "encoder.bin").chmod(0o644)  # onnx lets only its owner read it
        shutil.copyfile(files.tokenizer, made / "tokenizer.json")
        (made / _MANIFEST).write_text(json.dumps(_manifest(made), indent=1), "utf-8")
        for path in [*made.iterdir(), made]:
            _flush(path)
        _publish(made, home, discarded=Path(scratch) / "discarded")
    _flush(home.parent)


def _publish(made: Path, home: Path, *, discarded: Path) -> None:
    if home.exists() and not _is_whole(home):
        home.rename(discarded)
    try:
        made.rename(home)
    except OSError:
        # Somebody else has built it in the meantime, which is as good.
        if not _is_whole(home):
            raise


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
