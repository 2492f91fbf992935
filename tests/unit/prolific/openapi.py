"""Calls and answers held against Prolific's OpenAPI document (3.1, whose schemas are JSON Schema 2020-12)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

_URI = "urn:prolific"
# The document writes every union as oneOf, also where one part includes another: an integer is a number too, so that as written no
# whole number could be the limit of a filter. At least one part must fit.
_Validator = extend(Draft202012Validator, {"oneOf": Draft202012Validator.VALIDATORS["anyOf"]})


class Contract:
    """The document, and what it says about one exchange."""

    def __init__(self, path: Path) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), loader)
        resource = Resource.from_contents(self._document, default_specification=DRAFT202012)
        self._registry: Registry = Registry().with_resource(_URI, resource)
        # Fixed paths before those with names: `submissions/bulk-approve/` is no submission.
        self._paths = sorted(self._document["paths"], key=lambda each: (each.count("{"), each))

    def problems(self, exchange: dict[str, Any]) -> Iterator[str]:
        """What is wrong with a request and its answer; nothing where both are as documented."""
        where = f"{exchange['method']} {exchange['path']} -> {exchange['status']}"
        template, operation = self._operation(exchange["method"], exchange["path"])
        if operation is None:
            yield f"{where}: no such operation is documented"
            return
        pointer = f"/paths/{template.replace('~', '~0').replace('/', '~1')}/{exchange['method'].lower()}"
        if exchange["status"] < 400:  # what is refused may have been wrong on purpose
            yield from self._query_problems(where, operation, exchange.get("query") or {})
            yield from self._body_problems(where, operation, pointer, exchange.get("body"))
        yield from self._answer_problems(where, operation, pointer, exchange)

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any] | None]:
        for template in self._paths:
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template.rstrip("/")) + "/?"
            operation = self._document["paths"][template].get(method.lower())
            if operation is not None and re.fullmatch(pattern, path):
                return template, operation
        return "", None

    def _query_problems(self, where: str, operation: dict[str, Any], query: dict[str, str]) -> Iterator[str]:
        known = {each["name"]: each for each in operation.get("parameters", ()) if each["in"] == "query"}
        # An object in the query is written out: its own names stand there (OpenAPI's style `form` with `explode`).
        spread = {
            name
            for each in known.values()
            for choice in self._resolved(each["schema"]).get("oneOf", ())
            for name in self._resolved(choice).get("properties", ())
        }
        for name, each in known.items():
            if each.get("required") and name not in query and not (spread & query.keys()):
                yield f"{where}: the parameter {name} is missing"
        for name, text in query.items():
            if name in spread:
                continue
            if name not in known:
                yield f"{where}: the parameter {name} is not documented"
            else:
                yield from self._failures(where, known[name]["schema"], _typed(text))

    def _body_problems(self, where: str, operation: dict[str, Any], pointer: str, body: Any) -> Iterator[str]:
        if "requestBody" not in operation:
            if body is not None:
                yield f"{where}: a body is not documented"
            return
        schema = {"$ref": f"{_URI}#{pointer}/requestBody/content/application~1json/schema"}
        yield from self._failures(f"{where} (request)", schema, body)

    def _answer_problems(self, where: str, operation: dict[str, Any], pointer: str, exchange: dict[str, Any]) -> Iterator[str]:
        status = str(exchange["status"])
        if status not in operation["responses"]:
            if exchange["status"] < 400:
                yield f"{where}: this status is not documented"
                return
            status = "400"  # the document gives the shape of errors for this one only
        content = operation["responses"][status].get("content", {})
        if "application/json" in content and exchange["status"] != 204:
            schema = {"$ref": f"{_URI}#{pointer}/responses/{status}/content/application~1json/schema"}
            yield from self._failures(f"{where} (answer)", schema, exchange["answer"])

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _failures(self, where: str, schema: dict[str, Any], instance: Any) -> Iterator[str]:
        absolute = (
            {"$ref": schema["$ref"] if schema["$ref"].startswith(_URI) else _URI + schema["$ref"]}
            if "$ref" in schema
            else schema
        )
        validator = _Validator(absolute, registry=self._registry)
        for error in validator.iter_errors(instance):
            yield f"{where}: {error.json_path} {error.message[:300]}"


def _typed(text: str) -> Any:
    """A parameter as the type it reads as."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d+", text) else text
