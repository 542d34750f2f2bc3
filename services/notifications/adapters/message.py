from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr

from services.notifications.models import Mail, MailRefused


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The mail as RFC 5322 wants it. Raises MailRefused when its address cannot be written."""
    message = EmailMessage(policy=SMTP)
    from_name, from_email = parseaddr(sender)
    try:
        message["From"] = Address(from_name, addr_spec=from_email)
        message["To"] = Address(mail.to_name, addr_spec=mail.to_email)
        message["Subject"] = mail.subject
    except (ValueError, MessageError) as error:
        raise MailRefused(f"the mail cannot be addressed: {error}") from error
    message["Date"] = mail.date
    message["Message-ID"] = f"<{mail.message_id}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message
