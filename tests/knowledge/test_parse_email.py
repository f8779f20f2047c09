from __future__ import annotations

import io
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart

import docx
import pytest

from ken.domain.document import Metadata, ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.mail_message import DEEPEST, MOST_ATTACHMENT_BYTES, MOST_ATTACHMENTS
from ken.knowledge.parse.parser import IsolatedParser, parse

HEAD = (
    b"From: Ann <ann@example.org>\r\nTo: team@example.org\r\nSubject: Leave\r\nDate: Sun, 1 Feb 2026 23:30:00 -0500\r\n"
)


def read(message: Message | bytes) -> ParsedDocument:
    """The message as Ken reads it."""
    return parse(message if isinstance(message, bytes) else message.as_bytes(), name="inbox/1.eml")


def letter(text: str = "Hello.") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"] = "Ann <ann@example.org>", "Leave"
    message.set_content(text)
    return message


def word_file(text: str) -> bytes:
    written = docx.Document()
    written.add_heading("Rules", 1)
    written.add_paragraph(text)
    stream = io.BytesIO()
    written.save(stream)
    return stream.getvalue()


def test_a_message_says_who_wrote_it_when_and_to_whom() -> None:
    """The subject is the title, the date that in UTC, and each header a line above the text."""
    parsed = read(HEAD + b"Cc: Bo Li <bo@example.org>, c@example.org\r\n\r\nTake *ten* days.\r\n\r\n- one\r\n- two\r\n")
    assert parsed.text == (
        "# Leave\n\n**From:** Ann \\<ann@example.org>  \n**Date:** 2026-02-02 04:30 UTC  \n**To:** team@example.org  \n"
        "**Cc:** Bo Li \\<bo@example.org>, c@example.org\n\nTake \\*ten\\* days.\n\n- one\n- two\n"
    )
    assert parsed.metadata == Metadata(title="Leave", effective="2026-02-02", modified="2026-02-02")
    assert [block.kind for block in parsed.blocks] == ["heading", "paragraph", "paragraph", "list_item", "list_item"]
    assert (parsed.markup, parsed.warnings) == ("markdown", ())


def test_encoded_and_raw_headers_are_decoded() -> None:
    """Encoded words in any charset, folded ones, raw UTF-8 and nonsense all become text."""
    raw = (
        "From: =?utf-8?Q?J=C3=BCrgen?= <j@example.org>\r\nTo: =?x-unknown?Q?a?= <t@example.org>, Ä <u@example.org>\r\n"
        "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\n =?utf-8?B?4oI=?= =?utf-8?Q?=AC_and?= Ü\r\nDate: yesterday\r\n\r\nx\r\n"
    ).encode()
    parsed = read(raw)
    assert parsed.metadata.title == "Grüße€ and Ü"
    assert "**From:** Jürgen \\<j@example.org>  \n**Date:** yesterday" in parsed.text
    assert "Ä \\<u@example.org>" in parsed.text
    assert parsed.metadata.effective is None


@pytest.mark.parametrize(
    ("charset", "payload"),
    [("utf-8", "Grüße €"), ("iso-8859-1", "Grüße"), ("windows-1251", "Привет"), ("shift_jis", "こんにちは"), ("utf-7", "Hi +AOk-")],
)  # fmt: skip
def test_text_is_read_in_its_charset(charset: str, payload: str) -> None:
    """The charset that the part names counts, in plain text and HTML alike."""
    shown = payload.replace("+AOk-", "é")
    encoded = payload.encode("ascii" if charset == "utf-7" else charset)
    for kind in ("plain", "html"):
        head = (
            HEAD + f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode()
        )
        assert shown in read(head + encoded).text


def test_a_charset_that_is_none_is_guessed() -> None:
    """Unknown names, and codecs that don't give text, are read as UTF-8 or Windows-1252."""
    for charset in (b"nonsense", b"zip", b"punycode", b"unicode_escape", b"\xff"):
        parsed = read(HEAD + b'Content-Type: text/plain; charset="' + charset + b'"\r\n\r\nGr\xfc\xdfe\r\n')
        assert "Grüße" in parsed.text


def test_quotations_are_kept_and_marked() -> None:
    """Marked lines become quotations of their depth; so does what stands below a quoted head without marks."""
    parsed = read(HEAD + b"\r\nYes.\r\n\r\nOn Monday, Bo wrote:\r\n> May I?\r\n>> No.\r\n> Please.\r\n\r\nAnn\r\n")
    assert "Yes.\n\nOn Monday, Bo wrote:\n\n> May I?\n\n> > No.\n\n> Please.\n\nAnn\n" in parsed.text
    assert [block.kind for block in parsed.blocks][-6:] == [
        "paragraph",
        "paragraph",
        "quote",
        "quote",
        "quote",
        "paragraph",
    ]
    outlook = read(
        HEAD + b"\r\nDone.\r\n\r\nFrom: Bo\r\nSent: Monday\r\nTo: Ann\r\nSubject: x\r\n\r\nPlease do it.\r\n"
    )
    assert outlook.text.endswith(
        "Done.\n\n> From: Bo  \n> Sent: Monday  \n> To: Ann  \n> Subject: x\n\n> Please do it.\n"
    )
    older = read(HEAD + b"\r\nDone.\r\n\r\n-----Original Message-----\r\nPlease do it.\r\n")
    assert older.text.endswith("Done.\n\n> Please do it.\n")


def test_flowed_text_is_joined() -> None:
    """Lines with a blank at their end go on, within their depth; stuffed blanks go, and a signature stands alone."""
    body = b"This goes \r\non and \r\non.\r\n From here\r\n> quoted \r\n> text\r\n-- \r\nAnn\r\n"
    parsed = read(HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + body)
    assert "This goes on and on.  \nFrom here\n\n> quoted text\n\n" in parsed.text
    closely = read(HEAD + b"Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\nsyl \r\nlable\r\n")
    assert closely.text.endswith("\n\nsyllable\n")


def test_plain_text_is_preferred_to_html() -> None:
    """Of alternatives the plain text counts if it says anything, else the HTML, whose headings go below the subject."""
    message = letter("The plain words.\n")
    message.add_alternative("<h1>Big</h1><p>The <b>HTML</b> words.</p>", subtype="html")
    assert "The plain words." in read(message).text
    assert "HTML" not in read(message).text
    message = letter(" \n")
    message.add_alternative("<h1>Big</h1><p>The <b>HTML</b> words.</p><blockquote>said</blockquote>", subtype="html")
    assert read(message).text.endswith("## Big\n\nThe HTML words.\n\n> said\n")


def test_attachments_are_read_under_their_names() -> None:
    """Formats that Ken reads follow the text, headings below theirs; what can't be read is named."""
    message = letter("See below.\n")
    message.add_attachment(
        word_file("Ten days."), maintype="application", subtype="octet-stream", filename="rüles.docx"
    )
    message.add_attachment("# Top\n\n- a\n\nUnder\n-----\n", subtype="plain", filename="../../x/notes.md")
    message.add_attachment("LEAVE RULES\n\nTen days.\n\n1. Ask\n2. Go\n", subtype="plain", filename="rules.txt")
    message.add_attachment(b"\x00\x01", maintype="application", subtype="zip", filename="a.zip")
    message.add_attachment(b"no word file", maintype="application", subtype="octet-stream", filename="broken.docx")
    parsed = read(message)
    _, _, attached = parsed.text.partition("See below.\n\n")
    assert attached == (
        "## Attachment: rüles.docx\n\n### Rules\n\nTen days.\n\n"
        "## Attachment: notes.md\n\n### Top\n\n- a\n\n#### Under\n\n"
        "## Attachment: rules.txt\n\n### LEAVE RULES\n\nTen days.\n\n1. Ask\n2. Go\n"
    )
    assert len(parsed.warnings) == 2
    assert "'a.zip' (application/zip) was not read" in parsed.warnings[0]
    assert "'broken.docx'" in parsed.warnings[1]


def test_pictures_of_the_text_and_signatures_are_passed_over() -> None:
    """Only what a reader would miss is named: not a logo in the HTML, not a signature's file."""
    message = letter()
    message.add_alternative("<p>Hi <img src='cid:logo'></p>", subtype="html")
    message.get_payload()[1].add_related(b"png", maintype="image", subtype="png", cid="<logo>")
    message.add_attachment(b"sig", maintype="application", subtype="pgp-signature", filename="signature.asc")
    message.add_attachment(b"png", maintype="image", subtype="png", filename="plan.png")
    assert read(message).warnings == ("The attachment 'plan.png' (image/png) was not read.",)


def test_messages_within_messages_are_read_so_far() -> None:
    """An attached message stands under its subject, down to a limit, and as a file too."""
    message = letter("Innermost.\n")
    for level in range(DEEPEST + 2):
        outer = letter(f"Level {level}.\n")
        outer.add_attachment(message)
        message = outer
    parsed = read(message)
    assert [f"Level {level}." in parsed.text for level in range(DEEPEST + 2)] == [False, *[True] * (DEEPEST + 1)]
    assert "Innermost" not in parsed.text
    assert len(parsed.warnings) == 1
    assert "Level 4.\n\n## Attachment: Leave\n\n**From:** Ann" in parsed.text

    outer = letter()
    outer.add_attachment(HEAD + b"\r\nInside.\r\n", maintype="application", subtype="octet-stream", filename="old.eml")
    assert "## Attachment: old.eml\n\n### Leave\n\n**From:**" in read(outer).text


def test_many_and_large_attachments_have_limits() -> None:
    """Beyond the limits they are named or counted, and not read."""
    message = letter()
    for number in range(MOST_ATTACHMENTS + 30):
        message.add_attachment(f"text {number}\n", filename=f"{number}.txt")
    parsed = read(message)
    assert f"text {MOST_ATTACHMENTS - 1}\n" in parsed.text
    assert f"text {MOST_ATTACHMENTS}\n" not in parsed.text
    assert parsed.warnings[-1] == "10 more attachments were not read."
    message = letter()
    message.add_attachment(
        b"x" * (MOST_ATTACHMENT_BYTES + 1), maintype="text", subtype="plain", cte="8bit", filename="a.txt"
    )
    assert "MB; at most 25" in read(message).warnings[0]


def test_what_is_no_message_is_refused() -> None:
    """Empty files, other files and encrypted messages have their own words."""
    encrypted = MIMEMultipart("encrypted", protocol="application/pgp-encrypted")
    encrypted["From"] = "Ann <ann@example.org>"
    cases = {
        b" \r\n": "empty",
        b"Dear all,\r\n\r\nno headers\r\n": "no message",
        encrypted.as_bytes(): "encrypted",
        HEAD + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx": "encrypted",
    }
    for data, words in cases.items():
        with pytest.raises(Unreadable, match=words):
            read(data)


def test_hostile_messages_are_held_by_the_worker() -> None:
    """Parts nested a thousand deep, broken borders, long headers and marks end in a document or a plain refusal."""
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (level, level) for level in range(1_000)
    )
    cases = [
        HEAD + deep,
        HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno border at all\r\n",
        HEAD + b"Content-Type: multipart/mixed\r\n\r\n--\r\n",
        HEAD + b"To: " + b"a@b," * 100_000 + b"\r\n\r\nx\r\n",
        HEAD + b"X: " + b"=?utf-8?Q?" * 50_000 + b"\r\n\r\nx\r\n",
        HEAD + b"\r\n" + b">" * 1_000_000 + b"\r\n",
        HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"x \r\n" * 100_000,
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n!!!!\r\n",
    ]
    outcomes: list[str] = []
    with IsolatedParser(time_limit_s=10) as parser:
        for data in cases:
            try:
                parser.parse(data, name="1.eml")
            except Unreadable as error:
                outcomes.append("refused" if "refused" in str(error) else str(error))
            else:
                outcomes.append("read")
    assert outcomes == ["refused", *["read"] * 7]
