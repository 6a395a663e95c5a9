"""What pages read of a request, and which refusals they show in their form."""

from uuid import UUID

import grpc
from starlette.requests import Request

# Refusals of a whole form that the person mends in the form; other errors are pages of their own.
MENDED_IN_FORM = {
    grpc.StatusCode.INVALID_ARGUMENT: 422,
    grpc.StatusCode.FAILED_PRECONDITION: 422,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.ALREADY_EXISTS: 409,
}


def path_id(request: Request, name: str) -> str:
    """An id of the address."""
    value: UUID = request.path_params[name]
    return str(value)


async def read_form(request: Request) -> dict[str, str]:
    """The posted fields; of several with one name the last."""
    return {name: str(value) for name, value in (await request.form()).items()}
