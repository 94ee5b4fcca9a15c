"""The API for reading: one plain page made of the OpenAPI document, which loads nothing from anywhere."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from ticket_console.i18n import catalog, translate
from ticket_console.kernel.errors import ConsoleError

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_TAGS: Final = {"zh": "zh-CN", "en": "en"}
_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.55 system-ui, "Noto Sans SC", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; } h3 { font: 600 1rem ui-monospace, monospace; margin: 0; }
a { color: inherit; } code, pre { font: 13px/1.5 ui-monospace, monospace; }
pre { background: var(--soft); padding: .8rem; border-radius: 6px; overflow-x: auto; }
article { border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.2rem; margin: 1rem 0; }
.method { display: inline-block; min-width: 3.6em; }
table { border-collapse: collapse; width: 100%; }
td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; }
td { vertical-align: top; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: .2rem 0; }
"""


def page(document: Mapping[str, Any], *, locale: str) -> str:
    """The page for a document: headings in the reader's language, summaries as their authors wrote them."""
    parts = [
        f"<h1>{escape(document['info']['title'])} API {escape(document['info']['version'])}</h1>",
        f"<p>{_text('api.docs.intro', locale)}</p>",
        f"<p><a href='/api/v1/openapi.json'>{_text('api.docs.machine', locale)}</a></p>",
        f"<h2>{_text('api.docs.routes', locale)}</h2>",
        *_operations(document, locale),
        f"<h2>{_text('api.docs.schemas', locale)}</h2>",
        *_schemas(document),
        f"<h2>{_text('api.docs.problems', locale)}</h2>",
        *_problems(locale),
    ]
    return (
        f"<!doctype html><html lang='{_TAGS[locale]}'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(document['info']['title'])} API</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def _operations(document: Mapping[str, Any], locale: str) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = escape(", ".join(operation["responses"]))
            yield (
                f"<article id='{escape(operation['operationId'])}'>"
                f"<h3><span class='method'>{method.upper()}</span> {escape(path)}</h3>"
                f"<p>{escape(operation['summary'])}</p>{_description(operation)}"
                f"<p>{_needs(operation, locale)}</p>{_parameters(operation)}{_request(operation, locale)}"
                f"<p>{_text('api.docs.answers', locale)}: {answers}</p></article>"
            )


def _description(operation: Mapping[str, Any]) -> str:
    paragraphs = operation.get("description", "").split("\n\n")
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs if paragraph)


def _needs(operation: Mapping[str, Any], locale: str) -> str:
    permission = operation.get("x-permission")
    if permission is None:
        return _text("api.docs.public", locale)
    return f"{_text('api.docs.permission', locale)}: <code>{escape(permission)}</code>"


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}</td>"
        f"<td><code>{escape(json.dumps(each['schema'], ensure_ascii=False))}</code></td></tr>"
        for each in operation.get("parameters", ())
    )
    return f"<table>{rows}</table>" if rows else ""


def _request(operation: Mapping[str, Any], locale: str) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "".join(
        f"<p>{_text('api.docs.body', locale)} <code>{escape(kind)}</code></p>{_pretty(shape['schema'])}"
        for kind, shape in content.items()
    )


def _schemas(document: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        title = f"<summary><code>{escape(name)}</code></summary>"
        yield f"<details id='schema-{escape(name)}'>{title}{_pretty(schema)}</details>"


def _problems(locale: str) -> Iterator[str]:
    yield "<table>"
    for kind in sorted(set(_kinds(ConsoleError)), key=lambda kind: kind.code):
        code = escape(kind.code)
        yield (
            f"<tr id='{code}'><td><code>{code}</code></td><td>{kind.http_status}</td>"
            f"<td>{escape(_unfilled(kind.code, locale))}</td></tr>"
        )
    yield "</table>"


def _kinds(parent: type[ConsoleError]) -> Iterator[type[ConsoleError]]:
    for kind in parent.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _unfilled(code: str, locale: str) -> str:
    """A text with its placeholders as they stand."""
    message = catalog(locale).get(code, "")
    return message if isinstance(message, str) else message[-1]


def _pretty(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, ensure_ascii=False, indent=2))}</pre>"


def _text(key: str, locale: str) -> str:
    return escape(translate(key, locale))
