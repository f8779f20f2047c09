"""The documents that a drill asks about: a few pages of an invented workshop, with an answer for each question."""

from __future__ import annotations

from pathlib import Path

COLLECTION = "ken-drill"
"""Where they stand in the copy; the copied home's own documents are not asked about."""
PAGES = {
    "lathe.md": "# Lathe\n\nThe lathe is oiled every Monday before the first shift. Only trained staff may start the lathe.\n\n"
    "## Repairs\n\nA broken lathe belt is replaced by the tool keeper within two days. Until then the lathe stays locked.\n",
    "kiln.md": "# Kiln\n\nThe kiln is fired on Tuesdays and Thursdays at 900 degrees. A firing in the kiln takes eleven hours.\n\n"
    "## Shelves\n\nShelves of the kiln are brushed after every fifth firing. A cracked shelf is thrown away.\n",
    "paint.md": "# Paint store\n\nThe paint store is locked at 17:30 by the shift leader. Thinner is kept in the red cabinet.\n",
    "visitors.md": "# Visitors\n\nVisitors of the workshop wear goggles and stay behind the yellow line. Groups of visitors "
    "have at most twelve people.\n",
}
QUESTIONS = (
    "When is the lathe oiled?",
    "On which days is the kiln fired?",
    "When is the paint store locked?",
    "How many people may a group of visitors have?",
)


def write(folder: Path) -> Path:
    """Write the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in PAGES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
