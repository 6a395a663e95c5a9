"""Envoy's own refusals, shaped as the services' are: google.rpc.Status with an ErrorInfo; a page for a browser.

gRPC gets the Status in `grpc-status-details-bin`, paths of the API and requests too broken to have a path get JSON, all
else is a person at a browser.
"""

import base64
import html
from dataclasses import dataclass
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from deploy.gateway import headers

DOMAIN = "gateway.diary"
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_API = {"safe_regex": {"regex": r"/(v1/|diary\.).*"}}
# Envoy derives grpc-status from the HTTP status and lets nobody change it; the details must say the same. 404 is gRPC's
# UNIMPLEMENTED; what has no word of its own is UNKNOWN.
_GRPC_CODES = {400: 13, 404: 12, 408: 2, 413: 2, 431: 2, 500: 2, 504: 14}
_RETRY_LATER = {429: "1", 503: "5", 504: "5"}


@dataclass(frozen=True)
class Refusal:
    """One refusal of the gateway. `status` is HTTP's, `code` google.rpc.Code; `match` names what Envoy answered."""

    status: int
    code: int
    reason: str
    message: str
    title: str
    advice: str
    match: tuple[int, ...] = ()
    without_token: bool = False
    unreadable: str = ""


_BUSY = "Подождите минуту и обновите страницу."
_BAD = "Откройте дневник с начала и повторите."
REFUSALS = (
    Refusal(400, 3, "REQUEST_INVALID", "grpc-timeout is not up to eight digits and a unit", "", "", unreadable="grpc-timeout"),
    Refusal(400, 3, "REQUEST_INVALID", "grpc-encoding: messages are taken uncompressed", "", "", unreadable="grpc-encoding"),
    Refusal(400, 3, "REQUEST_INVALID", "the request is malformed", "Запрос не понят", _BAD),
    Refusal(
        401,
        16,
        "TOKEN_MISSING",
        "send an access token as `authorization: Bearer`",
        "Нужно войти",
        _BAD,
        match=(401, 403),
        without_token=True,
    ),
    Refusal(
        401,
        16,
        "TOKEN_INVALID",
        "the access token is not valid or has run out; refresh the session",
        "Нужно войти снова",
        _BAD,
        match=(401, 403),
    ),
    Refusal(404, 5, "METHOD_NOT_FOUND", "no such method", "Такой страницы нет", _BAD),
    Refusal(408, 4, "REQUEST_TIMEOUT", "the request took too long to arrive", "Связь слишком медленная", _BUSY),
    Refusal(
        413,
        3,
        "REQUEST_TOO_LARGE",
        "the body has more bytes than the method takes",
        "Файл слишком большой",
        "Файл больше 7 мегабайт. Вернитесь на прежнюю страницу кнопкой «Назад», уменьшите файл и отправьте снова.",
    ),
    Refusal(429, 8, "RATE_LIMITED", "too many requests; wait and repeat", "Слишком много запросов", _BUSY),
    Refusal(431, 3, "HEADERS_TOO_LARGE", "the headers are too large", "Запрос не понят", _BAD),
    Refusal(
        503,
        14,
        "SERVICE_UNAVAILABLE",
        "the service does not answer now; repeat later",
        "Дневник сейчас недоступен",
        "Обычно это меньше минуты. Обновите страницу; если вы что-то сохраняли, проверьте, сохранилось ли.",
    ),
    Refusal(
        504,
        4,
        "SERVICE_TIMEOUT",
        "the service did not answer in time; whether it acted is not known",
        "Дневник отвечает дольше обычного",
        "Обновите страницу; если вы что-то сохраняли, проверьте, сохранилось ли.",
    ),
    Refusal(
        500,
        13,
        "GATEWAY_FAILED",
        "the gateway could not pass the answer on",
        "Что-то сломалось",
        "Обновите страницу. Если не помогает, скажите администратору дневника школы.",
        match=(500, 502),
    ),
)


def local_replies() -> dict[str, Any]:
    """Config of `local_reply_config`: for each refusal gRPC first, then the API's JSON, then the page."""
    mappers: list[dict[str, Any]] = []
    for refusal in REFUSALS:
        mappers.append(_grpc_mapper(refusal))
        if not refusal.unreadable:
            mappers += [_json_mapper(refusal), _page_mapper(refusal)]
    return {"mappers": mappers}


def _grpc_mapper(refusal: Refusal) -> dict[str, Any]:
    code = _GRPC_CODES.get(refusal.status, refusal.code)
    status = Status(code=code, message=refusal.message)
    detail = AnyMessage()
    detail.Pack(ErrorInfo(reason=refusal.reason, domain=DOMAIN))
    status.details.append(detail)
    encoded = base64.b64encode(status.SerializeToString()).decode().rstrip("=")
    return {
        "filter": _when(refusal, *_GRPC, *map(_matches, headers.unreadable(refusal.unreadable))),
        "body_format_override": {"text_format_source": {"inline_string": _escape(refusal.message)}},
        "headers_to_add": [
            _add("grpc-status-details-bin", encoded),
            *_retry_after(refusal),
        ],
    }


def _json_mapper(refusal: Refusal) -> dict[str, Any]:
    info = {"@type": _ERROR_INFO, "reason": refusal.reason, "domain": DOMAIN}
    # The transcoder names the field that it does not know: worth more than our sentence.
    message = "%LOCAL_REPLY_BODY%" if refusal.status == 400 else _escape(refusal.message)
    body = {"code": refusal.code, "message": message, "details": [info]}
    return {
        "filter": _when(refusal, {"or_filter": {"filters": [_header(":path", _API), _absent(":path")]}}),
        "status_code": refusal.status,
        "body_format_override": {"json_format": body, "content_type": "application/json"},
        "headers_to_add": _retry_after(refusal),
    }


def _page_mapper(refusal: Refusal) -> dict[str, Any]:
    page = _PAGE.format(title=html.escape(refusal.title), advice=html.escape(refusal.advice))
    return {
        "filter": _when(refusal),
        "status_code": refusal.status,
        "body_format_override": {
            "text_format_source": {"inline_string": _escape(page)},
            "content_type": "text/html; charset=utf-8",
        },
        "headers_to_add": [_add("cache-control", "no-store"), *_retry_after(refusal)],
    }


def _when(refusal: Refusal, *filters: dict[str, Any]) -> dict[str, Any]:
    codes = [_status(code) for code in refusal.match or (refusal.status,)]
    every = [codes[0] if len(codes) == 1 else {"or_filter": {"filters": codes}}, *filters]
    if refusal.without_token:
        every.append(_absent("authorization"))
    return every[0] if len(every) == 1 else {"and_filter": {"filters": every}}


def _status(code: int) -> dict[str, Any]:
    value = {"default_value": code, "runtime_key": "gateway.refusal_status"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _matches(header: dict[str, Any]) -> dict[str, Any]:
    return {"header_filter": {"header": header}}


def _header(name: str, match: dict[str, Any]) -> dict[str, Any]:
    return _matches({"name": name, "string_match": match})


def _absent(name: str) -> dict[str, Any]:
    return _matches({"name": name, "present_match": True, "invert_match": True})


# A transcoded request looks like gRPC by now; its original path tells it apart.
_GRPC = (_header("content-type", {"prefix": "application/grpc"}), _absent("x-envoy-original-path"))
IS_GRPC = {"and_filter": {"filters": list(_GRPC)}}
IS_OTHER = {
    "or_filter": {
        "filters": [
            _matches({"name": "content-type", "string_match": {"prefix": "application/grpc"}, "invert_match": True}),
            _absent("content-type"),
            _matches({"name": "x-envoy-original-path", "present_match": True}),
        ]
    }
}


def _add(name: str, value: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _retry_after(refusal: Refusal) -> list[dict[str, Any]]:
    seconds = _RETRY_LATER.get(refusal.status)
    return [_add("retry-after", seconds)] if seconds else []


def _escape(text: str) -> str:
    """Envoy reads `%` as the start of a command."""
    return text.replace("%", "%%")


_PAGE = """<!doctype html>
<html lang="ru">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta name="color-scheme" content="light dark">
<style>
body {{ font: 1.125rem/1.5 system-ui, sans-serif; max-width: 32em; margin: 0 auto; padding: 1em }}
h1, .brand {{ font-family: Georgia, "PT Serif", serif; line-height: 1.2 }}
.brand {{ font-weight: 600; border-bottom: thin solid; padding-bottom: .5em }}
</style>
</head>
<body>
<p class="brand">Дневник</p>
<h1>{title}</h1>
<p>{advice}</p>
<p><a href="">Обновить страницу</a> · <a href="/">На главную</a></p>
</body>
</html>
"""
