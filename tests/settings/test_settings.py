"""Where a setting comes from, and what is said of one that can't be used."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from ken.domain.usage import Usage
from ken.errors import InvalidSetting
from ken.settings import Settings, load
from ken.wiring import open_home
from tests.assistant.corpus import copy

KEY = "sk-planted-0123456789abcdef"
ENDPOINT = 'base_url = "https://api.example/v1"\nmodel = "m-1"\n'
MODEL = 'name = "gpt"\nbase_url = "https://api.example.com/v1"\nmodel = "gpt-4o-mini"\n'


def write(home: Path, text: str | bytes) -> Path:
    """A home with this ken.toml."""
    home.mkdir(exist_ok=True)
    (home / "ken.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    return home


def refusal(home: Path, text: str | bytes = "", **flags: object) -> str:
    """What is said of settings that can't be used; nothing of it, its causes included, holds the key."""
    with pytest.raises(InvalidSetting) as raised:
        load(write(home, text), **flags)
    assert KEY not in "".join(traceback.format_exception(raised.value))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_without_anything_the_defaults_hold(home: Path) -> None:
    """A home that isn't there yet has settings, too."""
    settings = load(home)
    assert settings == Settings(home=home.absolute())
    assert (settings.host, settings.port, settings.default_model, settings.models) == (
        "127.0.0.1",
        8000,
        "extractive",
        (),
    )


def test_a_flag_comes_before_the_environment_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source hides those after it, setting by setting."""
    write(home, "port = 8001\npassages = 4\nhistory_turns = 2\n")
    assert (load(home).port, load(home).passages) == (8001, 4)
    monkeypatch.setenv("KEN_PORT", "8002")
    monkeypatch.setenv("KEN_HISTORY_TURNS", "3")
    assert (load(home).port, load(home).history_turns, load(home).passages) == (8002, 3, 4)
    assert (load(home, port=8003).port, load(home, port=None).port) == (8003, 8002)


def test_the_home_is_named_by_flag_environment_or_default(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that is given wins over KEN_HOME, which wins over ~/.ken; paths are made absolute."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load().home == tmp_path / ".ken"
    monkeypatch.setenv("KEN_HOME", "~/elsewhere")
    assert load().home == tmp_path / "elsewhere"
    write(tmp_path / "elsewhere", "port = 8009")
    assert load().port == 8009
    assert load(home).home == home
    monkeypatch.chdir(tmp_path)
    assert load(Path("near")).home == tmp_path / "near"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("prot = 1", ["'prot'", "ken.toml", "no such setting"]),
        ('[search]\nsynonyms = [["vacation"]]', ["'search.synonyms'", "two words or more"]),
        ('[search]\nsynonyms = [["vacation", "the"]]', ["'search.synonyms'", "two words or more"]),
        ("[search]\nfeedback = -1", ["'search.feedback'"]),
        ('[search]\nchunker = "pages"', ["'search.chunker'", "'structural'", "'semantic'"]),
        ("[search]\nchunk_tokens = 5", ["'search.chunk_tokens'", "20"]),
        ("[search]\nchunk_overlap = 0.4", ["'search'", "0 to 0.2", "'structural'"]),
        ('[search]\nchunker = "sliding"\nchunk_overlap = -0.1', ["'search'", "0 to 0.9", "'sliding'"]),
        ('[search]\nfusion = "max"', ["'search.fusion'", "'rrf'"]),
        ('port = "many"', ["'port'", "whole number"]),
        ("port = 0", ["'port'", "greater than or equal to 1"]),
        ("passages = 21", ["'passages'", "less than or equal to 20"]),
        ("deadline_s = -1", ["'deadline_s'", "greater than 0"]),
        ('cache = "perhaps"', ["'cache'", "true or false"]),
        ("max_question_chars = 5", ["'max_question_chars'"]),
        ("port = = 1", ["not valid TOML", "line 1"]),
        ("port = 8000\nport = 8001", ["not valid TOML"]),
        (b"\xff\xfe\x00", ["UTF-8"]),
        ('home = "elsewhere"', ["`home`", "--home"]),
        ('default_model = "gpt-9"', ["'gpt-9'", "extractive"]),
        ("[models]\n" + MODEL, ["'models'"]),
        ("models = 7", ["'models'"]),
        ("[[models]]\n" + MODEL + "[[models]]\n" + MODEL, ["differ", "'gpt'"]),
        ("[[models]]\n" + MODEL.replace('"gpt"', '"extractive"'), ["'extractive'"]),
        ("[[models]]\n" + MODEL.replace('"gpt"', '"ken"'), ["'ken'"]),
        ("[[models]]\n" + MODEL.replace('"gpt"', '""'), ["models.0.name"]),
        ("[[models]]\n" + MODEL.replace("https", "ftp"), ["models.0.base_url"]),
        ("[[models]]\n" + MODEL.replace('model = "gpt-4o-mini"', ""), ["models.0.model", "missing"]),
        ("[[models]]\n" + MODEL + "temperature = 1", ["models.0.temperature", "no such setting"]),
        (
            "[[models]]\n" + MODEL + "context_tokens = 8192\nmax_tokens = 8000",
            ["models.0", "max_tokens", "context_tokens"],
        ),
        ("[[models]]\n" + MODEL + "context_tokens = 100", ["models.0.context_tokens"]),
        ("[[models]]\n" + MODEL + 'api_key_env = "NO_SUCH_VARIABLE"', ["'gpt'", "'NO_SUCH_VARIABLE'", "Set it"]),
        ('embedder = "minilm"', ["'embedder'", "table"]),
        ("[embedder]\nfirst_pass_dimensions = 64", ["embedder.base_url", "missing"]),
        (
            "[embedder]\n" + ENDPOINT + "dimensions = 64\nfirst_pass_dimensions = 64",
            ["first_pass_dimensions is smaller"],
        ),
        ("[embedder]\n" + ENDPOINT + "batch_size = 0", ["embedder.batch_size"]),
        (
            "[embedder]\n" + ENDPOINT + 'api_key_env = "NO_SUCH_VARIABLE"',
            ["[embedder]", "'NO_SUCH_VARIABLE'", "Set it"],
        ),
        ("[embedder]\n" + ENDPOINT.replace("https://", "https://a:b@"), ["embedder", "an address alone"]),
        ("[reranker]\n" + ENDPOINT + "candidates = 1", ["reranker.candidates"]),
        ("[reranker]\n" + ENDPOINT + "dimensions = 64", ["reranker.dimensions", "no such setting"]),
        (
            "[reranker]\n" + ENDPOINT + 'api_key_env = "NO_SUCH_VARIABLE"',
            ["[reranker]", "'NO_SUCH_VARIABLE'", "Set it"],
        ),
        ('[prices."gpt"]\ninput = -1\noutput = 1', ["prices.gpt.input"]),
        ('[prices."gpt"]\noutput = 1', ["prices.gpt", "`input`"]),
        ('[prices."gpt"]\ninput = 1\noutput = 1\nsearch = 1', ["prices.gpt", "by tokens as well"]),
        ('[[budgets]]\nname = "all"', ["budgets.0", "`money`, as in", "`tokens`"]),
        ('[[budgets]]\nname = "all"\nmoney = "5"\ntokens = 5', ["budgets.0", "`money`, as in"]),
        ('[[budgets]]\nname = "all"\nmoney = 5.0', ["budgets.0.money' of 'all'", "it has to be text"]),
        ('[[budgets]]\nname = "all"\nmoney = "5,00"', ["budgets.0.money' of 'all'", 'as in "5.00"']),
        ('[[budgets]]\nname = "x"\ngroup = "a"\nprincipal = "b"\ntokens = 1', ["budgets.0", "one of principal, group"]),
        ('[[budgets]]\nname = "x"\ntokens = 1\n[[budgets]]\nname = "x"\ntokens = 1', ["[[budgets]]", "must differ"]),
    ],
)
def test_what_cannot_be_used_is_named(home: Path, text: str, wanted: list[str]) -> None:
    """InvalidSetting says which setting, where it stands and what it may be."""
    message = refusal(home, text)
    assert all(words in message for words in wanted), message


@pytest.mark.parametrize(
    "text",
    [
        f'[[models]]\n{MODEL}api_key = "{KEY}"',
        f'[[models]]\n{MODEL}api_key_env = "{KEY}"',
        f'[[models]]\n{MODEL}key = "{KEY}"',
        f'[embedder]\n{ENDPOINT}api_key = "{KEY}"',
        f'[reranker]\n{ENDPOINT}api_key_env = "{KEY}"',
        f'api_key = "{KEY}"',
        "[[models]]\n" + MODEL.replace("https://", f"https://user:{KEY}@"),
        "[[models]]\n" + MODEL.replace("/v1", f"/v1?key={KEY}"),
        f'default_model = 7\n[[models]]\n{MODEL}name2 = "{KEY}"',
    ],
)
def test_a_key_in_the_file_is_refused_and_not_shown(home: Path, text: str) -> None:
    """A key that was put into ken.toml, in whichever place, stands in no message and in no traceback."""
    assert "setting" in refusal(home, text)


def test_the_place_of_a_wrong_value_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person is sent to the flag, the variable or the file, whichever it was."""
    assert repr(str(home / "ken.toml")) in refusal(home, "port = 0")
    monkeypatch.setenv("KEN_PORT", "none")
    assert "KEN_PORT in the environment" in refusal(home, "port = 1")
    assert "--port" in refusal(home, "port = 1", port=0)


def test_a_file_that_cannot_be_read_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong value in the environment doesn't hide what is wrong with the file."""
    monkeypatch.setenv("KEN_PORT", "8002")
    assert "not valid TOML" in refusal(home, "[[models")


def test_a_key_comes_from_the_environment_and_is_never_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there for who calls the endpoint, and in no text made of the settings."""
    monkeypatch.setenv("MY_KEY", KEY)
    settings = load(write(home, f'[[models]]\n{MODEL}api_key_env = "MY_KEY"'))
    assert settings.models[0].api_key is not None
    assert settings.models[0].api_key.get_secret_value() == KEY
    assert KEY not in repr(settings) + str(settings) + settings.model_dump_json() + str(settings.model_dump())


def test_an_empty_key_is_a_missing_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set to nothing is said to be missing, and the question doesn't go out without a key."""
    monkeypatch.setenv("MY_KEY", "")
    assert "'MY_KEY'" in refusal(home, f'[[models]]\n{MODEL}api_key_env = "MY_KEY"')


async def test_prices_go_by_what_the_endpoint_calls_the_model(tmp_path: Path) -> None:
    """The list's price by the endpoint's name, an operator's own by either name, and none is unknown."""
    local = MODEL.replace('"gpt"', '"local"').replace("gpt-4o-mini", "llama3.2")
    mine = MODEL.replace('"gpt"', '"mine"')
    prices = '[prices."llama3.2"]\ninput = 0\noutput = 0\n[prices.mine]\ninput = 1000000\noutput = 2000000\n'
    unknown = MODEL.replace('"gpt"', '"other"').replace("gpt-4o-mini", "nobody-knows")
    home = copy(tmp_path / "home")
    write(home, f"[[models]]\n{MODEL}\n[[models]]\n{local}\n[[models]]\n{mine}\n[[models]]\n{unknown}\n{prices}")
    ken = await open_home(load(home))
    price_of = ken.providers.price_of
    await ken.aclose()
    usage = Usage(1_000_000, 1_000_000)
    assert [price_of(name, usage) for name in ("gpt", "local", "mine", "other")] == [750_000, 0, 3_000_000, None]


def test_the_databases_address_is_read_from_the_environment_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold a password: in ken.toml it is refused, and nothing that is printed of settings shows it."""
    monkeypatch.setenv("KEN_DATABASE_URL", f"postgresql://ken:{KEY}@db.example.org/ken")
    settings = load(home)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value().endswith("@db.example.org/ken")
    assert KEY not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    monkeypatch.delenv("KEN_DATABASE_URL")
    assert "KEN_DATABASE_URL" in refusal(home, f'database_url = "postgresql://ken:{KEY}@db.example.org/ken"\n')
