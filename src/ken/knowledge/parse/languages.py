"""What the reader of source code knows of each language: its files, how comments look, and how definitions begin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Language:
    """A language, or several that look alike from afar."""

    suffixes: tuple[str, ...]
    """Lower case, with the dot."""
    definition: re.Pattern[str] | None = None
    """Matches a line, without its indentation, that begins a definition, and names it as `name`. None for none."""
    line_comments: tuple[str, ...] = ("#",)
    block_comment: tuple[str, str] | None = None
    """How a comment of several lines begins and ends."""
    names: tuple[str, ...] = ()
    """Files that have this name and no suffix, lower case."""
    is_indented: bool = True
    """Whether a definition ends at the first line that is indented no deeper; else it goes on to the next definition."""
    has_docstrings: bool = False
    """Whether a text right below a definition's first line documents it, as in Python."""


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


# The modifiers before a name are bounded: no line takes long, however it goes on.
_MODIFIERS = (
    r"(?:(?:public|private|protected|internal|fileprivate|open|static|final|abstract|sealed|override|virtual|async|partial|"
    r"readonly|unsafe|extern|default|synchronized|inline|suspend|data|inner|companion|lateinit|case|implicit|lazy|native|new|"
    r"mutating|indirect|strictfp|non-sealed|expect|actual|tailrec|operator|infix|external|required|convenience)\s+){0,8}"
)
_TYPES = (
    r"(?:class|interface|enum(?:\s+class)?|struct|record(?:\s+class)?|trait|object|protocol|extension|actor|"
    r"annotation\s+class|@interface)"
)

_PYTHON = re.compile(r"(?:class|(?:async\s+)?def)\s+(?P<name>\w+)")
_SCRIPT = (
    r"(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?"
    r"(?:class|interface|enum|namespace|function\*?|type(?=\s+\w+\s*[=<]))\s+(?P<name>[\w$]+)"
)
_ARROW = r"(?:export\s+)?(?:const|let|var)\s+(?P<arrow>[\w$]+)\s*(?::[^=]{0,200})?=\s*(?:async\s*)?(?:function\b|\(|[\w$]+\s*=>)"
_METHOD = (
    r"(?:(?:public|private|protected|static|readonly|override|abstract|async|get|set|\*)\s*){0,5}"
    r"(?!(?:if|for|while|switch|catch|return|function|with|await|throw|else|do|typeof|super|new|import)\b)"
    r"(?P<method>#?[\w$]+)\s*(?:<[^>]{0,100}>)?\([^;]{0,400}\{\s*$"
)
_C_LIKE_METHOD = (
    r"(?!\[|(?:return|else|throw|new|if|for|while|switch|catch|using|lock|await|case|goto|delete|typedef|do|yield|assert)\b)"
    r"(?:[\w:<>,\[\]?*&~.@]+\s+[*&]*){1,8}(?P<method>~?[\w:]+)\s*\([^;]{0,400}$"
)
_JAVA = _any_of(_MODIFIERS + _TYPES + r"\s+(?P<name>\w+)", _MODIFIERS + _C_LIKE_METHOD)
_FUNCTION = (
    r"(?:<[^>]{0,100}>\s*)?(?:fun|func|def|init)\b\s*(?:<[^>]{0,100}>\s*)?(?:[\w<>?]{1,80}\.)?(?P<function>[`\w]*)"
)

_NAMES = tuple("makefile dockerfile containerfile jenkinsfile vagrantfile rakefile gemfile procfile justfile".split())

LANGUAGES = (
    Language((".py", ".pyi"), _PYTHON, has_docstrings=True, block_comment=('"""', '"""')),
    Language(
        (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx", ".vue", ".svelte"),
        _any_of(_SCRIPT, _ARROW, _METHOD),
        ("//",),
        ("/*", "*/"),
    ),
    Language((".java", ".cs", ".groovy", ".gradle", ".dart"), _JAVA, ("//",), ("/*", "*/")),
    Language(
        (".kt", ".kts", ".swift", ".scala"),
        _any_of(_MODIFIERS + _TYPES + r"\s+(?P<name>\w+)", _MODIFIERS + _FUNCTION),
        ("//",),
        ("/*", "*/"),
    ),
    Language(
        (".go",),
        _any_of(r"func\s+(?:\(\s*\w*\s*(?P<receiver>[^)]{1,80})\)\s*)?(?P<function>\w+)", r"type\s+(?P<name>\w+)"),
        ("//",),
        ("/*", "*/"),
    ),
    Language(
        (".rs",),
        _any_of(
            r"(?:pub(?:\([^)]{0,40}\))?\s+)?(?:(?:default|const|async|unsafe|extern(?:\s+\"\w*\")?)\s+){0,4}"
            r"(?:fn|struct|enum|trait|union|mod|macro_rules!)\s+(?P<name>\w+)",
            r"(?:unsafe\s+)?impl\b(?:<[^{]{0,200}?>)?\s*(?P<impl>[^{]{1,200}?)\s*(?:where\b.*)?\{?$",
        ),
        ("//",),
        ("/*", "*/"),
    ),
    Language(
        (".c", ".h", ".cpp", ".cc", ".cxx", ".hpp", ".hh", ".m", ".mm"),
        _any_of(
            r"(?:template\s*<[^;]{0,200}>\s*)?(?:typedef\s+)?(?:class|struct|enum(?:\s+class)?|union|namespace)\s+"
            r"(?P<name>\w+)(?![\w\s*&]*[;(=])",
            _C_LIKE_METHOD,
        ),
        ("//",),
        ("/*", "*/"),
    ),
    Language((".rb",), re.compile(r"(?:class|module|def)\s+(?P<name>[\w.:?!=]+)"), ("#",), ("=begin", "=end")),
    Language(
        (".php",),
        _any_of(_MODIFIERS + r"(?:class|interface|trait|enum|function)\s+&?(?P<name>\w+)"),
        ("//", "#"),
        ("/*", "*/"),
    ),
    Language(
        (".sh", ".bash", ".zsh", ".ksh"),
        _any_of(r"function\s+(?P<name>[\w:-]+)", r"(?P<function>[\w:-]+)\s*\(\)"),
    ),
    Language(
        (".ps1", ".psm1"),
        re.compile(r"(?:function|class|filter)\s+(?P<name>[\w:-]+)", re.IGNORECASE),
        ("#",),
        ("<#", "#>"),
    ),
    Language(
        (".sql",),
        re.compile(
            r"create\s+(?:or\s+replace\s+)?(?:(?:global|local|temporary|temp|unlogged|materialized|unique|external)\s+){0,3}"
            r"(?:table|view|function|procedure|trigger|index|type|schema|sequence|domain)\s+(?:if\s+not\s+exists\s+)?"
            r"(?P<name>[\w.\"`\[\]]+)",
            re.IGNORECASE,
        ),
        ("--",),
        ("/*", "*/"),
        is_indented=False,
    ),
    Language((".tf", ".hcl"), re.compile(r"(?P<name>\w+(?:\s+\"[^\"]{0,100}\"){1,3})\s*\{"), ("#", "//"), ("/*", "*/")),
    Language(
        (".proto", ".graphql", ".gql", ".thrift"),
        re.compile(r"(?:message|service|enum|rpc|type|input|interface|union|scalar|struct|exception)\s+(?P<name>\w+)"),
        ("//", "#"),
        ("/*", "*/"),
    ),
    Language((".lua",), re.compile(r"(?:local\s+)?function\s+(?P<name>[\w.:]+)"), ("--",)),
    Language((".pl", ".pm"), re.compile(r"sub\s+(?P<name>[\w:]+)")),
    Language(
        (".r", ".jl"),
        _any_of(
            r"(?P<name>[\w.]+)\s*(?:<-|=)\s*function\b",
            r"(?:function|struct|module|macro)\s+(?P<function>[\w.!]+)",
        ),
    ),
    Language((".ex", ".exs"), re.compile(r"(?:defmodule|defp?|defmacro|defprotocol)\s+(?P<name>[\w.?!]+)")),
    Language(
        (".hs", ".elm"),
        _any_of(r"(?P<name>[\w.']+)\s+::", r"(?:data|newtype|class|module|type)\s+(?P<type>[\w.]+)"),
        ("--",),
        ("{-", "-}"),
        is_indented=False,
    ),
    Language((".yaml", ".yml")),
    Language(
        (".toml", ".ini", ".cfg", ".conf", ".properties"),
        re.compile(r"\[{1,2}(?P<name>[^\[\]]{1,120})\]{1,2}\s*(?:[#;].*)?$"),
        ("#", ";"),
        is_indented=False,
    ),
    Language((".mk", ".cmake", ".dockerfile", ".bat", ".cmd"), None, ("#", "::"), names=_NAMES),
)

SUFFIXES = tuple(suffix for language in LANGUAGES for suffix in language.suffixes)
"""All that are read as source code."""
NAMES = tuple(name for language in LANGUAGES for name in language.names)
"""Names of files without a suffix that are."""

BY_SUFFIX: Mapping[str, Language] = MappingProxyType(
    {suffix: language for language in LANGUAGES for suffix in language.suffixes}
)
BY_NAME: Mapping[str, Language] = MappingProxyType(
    {name: language for language in LANGUAGES for name in language.names}
)
