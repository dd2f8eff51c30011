#!/usr/bin/env python3
"""Fail when the routes in the code, docs/openapi.json and docs/http-api.md do not agree."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROUTE = re.compile(r'\{Method::k(\w+), "(/[^"]*)", Operation::k\w+\}')
HEADING = re.compile(r"^### `(GET|POST|PUT|PATCH|DELETE) (/\S*)`", re.M)
FIELD_ROW = re.compile(r"^\| `(\w+)` \|", re.M)
# Schemas of openapi.json whose fields have a table of their own under such a heading.
TABLES = {"Stream": "## Stream object", "Session": "## Session object", "Video": "## Video object",
          "Rendition": "## Rendition object",
          "Frozen": "## Frozen object", "Measured": "## Measured object", "Drift": "## Drift object",
          "Transcoder": "## Transcoder object", "LiveRendition": "## Live rendition object",
          "Timeline": "## Timeline object", "Epoch": "## Epoch object",
          "VideoParameters": "## Video parameters", "AudioParameters": "## Audio parameters",
          "Change": "## Change object", "Interruption": "## Interruption object",
          "TimestampRepair": "## Timestamp repair object", "Recording": "## Recording object",
          "Space": "## Space object", "SessionSummary": "## Session summary object",
          "Webhook": "## Webhook object", "FailedDelivery": "## Failed delivery object",
          "StreamSummary": "## Stream summary object"}


def section(text, heading):
    start = text.find(heading + "\n")
    if start < 0:
        return ""
    end = text.find("\n## ", start + 1)
    return text[start:end if end > 0 else len(text)]


def compare(faults, what, code, other, name):
    for item in sorted(code - other):
        faults.append(f"{name}: {what} {item} is missing")
    for item in sorted(other - code):
        faults.append(f"{name}: {what} {item} does not exist")


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def main():
    faults = []
    routes = {f"{method.upper()} {path}"
              for method, path in ROUTE.findall((ROOT / "src/api/routes.cpp").read_text())}
    if not routes:
        faults.append("src/api/routes.cpp: no routes found")

    document = json.loads((ROOT / "docs/openapi.json").read_text())
    described = {f"{method.upper()} {path}" for path, item in document["paths"].items()
                 for method in item if method != "parameters"}
    compare(faults, "route", routes, described, "docs/openapi.json")
    for reference in sorted(set(references(document))):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node.get(part, {})
        if not node:
            faults.append(f"docs/openapi.json: {reference} leads nowhere")

    text = (ROOT / "docs/http-api.md").read_text()
    told = {f"{method} {path}" for method, path in HEADING.findall(text)}
    compare(faults, "route", routes, told, "docs/http-api.md")
    for schema, heading in TABLES.items():
        fields = set(document["components"]["schemas"][schema]["properties"])
        told = set(FIELD_ROW.findall(section(text, heading)))
        compare(faults, f"field of {schema}", fields, told, "docs/http-api.md")

    # Codes: what the code can answer is told in both.
    codes = set()
    for source in [*(ROOT / "src/api").glob("*.cpp"), ROOT / "src/recorder/control.cpp",
                   *(ROOT / "ngx_module").glob("ngx_http_*.cpp")]:
        codes |= set(re.findall(r'"([a-z]+(?:_[a-z]+)+): ', source.read_text()))
        codes |= set(re.findall(r'(?:error|answer_at_once)\(\s*r,[^";]*"(\w+)"', source.read_text()))
        codes |= set(re.findall(r'failure\(\s*\d+,\s*"(\w+)"', source.read_text()))
    dumped = json.dumps(document)
    for code in sorted(codes):
        for name, where in (("docs/openapi.json", dumped), ("docs/http-api.md", text)):
            if f"`{code}`" not in where:
                faults.append(f"{name}: error code {code} is missing")

    print("\n".join(faults) if faults else f"{len(routes)} routes, {len(codes)} error codes agree")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
