"""Write docs/api.md, the API reference for readers, from docs/openapi.yaml.

The OpenAPI document is complete and unreadable: every endpoint repeats the same errors. Here the common errors stand
once, and each endpoint shows its fields, one example and the errors of its own. `make openapi` runs this program, and
`make check` runs it with `--check`, which writes nothing and ends with exit code 1 where the page is stale.
"""

import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import partial, reduce
from http import HTTPStatus
from operator import and_
from pathlib import Path
from typing import Any, NamedTuple

import yaml

DOCS = Path(__file__).resolve().parents[1] / "docs"
SOURCE, PAGE = DOCS / "openapi.yaml", DOCS / "api.md"
WIDTH = 120
NO_NUL = r"^[^\x00]*$"  # the pattern of all text, which the page names once
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")

HEAD = """\
<!-- Generated from docs/openapi.yaml by tools/api_reference.py. Do not edit: run `make openapi`. -->
# API reference

The HTTP API of Latchkey, endpoint by endpoint: fields with their limits, an example, and errors. The page is generated
from [openapi.yaml](openapi.yaml), so it cannot differ from the running service. Generate a typed client from that file;
a running service has the same document at `/api-doc/schema/`, and Swagger UI for it at `/api-doc/`.

New here? Start with [getting-started.md](getting-started.md). Rules for clients are in [clients.md](clients.md).

## Conventions

- **Bodies** are one JSON object in UTF-8, sent as `application/json`; introspection and revocation take a form. A body
  has at most 64 kB. An unknown field is ignored, a field that appears twice is an error.
- **The trailing slash is optional**: `/api/login/` and `/api/login` are the same endpoint. Neither redirects.
- **Access token**: send `Authorization: Bearer <access_token>`. A token in the URL is not accepted.
- **Types**: ids of sessions and events are text, because they have more digits than a number of JavaScript can hold.
  Times are UTC, such as `2026-11-23T08:00:00.000000Z`. Text must not contain the character U+0000.
- **Responses are not cached**: they carry `Cache-Control: no-store`. The one exception is `GET /api/config/`.
- **Errors** are `application/problem+json` (RFC 9457). Branch on `code`; its meaning is stable. A 429 and a 503 have
  `Retry-After` in whole seconds, and the same number as `retry_after` in the body. For example:

{problem}

[errors.md](errors.md) explains every code, with what to do. It also has the few that no single endpoint owns, such as
`method_not_allowed`.

### Common errors

These errors are listed here once, and not again at each endpoint.
"""

GUIDES = {
    "Configuration": "settings.md",
    "Registration and sign-in": "sessions.md",
    "Your own account": "privacy.md",
    "Sessions": "sessions.md",
    "Passwords": "accounts.md",
    "E-mail addresses": "accounts.md",
    "Token validation for your own APIs": "recipes/README.md",
}
"""The guide that explains the endpoints of a tag; the tags and their order are those of the OpenAPI document."""

CREDENTIALS = {
    "bearer": ("access token", "Authorization: Bearer eyJ..."),
    "basic": ("client credential (HTTP Basic)", "Authorization: Basic cGF5bWVudHM6..."),
}
"""What a caller has to show, by the HTTP authentication scheme: in words, and as a header."""
TYPES = {
    "idn-email": "e-mail address",
    "email": "e-mail address",
    "uuid": "UUID",
    "date-time": "time",
    "uri": "URL",
}


class Operation(NamedTuple):
    """One method of one path, as the OpenAPI document has it, and the authentication schemes that it takes."""

    method: str
    path: str
    spec: dict[str, Any]
    schemes: list[str]

    @property
    def title(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def tag(self) -> str:
        return str(self.spec["tags"][0])

    @property
    def has_body(self) -> bool:
        return "requestBody" in self.spec

    @property
    def has_answer(self) -> bool:
        return "204" not in self.spec["responses"]

    @property
    def needs_credential(self) -> bool:
        return {} not in self.spec["security"]

    @property
    def needs_access_token(self) -> bool:
        return self.needs_credential and self.schemes == ["bearer"]

    @property
    def errors(self) -> dict[str, dict[str, Any]]:
        """The problem documents of this operation by their code; errors of OAuth in the same form."""
        found = [
            (int(status), example["value"])
            for status, response in self.spec["responses"].items()
            if status >= "400"
            for content in response["content"].values()
            for example in content["examples"].values()
        ]
        problems = [
            {"code": value["error"], "status": status, "detail": value["error_description"]}
            if "error" in value
            else value
            for status, value in found
        ]
        return {problem["code"]: problem for problem in problems}

    @property
    def has_problem_documents(self) -> bool:
        """Whether errors are problem documents, and not those of RFC 6749."""
        return not self.path.startswith("/oauth/")


COMMON: tuple[tuple[str, Callable[[Operation], bool]], ...] = (
    ("any endpoint", lambda operation: True),
    ("endpoints with a response body", lambda operation: operation.has_answer),
    ("endpoints with a request body", lambda operation: operation.has_body),
    ("endpoints that need an access token", lambda operation: operation.needs_access_token),
)
"""Kinds of operations, from which the common errors are found: those that all operations of a kind have."""


def main() -> None:
    page = reference(yaml.safe_load(SOURCE.read_text()))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        sys.exit("docs/api.md is stale: run 'make openapi'.")


def reference(document: dict[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    schemes = {name: scheme["scheme"] for name, scheme in document["components"]["securitySchemes"].items()}
    operations = [
        Operation(method.upper(), path, spec, [schemes[name] for each in spec["security"] for name in each])
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
    ]
    schemas = document["components"]["schemas"]
    some_problem = next(iter(operations[0].errors.values()))
    common = common_errors(operations)
    parts = [HEAD.format(problem=fenced("json", json_text(some_problem)).rstrip())]
    parts.append(table(("endpoints", "status", "code", "meaning"), common_rows(operations, common)))
    grouped = list(group(operations, [tag["name"] for tag in document["tags"]]))
    parts.append("## All endpoints\n")
    parts.append(table(("endpoint", "purpose", "credential"), index_rows(grouped)))
    described: set[tuple[str, str]] = set()
    for title, guide, members in grouped:
        parts.append(f"## {title}\n")
        if guide:
            parts.append(f"Guide: [{guide.removesuffix('/README.md')}]({guide}).\n")
        for operation in members:
            text = operation.spec.get("description", "")
            is_repeated = (operation.path, text) in described  # methods of one path can share a description
            described.add((operation.path, text))
            parts.append(endpoint(operation, "" if is_repeated else text, schemas, common))
    return "\n".join(parts).rstrip() + "\n"


def group(operations: list[Operation], tags: list[str]) -> Iterator[tuple[str, str, list[Operation]]]:
    """Yield each tag with its guide and its operations, tags that the document does not order at the end."""
    for tag in dict.fromkeys([*tags, *(operation.tag for operation in operations)]):
        if members := [operation for operation in operations if operation.tag == tag]:
            yield tag, GUIDES.get(tag, ""), members


def common_errors(operations: list[Operation]) -> list[set[str]]:
    """Return, for each kind of operations, the codes that all of its operations have and no kind before it."""
    found: list[set[str]] = []
    problems = [operation for operation in operations if operation.has_problem_documents]
    for _, belongs in COMMON:
        codes = [set(operation.errors) for operation in problems if belongs(operation)]
        found.append(reduce(and_, codes).difference(*found))
    return found


def common_rows(operations: list[Operation], common: list[set[str]]) -> Iterator[tuple[str, ...]]:
    known = {code: problem for operation in operations for code, problem in operation.errors.items()}
    for (kind, _), codes in zip(COMMON, common, strict=True):
        for code in sorted(codes, key=lambda code: (known[code]["status"], code)):
            yield kind, str(known[code]["status"]), f"`{code}`", known[code]["detail"]


def index_rows(grouped: list[tuple[str, str, list[Operation]]]) -> Iterator[tuple[str, ...]]:
    for _, _, members in grouped:
        for operation in members:
            link = f"[`{operation.title}`](#{slug(operation.title)})"
            yield link, operation.spec["summary"], credential(operation)


def endpoint(operation: Operation, description: str, schemas: dict[str, Any], common: list[set[str]]) -> str:
    """Return the section of one endpoint."""
    spec, parts = operation.spec, [f"### {operation.title}\n"]
    parts.append(f"**{spec['summary'].rstrip('.')}.** Credential: {credential(operation)}.\n")
    parts.append(prose(description))
    if parameters := spec.get("parameters"):
        parts.append(table(("parameter", "in", "type", "meaning"), map(parameter_row, parameters)))
    if operation.has_body:
        ((media_type, content),) = spec["requestBody"]["content"].items()
        parts.append(fields(content["schema"], schemas, f"Request fields ({media_type})", is_request=True))
    parts.append(fenced("http", "\n".join(exchange(operation, schemas))))
    for status, response in spec["responses"].items():
        for content in response.get("content", {}).values() if status < "400" else ():
            parts.append(fields(content["schema"], schemas, f"Response fields, {status}", is_request=False))
        if status < "400" and "headers" in response:
            parts.append(f"Response headers, {status}:\n")
            parts.append(table(("header", "meaning"), map(header_row, response["headers"].items())))
    shared = {code for (_, belongs), codes in zip(COMMON, common, strict=True) if belongs(operation) for code in codes}
    own = [(str(each["status"]), f"`{code}`", each["detail"]) for code, each in operation.errors.items()]
    own = [row for row in own if row[1].strip("`") not in shared]
    if own:
        parts.append("Errors, besides the [common ones](#common-errors):\n")
        parts.append(table(("status", "code", "meaning"), sorted(own, key=lambda row: row[0])))
    else:
        parts.append("Errors: the [common ones](#common-errors).\n")
    return "\n".join(part for part in parts if part)


def credential(operation: Operation) -> str:
    """Return what the caller has to show, in words."""
    if not operation.schemes:
        return "none"
    words = " or ".join(CREDENTIALS[scheme][0] for scheme in operation.schemes)
    return words if operation.needs_credential else f"{words}, optional"


def exchange(operation: Operation, schemas: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of an example: the request, and each response that is a success."""
    yield f"{operation.method} {operation.path.replace('{session_id}', '1211491509556017937')}"
    if operation.needs_credential:
        yield from (CREDENTIALS[scheme][1] for scheme in operation.schemes)
    if operation.has_body:
        ((media_type, content),) = operation.spec["requestBody"]["content"].items()
        yield f"Content-Type: {media_type}"
        yield ""
        yield example(content, schemas, is_form=media_type != "application/json")
    for status, response in operation.spec["responses"].items():
        if status < "400":
            yield ""
            yield f"HTTP/1.1 {status} {HTTPStatus(int(status)).phrase}"
            for name in response.get("headers", {}):
                yield f"{name}: ..."
            for media_type, content in response.get("content", {}).items():
                yield f"Content-Type: {media_type}"
                yield ""
                yield example(content, schemas)


def example(content: dict[str, Any], schemas: dict[str, Any], is_form: bool = False) -> str:
    """Return the example of a body, or one made of its required fields."""
    schema = resolve(content["schema"], schemas)
    examples = [each["value"] for each in content.get("examples", {}).values()]
    value = examples[0] if examples else dict.fromkeys(schema.get("required", []), "...")
    if is_form:
        return "&".join(f"{name}={text}" for name, text in value.items())
    return json_text(value)


def json_text(value: Any, indent: int = 0) -> str:
    """Return JSON as the service writes it, but with short tokens, and in several lines where one is too wide."""
    text = JWT.sub("eyJ...", json.dumps(value, ensure_ascii=False))
    if len(text) <= WIDTH - indent or not isinstance(value, dict | list):
        return text
    if isinstance(value, list):
        return "[" + f",\n{' ' * (indent + 1)}".join(json_text(item, indent + 1) for item in value) + "]"
    lines: list[str] = []
    for name, item in value.items():
        key = f"{json.dumps(name)}: "
        member = key + json_text(item, indent + 1 + len(key))
        if lines and "\n" not in lines[-1] + member and len(f"{lines[-1]}, {member}") < WIDTH - indent - 2:
            lines[-1] += f", {member}"
        else:
            lines.append(member)
    return "{" + f",\n{' ' * (indent + 1)}".join(lines) + "}"


def fields(schema: dict[str, Any], schemas: dict[str, Any], title: str, *, is_request: bool) -> str:
    """Return the table of a body's fields."""
    is_list = schema.get("type") == "array"
    schema = resolve(schema["items"] if is_list else schema, schemas)
    required = schema.get("required", [])
    note = f" {schema['description']}" if schema.get("description") else ""
    heading = f"{title}{', of each element of the array' if is_list else ''}:{note}"
    rows = []
    for name, field in schema.get("properties", {}).items():  # none where any names are allowed
        row = [f"`{name}`", type_of(field, schemas)]
        row += ["yes" if name in required else "no", limits(field)] if is_request else []
        rows.append((*row, field.get("description", "")))
    columns = ("field", "type", "required", "limits", "meaning") if is_request else ("field", "type", "meaning")
    if not rows or (not is_request and not any(row[-1] for row in rows)):
        return ""  # the example says it all
    return f"{prose(heading)}\n{table(columns, rows)}"


def type_of(field: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return the type of a field in words."""
    if field.get("type") == "array":
        inner = resolve(field["items"], schemas)
        names = ", ".join(f"`{name}`" for name in inner.get("properties", {}))
        return f"array of objects: {names}" if names else f"array of {type_of(inner, schemas)}"
    field = resolve(field, schemas)
    if "oneOf" in field:
        return " or ".join(type_of(each, schemas) for each in field["oneOf"])
    names = ", ".join(f"`{name}`" for name in field.get("properties", {}))
    if names:
        return f"object: {names}"
    return f"{TYPES.get(field.get('format', ''), field['type'])}{' or null' if field.get('nullable') else ''}"


def limits(field: dict[str, Any]) -> str:
    """Return the limits of a field in words."""
    low, high = field.get("minLength"), field.get("maxLength")
    words = []
    if low and high:
        words.append(f"{low} to {high} characters")
    elif high:
        words.append(f"at most {high} characters")
    elif low:
        words.append("not empty" if low == 1 else f"at least {low} characters")
    if (pattern := field.get("pattern", NO_NUL)) != NO_NUL:
        words.append(f"`{pattern}`")
    return ", ".join(words)


def parameter_row(parameter: dict[str, Any]) -> tuple[str, ...]:
    schema = parameter["schema"]
    kind = ", ".join(word for word in (schema["type"], limits(schema)) if word)
    kind += f", default {json.dumps(schema['default'])}" if "default" in schema else ""
    return f"`{parameter['name']}`", parameter["in"], kind, parameter.get("description", "")


def header_row(header: tuple[str, dict[str, Any]]) -> tuple[str, ...]:
    name, described = header
    return f"`{name}`", described.get("description", "")


def resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference to a named schema, also one that stands in an allOf."""
    for reference_ in (schema, *schema.get("allOf", ())):
        if "$ref" in reference_:
            named: dict[str, Any] = schemas[reference_["$ref"].rpartition("/")[2]]
            return named
    return schema


def table(columns: tuple[str, ...], rows: Any) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def prose(text: str) -> str:
    """Return paragraphs, wrapped."""
    wrap = partial(textwrap.fill, width=WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n\n".join(wrap(" ".join(paragraph.split())) for paragraph in text.split("\n\n")) + "\n" if text else ""


def fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```\n"


def slug(heading: str) -> str:
    """Return the anchor that a heading gets in Markdown viewers."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    main()
