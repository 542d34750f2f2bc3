import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta

from services.auth.models import LinkPurpose, MailedLink, MailRequest, User
from services.auth.repository import SLOTS, AuthRepository
from services.contracts.auth import LinkRefused
from services.contracts.notifications import AccountMail, AccountMailPort
from services.kit.clock import Clock
from services.kit.ids import Ids
from services.kit.log import get_logger
from services.kit.outbox import Unit

log = get_logger("auth")

_PAGES: dict[str, tuple[LinkPurpose, str]] = {
    "password_reset": ("password_reset", "reset-password"),
    "verify_email": ("verify_email", "verify-email"),
}


class AccountMails:
    """Mail about accounts: asked for in the same write as its cause, handed to notifications by `send_requested`.

    A link's token is made when its mail is written; here only its hash is kept. `pages` is the address of the pages
    that links lead to; the token stands behind the `#`, which browsers send to nobody.
    """

    def __init__(
        self,
        repository: AuthRepository,
        mail: AccountMailPort,
        *,
        ids: Ids,
        clock: Clock,
        pages: str,
        reset_minutes: int,
        verify_days: int,
        new_token: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        self._repository = repository
        self._mail = mail
        self._ids = ids
        self._clock = clock
        self._pages = pages.rstrip("/")
        self._reset_minutes = reset_minutes
        self._lifetimes = {
            "password_reset": timedelta(minutes=reset_minutes), "verify_email": timedelta(days=verify_days),
        }  # fmt: skip
        self._new_token = new_token

    async def ask(self, template: AccountMail, user_id: str, unit: Unit | None = None) -> None:
        await self._repository.add_mail_request(self._request(template, user_id=user_id), unit)

    async def ask_for_whom(self, template: AccountMail, email: str) -> None:
        """Whether there is such an account is looked up later: nobody can tell by the time this takes."""
        await self._repository.add_mail_request(self._request(template, email=email))

    def _request(self, template: AccountMail, *, user_id: str | None = None, email: str | None = None) -> MailRequest:
        return MailRequest(self._ids.new("amr"), template, self._clock.now(), user_id=user_id, email=email)

    async def send_requested(self) -> int:
        """Hand over what was asked for; a loop calls this every second. How many were done with.

        A request that fails stays for the next time; after a crash it may get a second token, but only one mail.
        """
        done = 0
        for slot in range(SLOTS):
            for request in await self._repository.mail_requests(slot):
                await self._send(request)
                await self._repository.drop_mail_request(request.request_id)
                done += 1
        return done

    async def _send(self, request: MailRequest) -> None:
        user = await self._addressee(request)
        if user is None or user.deleted_at or user.disabled_at:
            log.info("account_mail_for_nobody", template=request.template)
            return
        data = await self._link(user, request.template) if request.template in _PAGES else {}
        await self._mail.send_account_mail(user.user_id, request.template, data, key=request.request_id)

    async def _addressee(self, request: MailRequest) -> User | None:
        if request.user_id is not None:
            return await self._repository.find_user(request.user_id)
        return await self._repository.find_user_by_email(request.email or "")

    async def _link(self, user: User, template: AccountMail) -> dict[str, str]:
        purpose, page = _PAGES[template]
        token = self._new_token()
        expires_at = self._clock.now() + self._lifetimes[purpose]
        link = MailedLink(_hashed(token), user.user_id, purpose, user.sign_in_epoch, expires_at)
        await self._repository.add_link(link)
        return {"link": f"{self._pages}/{page}#token={token}", "minutes": str(self._reset_minutes)}

    async def redeem(self, token: str, purpose: LinkPurpose, unit: Unit) -> User:
        """Whose link it was, used up by this unit. Raises LinkRefused."""
        link = await self._repository.take_link(_hashed(token), purpose, self._clock.now(), unit)
        user = await self._repository.find_user(link.user_id, unit) if link else None
        if link is None or user is None or user.deleted_at or user.disabled_at:
            raise _refused()
        if purpose == "password_reset" and user.sign_in_epoch != link.sign_in_epoch:
            raise _refused()
        return user


def _hashed(token: str) -> str:
    """The token has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _refused() -> LinkRefused:
    return LinkRefused("this link was used, has expired or is not ours; ask for a new one", field="token")
