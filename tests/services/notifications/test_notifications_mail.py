import asyncio
import email
import email.policy
import os
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.notifications.adapters.mail_folder import MailFolder
from services.notifications.adapters.smtp import SmtpMailer, SmtpServer
from services.notifications.models import Mail, MailAway, MailRefused
from tests.conftest import START

MAIL = Mail(
    message_id="ntf_1@cohort.example",
    to_name="Āśā Rao",
    to_email="asha@example.com",
    subject="Your order is confirmed: ₹3,048",
    text="Hello Āśā,\n\nthank you.\n",
    html="<p>Hello Āśā,</p>",
    date=START,
)


def parsed(raw: bytes) -> Any:
    return email.message_from_bytes(raw, policy=email.policy.default)


def check(message: Any) -> None:
    assert message["Message-ID"] == "<ntf_1@cohort.example>"
    assert message["Subject"] == "Your order is confirmed: ₹3,048"
    assert message["To"] == "Āśā Rao <asha@example.com>"
    assert message["From"] == "Cohort <no-reply@cohort.example>"
    assert message["Date"].datetime == START
    assert message.get_body(["plain"]).get_content().splitlines() == ["Hello Āśā,", "", "thank you."]
    assert "<p>Hello Āśā,</p>" in message.get_body(["html"]).get_content()


async def test_the_folder_gets_one_whole_file_for_each_mail(tmp_path: Path):
    mailer = MailFolder(tmp_path / "outbox")
    await mailer.send(MAIL)
    await mailer.send(MAIL)
    await mailer.send(replace(MAIL, message_id="ntf_2@cohort.example"))
    files = sorted(path.name for path in (tmp_path / "outbox").iterdir())
    assert files == ["20261101T063000-ntf_1.eml", "20261101T063000-ntf_2.eml"]
    check(parsed((tmp_path / "outbox" / files[0]).read_bytes()))


async def test_a_folder_that_cannot_be_written_is_away(tmp_path: Path):
    (tmp_path / "outbox").write_text("a file")
    with pytest.raises(MailAway):
        await MailFolder(tmp_path / "outbox").send(MAIL)


@pytest.mark.parametrize(
    "change", [{"to_email": "not an address"}, {"subject": "two\nlines"}, {"to_name": "a\r\nBcc: x"}]
)
async def test_a_mail_that_would_smuggle_headers_is_refused(tmp_path: Path, change: dict[str, str]):
    with pytest.raises(MailRefused):
        await MailFolder(tmp_path).send(replace(MAIL, **change))
    assert os.listdir(tmp_path) == []  # noqa: PTH208


@dataclass
class Inbox:
    """What the server took; `answers` are its words to the recipient and to the data."""

    taken: list[Envelope] = field(default_factory=list)
    logged_in: list[bool] = field(default_factory=list)
    to_recipient: str = "250 OK"
    to_data: str = "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, _server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.logged_in.append(session.authenticated)
        if self.to_data.startswith("250"):
            self.taken.append(envelope)
        return self.to_data


Serve = Callable[..., Any]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def serve(inbox: Inbox) -> AsyncIterator[Serve]:
    """Starts a server in this loop; gives its port."""

    started: list[asyncio.Server] = []

    async def start(*, implicit_tls: ssl.SSLContext | None = None, **settings: Any) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(inbox, hostname="localhost", loop=loop, **settings), "127.0.0.1", 0, ssl=implicit_tls
        )
        started.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    for server in started:
        server.close()
        await server.wait_closed()


@dataclass(frozen=True)
class Tls:
    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail of this test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    path = tmp_path / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(path)
    return Tls(server, ssl.create_default_context(cafile=str(path)))


def mailer(url: str, tls: ssl.SSLContext | None = None) -> SmtpMailer:
    return SmtpMailer(SmtpServer.parse(url), timeout_seconds=5.0, tls=tls)


async def test_a_mail_arrives_by_smtp(serve: Serve, inbox: Inbox):
    port = await serve()
    await mailer(f"smtp://127.0.0.1:{port}").send(MAIL)
    [envelope] = inbox.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@cohort.example", ["asha@example.com"])
    check(parsed(envelope.content))


async def test_name_and_password_of_the_url_log_in(serve: Serve, inbox: Inbox):
    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        right = (data.login, data.password) == (b"shop", b"p@ss/word")
        return AuthResult(success=right, handled=False)

    port = await serve(authenticator=authenticate, auth_require_tls=False)
    await mailer(f"smtp://shop:p%40ss%2Fword@127.0.0.1:{port}").send(MAIL)
    assert len(inbox.taken) == 1
    with pytest.raises(MailAway):
        await mailer(f"smtp://shop:wrong@127.0.0.1:{port}").send(MAIL)
    assert len(inbox.taken) == 1


async def test_starttls_is_used_when_asked_for_and_never_skipped(serve: Serve, inbox: Inbox, tls: Tls):
    port = await serve(tls_context=tls.server, require_starttls=True)
    await mailer(f"smtp://127.0.0.1:{port}?starttls=1", tls.client).send(MAIL)
    assert len(inbox.taken) == 1
    with pytest.raises(MailAway):
        await mailer(f"smtp://127.0.0.1:{await serve()}?starttls=1", tls.client).send(MAIL)
    with pytest.raises(MailAway):
        await mailer(f"smtp://127.0.0.1:{port}?starttls=1").send(MAIL)
    assert len(inbox.taken) == 1


async def test_smtps_is_encrypted_from_the_start(serve: Serve, inbox: Inbox, tls: Tls):
    port = await serve(implicit_tls=tls.server)
    await mailer(f"smtps://127.0.0.1:{port}", tls.client).send(MAIL)
    assert len(inbox.taken) == 1
    with pytest.raises(MailAway):
        await mailer(f"smtps://127.0.0.1:{port}").send(MAIL)


@pytest.mark.parametrize(
    ("to_recipient", "to_data", "outcome"),
    [
        ("550 no such mailbox", "250 OK", MailRefused),
        ("450 mailbox busy", "250 OK", MailAway),
        ("250 OK", "554 looks like spam", MailRefused),
        ("250 OK", "451 try later", MailAway),
    ],
)
async def test_a_final_no_is_told_from_a_later(serve: Serve, inbox: Inbox, to_recipient, to_data, outcome):
    inbox.to_recipient, inbox.to_data = to_recipient, to_data
    with pytest.raises(outcome):
        await mailer(f"smtp://127.0.0.1:{await serve()}").send(MAIL)
    assert inbox.taken == []


async def test_a_server_that_is_not_there_is_away():
    with pytest.raises(MailAway):
        await mailer("smtp://127.0.0.1:1").send(MAIL)


@pytest.mark.parametrize(
    ("url", "port", "use_tls", "start_tls"),
    [
        ("smtp://mail.example", 25, False, False),
        ("smtp://mail.example?starttls=1", 587, False, True),
        ("smtps://mail.example", 465, True, False),
        ("smtp://u:p@mail.example:1025", 1025, False, False),
    ],
)
def test_an_smtp_url_says_how_to_connect(url: str, port: int, use_tls: bool, start_tls: bool):
    server = SmtpServer.parse(url)
    assert (server.host, server.port, server.use_tls, server.start_tls) == ("mail.example", port, use_tls, start_tls)


@pytest.mark.parametrize("url", ["http://secretpass@mail", "mail.example:25", "smtp://", "smtp://:secretpass@"])
def test_a_wrong_smtp_url_is_refused_without_being_repeated(url: str):
    with pytest.raises(ValueError, match="looks like") as wrong:
        SmtpServer.parse(url)
    assert "secretpass" not in str(wrong.value)
