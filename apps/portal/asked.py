"""What pages read of a request, and which refusals they show in their form."""

import unicodedata
from dataclasses import dataclass
from uuid import UUID

import grpc
from starlette.datastructures import UploadFile
from starlette.requests import Request

# Refusals of a whole form that the person mends in the form; other errors are pages of their own.
MENDED_IN_FORM = {
    grpc.StatusCode.INVALID_ARGUMENT: 422,
    grpc.StatusCode.FAILED_PRECONDITION: 422,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.ALREADY_EXISTS: 409,
}
_CODE_DIGITS = 6
# What a service takes of a file; the gateway lets no more than 8 MiB through, and says so on a page of its own.
FILE_BYTES = 7 * 1024 * 1024
FILE_TOO_LARGE = "Файл больше 7 мегабайт. Уменьшите его (например, отсканируйте в оттенках серого) или разделите на части."


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a form, whole. The name is what the browser calls it, without folders."""

    name: str
    content: bytes


def path_id(request: Request, name: str) -> str:
    """An id of the address."""
    value: UUID = request.path_params[name]
    return str(value)


async def read_form(request: Request) -> dict[str, str]:
    """The posted fields; of several with one name the last. Files are left out."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def read_code(form: dict[str, str]) -> str:
    """The digits of a one-time code, typed or pasted as 123 456 too; empty when they are not six."""
    digits = "".join(sign for sign in unicodedata.normalize("NFKC", form.get("code", "")) if sign.isdecimal())
    return digits if len(digits) == _CODE_DIGITS else ""


async def read_list(request: Request, name: str) -> list[str]:
    """All posted values of a name, as of checkboxes."""
    return [value for value in (await request.form()).getlist(name) if isinstance(value, str)]


async def read_files(request: Request, name: str) -> list[SentFile]:
    """The files of a name. A field left empty is none."""
    files = []
    for value in (await request.form()).getlist(name):
        if isinstance(value, UploadFile) and value.filename:
            # The form is kept, and read once more when the session had to be renewed.
            await value.seek(0)
            bare = value.filename.replace("\\", "/").rpartition("/")[2]
            files.append(SentFile(bare, await value.read()))
    return files
