"""Accounts as services see them: how to reach a user."""

from services.contracts.auth import Contact
from services.kit.errors import Forbidden, NotFound
from services.kit.principal import Principal


class FakeAccounts:
    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    async def contact(self, who: Principal, user_id: str) -> Contact:
        if not who.service:
            raise Forbidden("not for you")
        if user_id not in self.names:
            raise NotFound.of("account")
        return Contact(user_id=user_id, name=self.names[user_id], email="seller@example.com")
