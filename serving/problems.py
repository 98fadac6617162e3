"""Errors as problem documents (RFC 9457): what is wrong, where, and the cure."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from features.log import LogUnavailable
from serving.causes import cause

MEDIA_TYPE = "application/problem+json"

_WIDEST = 100
"""So much of a name is told back."""

_UNREADABLE = "The body cannot be read: send JSON in UTF-8, nested no deeper than a few levels."
_OUR_FAULT = (
    "This is a fault of the server, not of the request. A repeated message id is safe: send it again; where it fails again, "
    "whoever runs the server finds the cause in its output."
)


class Problem(Exception):
    """An answer that is an error. `errors` are (where, cause) pairs."""

    def __init__(
        self, status: int, title: str, detail: str, *, errors: Sequence[tuple[str, str]] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document."""

    @app.exception_handler(Problem)
    def known(_: Request, problem: Problem) -> JSONResponse:
        return _answer(problem)

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [(".".join(str(part)[:_WIDEST] for part in one["loc"]), cause(one)) for one in error.errors()]
        return _answer(Problem(422, "The request is malformed", "See errors for each field at fault.", errors=errors))

    @app.exception_handler(HTTPException)
    def http(asked: Request, error: HTTPException) -> JSONResponse:
        title, headers, path = str(error.detail), dict(error.headers or {}), asked.url.path
        cures = {
            400: _UNREADABLE,
            404: f"nothing is at {path!r}; /docs lists every address",
            405: f"{path!r} does not take {asked.method}; it takes {headers.get('Allow', 'what /docs says')}",
        }
        return _answer(Problem(error.status_code, title, cures.get(error.status_code, title)), headers)

    @app.exception_handler(LogUnavailable)
    def unavailable(_: Request, error: LogUnavailable) -> JSONResponse:
        detail = "Nothing was accepted: the log cannot be written now. Send it again later; a repeated message id is safe."
        return _answer(Problem(503, "The log is unavailable", detail, retry_after=5))

    @app.exception_handler(Exception)
    def unforeseen(_: Request, __: Exception) -> JSONResponse:
        # the server's own log has the traceback; the caller learns nothing of the inside
        return _answer(Problem(500, "The server failed", _OUR_FAULT))


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body: dict[str, object] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = [{"field": field, "cause": cause} for field, cause in problem.errors]
    again = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    return JSONResponse(body, status_code=problem.status, media_type=MEDIA_TYPE, headers={**(headers or {}), **again})


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    422: {
        "description": "The request is malformed; each fault is named.",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                        "errors": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {"field": {"type": "string"}, "cause": {"type": "string"}},
                            },
                        },
                    },
                }
            }
        },
    }
}
"""How the OpenAPI document describes a problem."""

TAKEN: dict[int | str, dict[str, Any]] = {409: DOCUMENTED[422] | {"description": "The message id says something else already."}}
