"""Billing by a model's own tokenizer, read from its tokenizer.json."""

from __future__ import annotations

from pathlib import Path

import tokenizers

from ken.errors import InvalidSetting


class TokenizerFile:
    """Counts as the tokenizer in a file does, without special tokens."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises InvalidSetting."""
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidSetting(f"{str(path)!r} can't be read as a tokenizer.json: {error}") from error
        except Exception as error:  # the library raises no class of its own
            raise InvalidSetting(f"{str(path)!r} is no tokenizer.json: {error}") from error

    def count(self, text: str) -> int:
        """Tokens of `text`."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)
