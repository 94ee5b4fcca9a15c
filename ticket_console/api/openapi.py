"""The OpenAPI document, made of the declared routes and the types of what they take and give."""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter

from ticket_console.api import bodies
from ticket_console.api.errors import MEDIA_TYPE
from ticket_console.api.routing import Endpoint

_PATH_PARAM: Final = re.compile(r"{(\w+)(?::(\w+))?}")
_REF: Final = "#/components/schemas/{model}"
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457). Nothing was changed.",
    "required": ["type", "title", "status", "code", "params", "problems"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "For people, in the language of Accept-Language."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "For programs; it does not change."},
        "params": {"type": "object", "additionalProperties": True},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "title", "code", "params"],
                "properties": {
                    "path": {
                        "type": "string",
                        "description": "The field, such as values.phone or lines[2].qty.",
                    },
                    "title": {"type": "string"},
                    "code": {"type": "string"},
                    "params": {"type": "object", "additionalProperties": True},
                },
            },
        },
    },
}


def document(endpoints: Sequence[Endpoint], *, version: str, server: str) -> dict[str, Any]:
    """The whole API as OpenAPI 3.1."""
    shapes = _Shapes()
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = _PATH_PARAM.sub(r"{\1}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, shapes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ticket Console", "version": version},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, **dict(sorted(shapes.named.items()))},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "tc_session"},
            },
        },
    }


class _Shapes:
    """JSON schemas of types; what has a name of its own is kept once."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    def of(self, kind: Any, *, taken: bool) -> dict[str, Any]:
        schema = TypeAdapter(kind).json_schema(
            ref_template=_REF, mode="validation" if taken else "serialization"
        )
        self.keep(schema.pop("$defs", {}))
        title = schema.get("title")
        if title is None or "properties" not in schema:
            return schema
        self.keep({title: schema})
        return {"$ref": _REF.format(model=title)}

    def keep(self, named: Mapping[str, Any]) -> None:
        for name, schema in named.items():
            if self.named.setdefault(name, schema) != schema:
                raise TypeError(f"two shapes of the API are called {name}")


def _operation(endpoint: Endpoint, shapes: _Shapes) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(endpoint.handler.__doc__ or endpoint.name).partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": " ".join(summary.split()),
        "security": [] if endpoint.is_public else [{"token": []}, {"session": []}],
        "responses": _responses(endpoint, shapes),
    }
    if description:
        operation["description"] = description
    if endpoint.permission is not None:
        operation["x-permission"] = endpoint.permission
    parameters = _parameters(endpoint, shapes)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        schema = shapes.of(endpoint.body, taken=True)
        operation["requestBody"] = {"required": True, "content": {endpoint.consumes: {"schema": schema}}}
    return operation


def _parameters(endpoint: Endpoint, shapes: _Shapes) -> list[dict[str, Any]]:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer"} if kind in {"id", "int"} else {"type": "string"},
        }
        for name, kind in _PATH_PARAM.findall(endpoint.path)
    ]
    if endpoint.query is None:
        return parameters
    schema = endpoint.query.model_json_schema(ref_template=_REF)
    shapes.keep(schema.get("$defs", {}))
    needed = schema.get("required", [])
    return parameters + [
        {"name": name, "in": "query", "required": name in needed, "schema": shape}
        for name, shape in schema.get("properties", {}).items()
    ]


def _responses(endpoint: Endpoint, shapes: _Shapes) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done."}
    if endpoint.answer is not None:
        answer["content"] = {endpoint.produces: {"schema": shapes.of(endpoint.answer, taken=False)}}
    elif endpoint.produces != bodies.JSON:
        answer["content"] = {endpoint.produces: {}}
    refused = {
        "description": "Refused; nothing was changed.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
    }
    return {str(endpoint.status): answer, **dict.fromkeys(_refusals(endpoint), refused)}


def _refusals(endpoint: Endpoint) -> list[str]:
    codes = {"500", "503"}
    if not endpoint.is_public:
        codes |= {"401", "403"}
    if endpoint.own_pages_only:
        codes |= {"403"}
    if "{" in endpoint.path:
        codes |= {"404"}
    if endpoint.query is not None:
        codes |= {"422"}
    if endpoint.method != "GET":
        codes |= {"400", "404", "409", "413", "422"}
    if endpoint.body is not None:
        codes |= {"415"}
    if endpoint.per_minute is not None:
        codes |= {"429"}
    return sorted(codes)
