from __future__ import annotations

import pytest

from ken.errors import Unreadable
from ken.knowledge.parse.formats import SUPPORTED
from ken.knowledge.parse.parser import IsolatedParser, parse

OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a/b.doc", ".docx"),
        ("b.XLS", ".xlsx"),
        ("b.xlsb", ".xlsx"),
        ("b.ppt", ".pptx"),
        ("b.odt", ".docx"),
        ("b.ods", ".xlsx"),
        ("b.odp", ".pptx"),
        ("b.rtf", ".docx"),
    ],
)
def test_a_format_of_old_is_refused_with_the_one_to_save_it_in(name: str, wanted: str) -> None:
    """The message names the file, what it is, and a format that Ken does read."""
    assert wanted in SUPPORTED
    with IsolatedParser() as parser, pytest.raises(Unreadable, match=rf"'{name}' is .*: save it as {wanted}"):
        parser.parse(OLD, name=name)


@pytest.mark.parametrize("suffix", ["docx", "xlsx", "pptx"])
@pytest.mark.parametrize(
    ("stream", "remedy"),
    [
        ("EncryptedPackage", "is protected by a password: save it without one."),
        ("WordDocument", "is a Word file older than 2007: save it as .docx."),
        ("Workbook", "is an Excel file older than 2007: save it as .xlsx."),
        ("PowerPoint Document", "is a PowerPoint file older than 2007: save it as .pptx."),
        ("Another", "is encrypted, or older than 2007: save it as ."),
    ],
)
def test_what_an_office_file_holds_counts_not_its_name(suffix: str, stream: str, remedy: str) -> None:
    """Files with a password and old ones under a new name are told apart by what is in them."""
    with pytest.raises(Unreadable) as refused:
        parse(OLD + bytes(600) + stream.encode("utf-16-le"), name=f"a.{suffix}")
    assert str(refused.value).startswith(f"'a.{suffix}' {remedy}")
