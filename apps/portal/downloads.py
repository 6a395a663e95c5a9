"""Files that the services made, passed on to a browser."""

from urllib.parse import quote

from google.api.httpbody_pb2 import HttpBody
from starlette.responses import Response

_ENDINGS = {
    "application/pdf": "pdf",
    "application/zip": "zip",
    "image/jpeg": "jpg",
    "image/png": "png",
    "application/pkcs7-signature": "sig",
}
_PLAIN = "application/octet-stream"


def attachment(file: HttpBody, ascii_name: str, name: str = "") -> Response:
    """A file to be kept. Names have no ending and say nothing of whom it is for: they stay in lists of downloads."""
    kind = file.content_type if file.content_type in _ENDINGS else _PLAIN
    ending = _ENDINGS.get(kind, "sig")
    disposition = f'attachment; filename="{ascii_name}.{ending}"'
    if name:
        disposition += f"; filename*=UTF-8''{quote(f'{name}.{ending}')}"
    return Response(file.data, media_type=kind, headers={"content-disposition": disposition})
