"""Where a buyer has things sent."""

from fastapi import APIRouter
from starlette.responses import Response

from services.contracts.auth import Address, AddressIn, AddressPatch, AuthPort, TooManyAddresses
from services.kit.errors import Conflict, NotFound, Unauthenticated
from services.kit.web import User, answer, problems
from services.kit.wire import Page


def add_addresses(router: APIRouter, auth: AuthPort) -> None:
    path = "/users/me/addresses"

    @router.get(path, response_model=Page[Address], responses=problems(Unauthenticated, NotFound))
    async def list_addresses(who: User) -> Response:
        """The caller's addresses, the default first."""
        return answer(Page[Address](items=await auth.addresses(who)))

    @router.post(
        path,
        status_code=201,
        response_model=Address,
        responses=problems(Unauthenticated, NotFound, TooManyAddresses, Conflict),
    )
    async def add_address(who: User, address: AddressIn) -> Response:
        """Add an address; the first one is the default."""
        return answer(await auth.add_address(who, address), 201)

    @router.patch(
        path + "/{addressId}", response_model=Address, responses=problems(Unauthenticated, NotFound, Conflict)
    )
    async def update_address(who: User, addressId: str, patch: AddressPatch) -> Response:  # noqa: N803 - the wire's name
        """Change an address of the caller."""
        return answer(await auth.update_address(who, addressId, patch))

    @router.delete(
        path + "/{addressId}",
        status_code=204,
        response_class=Response,
        responses=problems(Unauthenticated, NotFound, Conflict),
    )
    async def delete_address(who: User, addressId: str) -> Response:  # noqa: N803 - the wire's name
        """Delete an address; the oldest remaining one becomes the default."""
        await auth.delete_address(who, addressId)
        return Response(status_code=204)
