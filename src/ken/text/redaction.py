"""Secrets, and by policy personal data, found in text and replaced by what they were: `[secret]`, `[e-mail]`, ...

Each rule has signs that all it finds begins with, and its expression is tried where they stand: to find a word takes a
hundredth of the time that an expression takes for a text. What has a check sum is checked (cards: ISO/IEC 7812 annex B; IBAN:
ISO 13616), so that order numbers pass; what has none needs a context, so that version numbers, dates and part numbers do.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

RedactionPolicy = Literal["secrets", "personal"]
"""Secrets always go; with `personal`, personal data too."""

SECRET = "[secret]"  # noqa: S105 - what stands in a secret's place

_LEAST_ENTROPY = 3.0
"""Bits a character: words lie below, keys above."""
_LEAST_KEY = 16
_LONGEST_VALUE = 512
_BEFORE = 80
_SHORTEST = 6
"""Nothing that is looked for is shorter."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A span of a text, and what is written in its place."""

    start: int
    end: int
    placeholder: str

    @property
    def longer(self) -> int:
        """Characters that the text grows by; below 0, shrinks."""
        return len(self.placeholder) - (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without what was found in it, and where that was."""

    text: str
    edits: tuple[Edit, ...] = ()

    def moved(self, offset: int) -> int:
        """Where a place of the original text is in this one; a place within what was replaced is at the placeholder's end."""
        at = offset
        for edit in self.edits:
            if offset >= edit.end:
                at += edit.longer
            elif offset > edit.start:
                return at - (offset - edit.start) + len(edit.placeholder)
            else:
                break
        return at


def redact(text: str, policy: RedactionPolicy = "secrets") -> str:
    """The text with a placeholder for each secret, and by policy for personal data."""
    return redacted(text, policy).text


def redacted(text: str, policy: RedactionPolicy = "secrets") -> Redacted:
    """The same, with the places."""
    edits = tuple(find(text, policy))
    if not edits:
        return Redacted(text)
    pieces: list[str] = []
    at = 0
    for edit in edits:
        pieces += (text[at : edit.start], edit.placeholder)
        at = edit.end
    pieces.append(text[at:])
    return Redacted("".join(pieces), edits)


def holds_secret(text: str) -> bool:
    """Whether a text holds anything that is always replaced."""
    return any(True for _ in find(text, "secrets"))


def find(text: str, policy: RedactionPolicy = "secrets") -> Iterator[Edit]:
    """What has to go, in the text's order. Of what overlaps, secrets first, then what begins first, and of that the longest."""
    if len(text) < _SHORTEST:
        return
    folded = text.lower()
    if len(folded) != len(text):  # some capitals have two letters for a small one
        folded = "".join(each.lower() if each.isascii() else each for each in text)
    found = list(_alone(_by_rules(text, folded, _SECRETS)))
    if policy == "personal":
        personal = _by_rules(text, folded, _PERSONAL)
        free = (each for each in personal if all(each.end <= one.start or one.end <= each.start for one in found))
        found = sorted((*found, *_alone(list(free))), key=lambda each: each.start)
    yield from found


def _by_rules(text: str, folded: str, rules: Sequence[_Rule]) -> list[Edit]:
    return [edit for rule in rules for edit in rule.edits(text, folded)]


def _alone(found: list[Edit]) -> Iterator[Edit]:
    """Those that none overlaps which comes before."""
    end = 0
    for edit in sorted(found, key=lambda each: (each.start, -each.end)):
        if edit.start >= end:
            yield edit
            end = edit.end


@dataclass(frozen=True, slots=True)
class _Rule:
    """Something to look for: an expression that is tried where one of the signs stands, or, by `glance`, all over a text."""

    pattern: re.Pattern[str]
    signs: tuple[str, ...] = ()
    """In lower case: the expression begins with one of them."""
    glance: re.Pattern[str] | None = None
    """Without signs: a text in which this isn't found holds nothing of this kind. It costs less to look for."""
    before: re.Pattern[str] | None = None
    """What stands before the sign and belongs to it; `\\Z` at its end."""
    placeholder: str = SECRET
    holds: Callable[[re.Match[str]], bool] | None = None
    """What a match has to be besides."""

    def edits(self, text: str, folded: str) -> Iterator[Edit]:
        """Each place: the group `value` of a match where there is one, else all of it."""
        group: str | int = "value" if "value" in self.pattern.groupindex else 0
        for match, start in self._matches(text, folded):
            if (self.holds is None or self.holds(match)) and match[group] != SECRET:
                yield Edit(match.start(group) if start is None else start, match.end(group), self.placeholder)

    def _matches(self, text: str, folded: str) -> Iterator[tuple[re.Match[str], int | None]]:
        if self.glance is not None:
            if self.glance.search(text):
                yield from ((match, None) for match in self.pattern.finditer(text))
            return
        for sign in self.signs:
            at = folded.find(sign)
            while at >= 0:
                match = self.pattern.match(text, at)
                head = None if self.before is None else self.before.search(text, max(0, at - _BEFORE), at)
                if match is not None and (self.before is None or head is not None):
                    yield match, head and head.start()
                at = folded.find(sign, at + 1 if match is None else match.end())


# --- secrets ---------------------------------------------------------------------------------------------------------

_NAMES = (
    "api key",
    *(
        "password passwd passphrase pwd secret token credentials credential api_key api-key apikey access_key access-key accesskey "
        "account_key accountkey private_key private-key auth_key auth-key authkey encryption_key encryptionkey signing_key signingkey "
        "sharedaccesskey sessionkey secretkey"
    ).split(),
)
_TELLS_NOTHING = re.compile(
    r"(?i)(?:[<{\[(*•.…_x?-].*|\$.*|%\w+%|.*[<>{}()|\\].*|your\b.*"
    r"|\w*(?:example|changeme|placeholder|redacted|dummy|sample)\w*)"
)
"""What stands in documentation where a secret would stand: `<token>`, `${TOKEN}`, `****`, `os.environ[...]`, `your-key`."""
_DOTTED_NAME = re.compile(r"[A-Za-z_][A-Za-z_]*(?:[.\-:/][A-Za-z_]+)*[,;.]?")
"""A word, or a name as code has it: no secret that anybody would be given."""


def _entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _is_random(text: str) -> bool:
    kinds = sum(any(test(each) for each in text) for test in (str.islower, str.isupper, str.isdigit))
    return len(text) >= _LEAST_KEY and kinds > 1 and _entropy(text) >= _LEAST_ENTROPY


def _is_assigned(match: re.Match[str]) -> bool:
    """Whether what is assigned to something called a secret is one, and not a word about it, or where it is to be put."""
    value, quoted = match["value"], bool(match["quote"])
    if _TELLS_NOTHING.fullmatch(value):
        return False
    if quoted:
        return not value.isspace() and (not _DOTTED_NAME.fullmatch(value) or match["name"].lower().startswith("pass"))
    if _DOTTED_NAME.fullmatch(value):
        return False
    return any(each.isdigit() for each in value) and any(each.isalpha() for each in value)


def _is_credential(match: re.Match[str]) -> bool:
    return not _TELLS_NOTHING.fullmatch(match["value"]) and match["value"].lower() not in {
        "password",
        "pass",
        "pwd",
        "secret",
    }


def _is_bearer(match: re.Match[str]) -> bool:
    value = match["value"]
    return (
        not _TELLS_NOTHING.fullmatch(value)
        and any(each.isdigit() for each in value)
        and _entropy(value) >= _LEAST_ENTROPY
    )


_SECRETS = (
    _Rule(
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.{0,8192}?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        ("-----begin ",),
    ),
    # Keys that say whose they are: AWS, Google, GitHub, GitLab, Slack, Stripe, npm, PyPI, Hugging Face, SendGrid, OpenAI,
    # Anthropic, Ken.
    _Rule(re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), ("akia", "asia")),
    _Rule(re.compile(r"\bAIza[\w-]{35}"), ("aiza",)),
    _Rule(re.compile(r"\bya29\.[\w-]{20,}"), ("ya29.",)),
    _Rule(re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}"), ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    _Rule(re.compile(r"\bgithub_pat_\w{40,}"), ("github_pat_",)),
    _Rule(re.compile(r"\bglpat-[\w-]{20,}"), ("glpat-",)),
    _Rule(re.compile(r"\b(?:xox[abeoprs]|xapp)-[\w-]{10,}"), ("xox", "xapp-")),
    _Rule(re.compile(r"hooks\.slack\.com/(?:services|workflows)/(?P<value>[\w/-]{20,})"), ("hooks.slack.com/",)),
    _Rule(
        re.compile(r"\b(?:[sr]k|whsec)_(?:live|test)_[A-Za-z0-9]{16,}"),
        ("sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"),
    ),
    _Rule(re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"), ("npm_",)),
    _Rule(re.compile(r"\bpypi-[\w-]{40,}"), ("pypi-",)),
    _Rule(re.compile(r"\bhf_[A-Za-z0-9]{30,}"), ("hf_",)),
    _Rule(re.compile(r"\bSG\.[\w-]{20,24}\.[\w-]{39,50}"), ("sg.",)),
    _Rule(
        re.compile(r"\bsk-[\w-]{20,300}"),
        ("sk-",),
        holds=lambda match: _is_random(match[0].removeprefix("sk-")),
    ),
    _Rule(re.compile(r"\bken-[\w-]{24,}"), ("ken-",), holds=lambda match: _is_random(match[0].removeprefix("ken-"))),
    _Rule(re.compile(r"\beyJ[\w-]{8,2048}\.eyJ[\w-]{8,8192}\.[\w-]{8,1024}"), ("eyj",)),
    _Rule(
        re.compile(r"(?i)\b(?:bearer|basic)\s{1,8}(?P<value>[\w\-.~+/]{12,}=*)"),
        ("bearer", "basic"),
        holds=_is_bearer,
    ),
    _Rule(
        re.compile(r"://[^\s/:@\"'<>]{0,200}:(?P<value>[^\s/@\"'<>]{1,200})@(?=[\w\[])"),
        ("://",),
        holds=_is_credential,
    ),
    _Rule(
        re.compile(
            rf"(?i)(?P<name>{'|'.join(_NAMES)})(?![a-z])[\w\-]{{0,20}}[\"']?\s{{0,3}}(?::=|=>|[:=]|\bis\b)\s{{0,3}}(?P<quote>[\"'`]?)"
            rf"(?P<value>(?<=[\"'`])[^\"'`\n]{{6,{_LONGEST_VALUE}}}|[^\s\"'`,;]{{6,{_LONGEST_VALUE}}})"
        ),
        _NAMES,
        holds=_is_assigned,
    ),
)

# --- personal data ---------------------------------------------------------------------------------------------------

_NO_PERSON = frozenset({"example.com", "example.org", "example.net", "example.test"})
"""Kept for documentation by RFC 2606."""
_CALL = re.compile(
    r"(?i)\b(?:tel|phone|telephone|telefon|mobile|mobil|cell|fax|call|dial|ring|handy|whatsapp|contact)\b[^\n\d+]{0,24}\Z"
)
_VERSION = re.compile(r"(?i)(?:\bv|version|release|firmware|build|section|chapter|clause|§)\W{0,3}\Z")
_DIGITS_OF_CARD = range(13, 20)
_DIGITS_OF_PHONE = range(7, 16)


def _is_somebody(match: re.Match[str]) -> bool:
    domain = match["domain"].lower()
    return domain not in _NO_PERSON and not domain.endswith((".example", ".invalid", ".test"))


def _is_card(match: re.Match[str]) -> bool:
    digits = [int(each) for each in match[0] if each.isdigit()]
    return len(digits) in _DIGITS_OF_CARD and len(set(digits)) > 1 and _luhn(digits)


def _luhn(digits: Sequence[int]) -> bool:
    doubled = (sum(divmod(2 * digit, 10)) if at % 2 else digit for at, digit in enumerate(reversed(digits)))
    return sum(doubled) % 10 == 0


_IBAN_LENGTHS = range(15, 35)
_IBAN_MODULUS = 97


def _is_iban(match: re.Match[str]) -> bool:
    code = match[0].replace(" ", "").upper()
    if len(code) not in _IBAN_LENGTHS:
        return False
    return int("".join(str(int(each, 36)) for each in code[4:] + code[:4])) % _IBAN_MODULUS == 1


def _is_phone(match: re.Match[str]) -> bool:
    """Whether digits are a number to call: with a country's, or as America writes them, or after a word that says so."""
    digits = sum(each.isdigit() for each in match[0])
    if digits not in _DIGITS_OF_PHONE:
        return False
    return bool(match["country"] or match["american"]) or _comes_after(_CALL, match)


def _is_address(match: re.Match[str]) -> bool:
    """Whether it is the address of somebody's machine: those of networks at home and of documentation are nobody's."""
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    return address.is_global and not _comes_after(_VERSION, match)


def _comes_after(words: re.Pattern[str], match: re.Match[str]) -> bool:
    return words.search(match.string, max(0, match.start() - _BEFORE), match.start()) is not None


_MANY_DIGITS = re.compile(r"\d(?:[ ()./-]{0,3}\d){6}")
_PERSONAL = (
    _Rule(
        re.compile(r"@(?P<domain>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}[A-Za-z]{2,24})\b"),
        ("@",),
        before=re.compile(r"(?<![\w.+%-])[A-Za-z0-9][\w.+%-]{0,63}\Z"),
        placeholder="[e-mail]",
        holds=_is_somebody,
    ),
    _Rule(
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
        glance=_MANY_DIGITS,
        placeholder="[iban]",
        holds=_is_iban,
    ),
    _Rule(
        re.compile(
            r"(?<![\w.,/=#-])(?:[2-6]\d{12,18}|[2-6]\d{3}(?:[ -]\d{4}){2}[ -]\d{1,7}|3\d{3}[ -]\d{6}[ -]\d{5})(?![\w/-]|\.\d| \d)"
        ),
        glance=_MANY_DIGITS,
        placeholder="[card]",
        holds=_is_card,
    ),
    _Rule(
        re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"),
        glance=_MANY_DIGITS,
        placeholder="[ssn]",
    ),
    _Rule(
        re.compile(
            r"(?<![\w.,/=+-])(?:(?P<country>(?:\+|\b00)[1-9]\d{0,2}[ ./-]?)(?:\(0\))?[\d(][\d ()./-]{5,17}\d"
            r"|(?P<american>\(\d{3}\) ?\d{3}[ .-]\d{4}|[2-9]\d{2}-[2-9]\d{2}-\d{4})"
            r"|\(?0?[1-9][\d()]{1,5}[ ./-]?[\d][\d ./-]{3,13}\d)(?![\w/-]|\.\d)"
        ),
        glance=_MANY_DIGITS,
        placeholder="[phone]",
        holds=_is_phone,
    ),
    _Rule(
        re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)"),
        glance=re.compile(r"\.\d{1,3}\.\d"),
        placeholder="[ip]",
        holds=_is_address,
    ),
    _Rule(
        re.compile(r"(?i)(?<![\w:.])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}){1,7}(?![\w:])"),
        glance=re.compile(r":[0-9a-fA-F]{0,4}:[0-9a-fA-F:]"),
        placeholder="[ip]",
        holds=_is_address,
    ),
)
