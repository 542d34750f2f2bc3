"""A mailer that speaks SMTP."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from aiosmtplib.errors import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPSenderRefused

from services.notifications.adapters.message import message_of
from services.notifications.models import Mail, MailAway, Mailer, MailRefused


@dataclass(frozen=True)
class SmtpServer:
    """`smtp://user:pass@host:port` in the clear, `smtp://…?starttls=1` upgraded before anything else is said,
    `smtps://…` encrypted from the start.
    """

    host: str
    port: int
    user: str | None
    password: str | None
    use_tls: bool
    start_tls: bool

    @classmethod
    def parse(cls, url: str) -> "SmtpServer":
        """Raises ValueError; the message does not repeat the URL, which may hold a password."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("an SMTP URL looks like smtp://user:password@host:587?starttls=1 or smtps://host")
        start_tls = parse_qs(parts.query).get("starttls", ["0"])[-1].lower() in {"1", "true", "yes"}
        encrypted = parts.scheme == "smtps"
        usual_port = 465 if encrypted else 587 if start_tls else 25
        return cls(
            host=parts.hostname,
            port=parts.port or usual_port,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=encrypted,
            start_tls=start_tls and not encrypted,
        )


class SmtpMailer(Mailer):
    """One connection for each mail, given up after `timeout_seconds` in all."""

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: str = "Cohort <no-reply@cohort.example>",
        timeout_seconds: float = 20.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` is for a server whose certificate comes from an authority of one's own."""
        self._server = server
        self._tls = tls
        self._sender = sender
        self._timeout_seconds = timeout_seconds

    async def send(self, mail: Mail) -> None:
        message = message_of(mail, self._sender)
        server = self._server
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await aiosmtplib.send(
                    message,
                    hostname=server.host,
                    port=server.port,
                    username=server.user,
                    password=server.password,
                    use_tls=server.use_tls,
                    start_tls=server.start_tls,
                    tls_context=self._tls,
                    timeout=self._timeout_seconds,
                )
        except (SMTPException, OSError, TimeoutError) as error:
            raise _outcome(error) from error


def _outcome(error: Exception) -> MailAway | MailRefused:
    """Only what the server says of this very mail, with a 5xx code, is final."""
    reason = f"{type(error).__name__}: {error}"[:300]
    if isinstance(error, SMTPRecipientsRefused):
        return MailRefused(reason) if all(r.code >= 500 for r in error.recipients) else MailAway(reason)
    if isinstance(error, SMTPSenderRefused | SMTPDataError) and error.code >= 500:
        return MailRefused(reason)
    return MailAway(reason)
