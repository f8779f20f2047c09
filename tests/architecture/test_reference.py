"""Everything that a person can type, set or call has its words: in --help, in docs/settings.md, in docs/api.md."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import Annotated, get_args

import typer
from pydantic import BaseModel, Field

from docs import build
from tests.architecture.tree import PROJECT, assert_none, dotted, functions, place, plant, sources

SETTINGS = "docs/settings.md"
API = "docs/api.md"
METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "websocket"}


def helpless_commands(terminal: build.Command) -> list[str]:
    """Commands without a sentence in --help, and options and arguments without one."""
    violations: list[str] = []
    for name, command in build.all_commands(terminal):
        if not (command.help or "").strip():
            violations.append(f"{name}: no help")
        violations += [
            f"{name}: no help for {parameter.opts[0]}"
            for parameter in command.params
            if not (getattr(parameter, "help", None) or "").strip()
        ]
    return violations


def setting_names(model: type[BaseModel]) -> set[str]:
    """The names of a model's fields, and of the models in them. A field that no dump shows is no setting."""
    names: set[str] = set()
    for name, field in model.model_fields.items():
        if not field.exclude:
            names.add(name)
            names |= {inner for kind in _models_in(field.annotation) for inner in setting_names(kind)}
    return names


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


def undocumented_settings(root: Path, settings: type[BaseModel]) -> list[str]:
    """Settings that docs/settings.md doesn't name, and variables on it that set nothing."""
    text = (root / SETTINGS).read_text("utf-8")
    named = {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", code)}
    violations = [f"{SETTINGS}: no `{name}`" for name in sorted(setting_names(settings) - named)]
    variables = set(re.findall(r"\bKEN_[A-Z_]+\b", text)) - {f"KEN_{name.upper()}" for name in settings.model_fields}
    return violations + [f"{SETTINGS}: {name} sets nothing" for name in sorted(variables)]


def routes(root: Path) -> dict[str, str]:
    """Each route of the service, as "GET /path", and where it is written. Read from the decorators, which hold whole paths."""
    found: dict[str, str] = {}
    for path, tree in sources(root, "src/ken/service"):
        for function in functions(tree):
            for call in function.decorator_list:
                method = dotted(call).rpartition(".")[2]
                if (
                    method in METHODS
                    and isinstance(call, ast.Call)
                    and call.args
                    and isinstance(call.args[0], ast.Constant)
                ):
                    found[f"{method.upper()} {call.args[0].value}"] = place(root, path, function.lineno)
    return found


def undocumented_routes(root: Path) -> list[str]:
    """Routes that docs/api.md doesn't name with their method, and routes on it that the service doesn't have."""
    text = (root / API).read_text("utf-8")
    pattern = rf"\b({'|'.join(sorted(method.upper() for method in METHODS))}) (/[\w/{{}}.:-]*)"
    named = {f"{method} {path.rstrip('.:')}" for method, path in re.findall(pattern, text)}
    known = routes(root)
    violations = [f"{known[route]}: {API} has no `{route}`" for route in sorted(known.keys() - named)]
    return violations + [f"{API}: the service has no `{route}`" for route in sorted(named - known.keys())]


def prefixed_routers(root: Path) -> list[str]:
    """Routers with a prefix: their decorators would not hold whole paths, and the rule above would be blind."""
    return [
        f"{place(root, path, node.lineno)}: write the whole path at each route"
        for path, tree in sources(root, "src/ken/service")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and dotted(node).rpartition(".")[2] in {"APIRouter", "include_router"}
        and any(keyword.arg == "prefix" for keyword in node.keywords)
    ]


def test_every_command_and_option_has_help() -> None:
    """`--help` of each command has a sentence for the command, and one for each argument and option."""
    assert_none(helpless_commands(build.ken()))


def test_planted_helpless_commands_are_caught() -> None:
    """A command, an option and an argument without a sentence are caught, in groups too."""
    app, keys = typer.Typer(help="Answers."), typer.Typer(help="Keys.")
    app.add_typer(keys, name="keys")

    @app.command("ask", help="Ask.")
    def ask(
        question: Annotated[str, typer.Argument()], *, quick: Annotated[bool, typer.Option(help="Fast.")] = False
    ) -> None:
        _ = question, quick

    @keys.command("add")
    def add(group: Annotated[str, typer.Option()] = "") -> None:
        _ = group

    terminal = typer.main.get_command(app)
    assert isinstance(terminal, build.Command)
    found = [line for line in helpless_commands(terminal) if "completion" not in line]
    assert found == ["ken ask: no help for question", "ken keys add: no help", "ken keys add: no help for --group"]


def test_the_generated_page_is_up_to_date() -> None:
    """docs/cli.md is what `make docs` would write now."""
    assert build.page(build.ken()) == build.PAGE.read_text("utf-8")


def test_every_setting_is_documented() -> None:
    """docs/settings.md names each setting, and no variable that sets nothing."""
    settings = importlib.import_module("ken.settings").Settings  # here, so that the other tests don't wait for it
    assert_none(undocumented_settings(PROJECT, settings))


def test_planted_undocumented_settings_are_caught(tmp_path: Path) -> None:
    """A setting without a word is caught, in inner tables too, and so is a variable that sets nothing."""

    class Inner(BaseModel):
        base_url: str
        window: int = 1
        secret: str = Field(default="", exclude=True)

    class Planted(BaseModel):
        port: int = 1
        host: str = ""
        models: Annotated[tuple[Inner, ...], Field(max_length=3)] = ()
        fallback: Inner | None = None

    plant(
        tmp_path, SETTINGS, "Set `port` (`KEN_PORT`), `KEN_PROT`, host, `models` and `models.base_url`, `fallback`.\n"
    )
    assert undocumented_settings(tmp_path, Planted) == [
        f"{SETTINGS}: no `host`",
        f"{SETTINGS}: no `window`",
        f"{SETTINGS}: KEN_PROT sets nothing",
    ]


def test_every_route_is_documented() -> None:
    """docs/api.md names each method and path that the service answers, and no other."""
    assert_none(undocumented_routes(PROJECT))
    assert_none(prefixed_routers(PROJECT))


def test_planted_undocumented_routes_are_caught(tmp_path: Path) -> None:
    """A route without a word, a wrong method, a word without a route and a router with a prefix are caught."""
    code = """
    router = APIRouter(prefix="/v1", tags=["questions"])
    @router.post("/api/ask", summary="Ask")
    async def ask(): ...
    @router.get("/api/traces/{trace_id}")
    def trace(): ...
    @router.delete("/api/keys/{name}")
    def forget(): ...
    """
    plant(tmp_path, "src/ken/service/routes/planted.py", code)
    plant(tmp_path, API, "`POST /api/ask?stream=false`, then GET /api/traces/{trace_id}. `GET /api/keys/{name}`\n")
    assert undocumented_routes(tmp_path) == [
        f"src/ken/service/routes/planted.py:8: {API} has no `DELETE /api/keys/{{name}}`",
        f"{API}: the service has no `GET /api/keys/{{name}}`",
    ]
    assert prefixed_routers(tmp_path) == ["src/ken/service/routes/planted.py:2: write the whole path at each route"]


def test_routes_of_the_service_are_found() -> None:
    """The rule above would be empty if it found no routes."""
    assert len(routes(PROJECT)) > 3
