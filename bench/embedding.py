"""The local embedder beside sentence-transformers on torch, in one run: texts a second, and one question's latency.

    python bench/embedding.py --peer-python PEER/bin/python

The peer is another environment with torch and sentence-transformers, so that Ken's own needs neither:

    python -m venv PEER && PEER/bin/pip install torch sentence-transformers

Both get the same weights, texts and number of threads, and take turns, so that whatever else the machine does falls on
both; medians over the rounds. Without --peer-python only Ken's figures are printed.

With --reference FILE the peer's vectors of the texts in FILE are written back into it; that is how
tests/models/minilm_reference.json was made.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from ken.models.minilm import MiniLM
from ken.models.weights import DIMENSIONS, find_model

HANDBOOK = Path(__file__).parents[1] / "examples" / "handbook"
QUESTION = "How many days of annual leave do I get?"
TOKENS = 120
TEXTS = 64
THREADS = 2

PEER = """
import base64, json, sys, time
import numpy, sentence_transformers, torch, transformers
torch.set_num_threads(int(sys.argv[2]))
model = sentence_transformers.SentenceTransformer(sys.argv[1], device="cpu")
versions = [f"{library.__name__} {library.__version__}" for library in (sentence_transformers, transformers, torch)]
print(json.dumps(versions), flush=True)
for line in sys.stdin:
    order = json.loads(line)
    start = time.perf_counter()
    for _ in range(order["repeat"]):
        vectors = model.encode(order["texts"], batch_size=32, show_progress_bar=False)
    seconds = time.perf_counter() - start
    data = base64.b64encode(numpy.asarray(vectors, dtype="<f4").tobytes()).decode()
    print(json.dumps({"seconds": seconds, "vectors": data}), flush=True)
"""

Embed = Callable[[Sequence[str], int], tuple[float, NDArray[np.float32]]]


class Peer:
    """sentence-transformers in an interpreter of its own, idle between orders."""

    def __init__(self, python: Path) -> None:
        command = [str(python), "-c", PEER, str(find_model().weights.parent), str(THREADS)]
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.versions = cast("list[str]", self._read())

    def embed(self, texts: Sequence[str], repeat: int) -> tuple[float, NDArray[np.float32]]:
        """Embed all texts `repeat` times; the seconds that took, and the vectors."""
        orders = cast("IO[str]", self._process.stdin)
        orders.write(json.dumps({"texts": list(texts), "repeat": repeat}) + "\n")
        orders.flush()
        answer = cast("dict[str, str | float]", self._read())
        vectors = np.frombuffer(base64.b64decode(cast("str", answer["vectors"])), "<f4")
        return cast("float", answer["seconds"]), vectors.reshape(-1, DIMENSIONS)

    def close(self) -> None:
        """End the interpreter."""
        self._process.communicate()

    def _read(self) -> object:
        line = cast("IO[str]", self._process.stdout).readline()
        assert line, "the peer ended: is sentence-transformers installed there?"
        return json.loads(line)


def ours(model: MiniLM) -> Embed:
    """Ken's embedder, called as the peer is."""

    def embed(texts: Sequence[str], repeat: int) -> tuple[float, NDArray[np.float32]]:
        start = time.perf_counter()
        vectors = [model.embed_now(texts) for _ in range(repeat)][-1]
        return time.perf_counter() - start, vectors

    return embed


def passages(model: MiniLM) -> list[str]:
    """Cut the example handbook into texts of 120 word pieces, [CLS] and [SEP] included."""
    handbook = "\n".join(path.read_text("utf-8") for path in sorted(HANDBOOK.rglob("*.md")))
    spans = model.offsets(handbook)
    size = TOKENS - 2
    starts = range(0, len(spans) - size, size)
    texts = [handbook[spans[start][0] : spans[start + size - 1][1]] for start in starts]
    assert len(texts) >= TEXTS, "the example handbook is too short"
    return texts[:TEXTS]


def measure(contenders: Sequence[Embed], texts: Sequence[str], *, rounds: int) -> list[tuple[float, float]]:
    """Let the contenders take turns; for each the median texts a second, and the median milliseconds of a question."""
    seconds: list[list[tuple[float, float]]] = [[] for _ in contenders]
    for embed in contenders:
        embed(texts[:8], 1)
        embed([QUESTION], 5)
    for _ in range(rounds):
        for embed, row in zip(contenders, seconds, strict=True):
            time.sleep(0.3)  # torch's threads spin for a while after their work
            row.append((embed(texts, 1)[0] / len(texts), embed([QUESTION], 20)[0] / 20))
    medians = [
        (statistics.median(bulk for bulk, _ in row), statistics.median(one for _, one in row)) for row in seconds
    ]
    return [(1 / bulk, one * 1000) for bulk, one in medians]


def write_reference(peer: Peer, path: Path) -> None:
    """Write the peer's vectors of the texts in `path` beside them, as little-endian float32 in base64."""
    reference = json.loads(path.read_text("utf-8"))
    _, vectors = peer.embed(reference["texts"], 1)
    reference |= {"made_by": peer.versions, "vectors": base64.b64encode(vectors.tobytes()).decode()}
    path.write_text(json.dumps(reference, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main() -> None:
    """Print one row of a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, help="the interpreter of an environment with sentence-transformers")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--reference", type=Path, help="write the peer's vectors of this file's texts into it, and stop"
    )
    options = parser.parse_args()
    peer = Peer(options.peer_python) if options.peer_python else None
    if options.reference:
        assert peer, "--reference needs --peer-python"
        write_reference(peer, options.reference)
        return
    with tempfile.TemporaryDirectory() as cache:
        model = MiniLM(Path(cache), threads=THREADS)
        texts = passages(model)
        contenders = [ours(model), *([peer.embed] if peer else [])]
        print("| embedder | texts/s (120 tokens, 2 threads) | one question | cosine with the peer, mean, least |")
        print("|---|---:|---:|---:|")
        rows = measure(contenders, texts, rounds=options.rounds)
        (rate, latency), alike = rows[0], "-"
        if peer:
            cosines = (model.embed_now(texts) * peer.embed(texts, 1)[1]).sum(axis=1)
            alike = f"{cosines.mean():.4f}, {cosines.min():.4f}"
        print(f"| {model.name} | {rate:.0f} | {latency:.1f} ms | {alike} |")
        if peer:
            peer_rate, peer_latency = rows[1]
            print(f"| {', '.join(peer.versions)} | {peer_rate:.0f} | {peer_latency:.1f} ms | 1 |")
            print(f"| ratio | {rate / peer_rate:.2f} | {latency / peer_latency:.2f} | |")
            peer.close()
        else:
            print("\nWithout the peer: name an interpreter that has sentence-transformers with --peer-python.")


if __name__ == "__main__":
    main()
