"""Messages by mail, over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal

import anyio.to_thread

from ken.domain.alert import Notice
from ken.errors import DeliveryFailed
from ken.operations.alerts.delivery.message import Links, subject, text

Security = Literal["starttls", "tls", "none"]
"""The connection is encrypted once it stands; from the start; or not at all, which is for a relay on the same machine."""

_LATER = 400
_NEVER = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChannel:
    """One mail a message, to all recipients."""

    name: str
    host: str
    port: int
    security: Security
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 20.0
    links: Links = field(default_factory=Links)
    trust: ssl.SSLContext | None = None
    """None: what the machine trusts."""

    async def send(self, notice: Notice) -> None:
        """As promised by `Channel`; in a thread, as the standard library's client waits."""
        await anyio.to_thread.run_sync(self._send, notice, abandon_on_cancel=True)

    async def aclose(self) -> None:
        """As promised by `Channel`: nothing is kept open."""

    def mail(self, notice: Notice) -> EmailMessage:
        """The mail of a message."""
        mail = EmailMessage()
        mail["Subject"] = " ".join(subject(notice).split())
        mail["From"] = self.sender
        mail["To"] = ", ".join(self.to)
        mail["Date"] = formatdate(notice.made_at)
        mail["Message-ID"] = make_msgid(idstring=notice.id, domain=self._domain)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text(notice, self.links))
        if notice.page:
            mail.add_alternative(notice.page, subtype="html")
        return mail

    def _send(self, notice: Notice) -> None:
        trust = self.trust or ssl.create_default_context()
        try:
            with self._connected(trust) as server:
                if self.security == "starttls":
                    server.starttls(context=trust)
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(self.mail(notice), to_addrs=list(self.to))
        except smtplib.SMTPResponseException as error:
            is_final = error.smtp_code >= _NEVER
            raise DeliveryFailed(f"{self.name!r} answered {error.smtp_code}.", is_final=is_final) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            raise DeliveryFailed(
                f"{self.name!r} took none of the recipients ({', '.join(map(str, sorted(codes)))}).",
                is_final=min(codes, default=_LATER) >= _NEVER,
            ) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryFailed(f"{self.name!r} can't be reached ({type(error).__name__}: {error}).") from None

    def _connected(self, trust: ssl.SSLContext) -> smtplib.SMTP:
        named = self._domain  # else the library would ask the network what this machine is called
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, named, timeout=self.timeout_s, context=trust)
        return smtplib.SMTP(self.host, self.port, named, timeout=self.timeout_s)

    @property
    def _domain(self) -> str:
        return self.sender.rpartition("@")[2].strip("> ") or "ken"
