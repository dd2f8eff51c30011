#!/usr/bin/env python3
"""Fail when docs/directives.md and the directives in the code differ, or a link in *.md is dead.

A directive is documented by a heading "### name" and, before the next heading, the three items
"* **syntax**:", "* **default**:" and "* **context**:".
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FAULTS = []

# A row of an ngx_command_t table, or one of the macros that make such rows.
ROW = re.compile(r'\{ngx_string\("([a-z_]+)"\),\s*(?:kInRecording|NGX_(?:MAIN|HTTP|RTMP)_[A-Z_]*CONF)'
                 r'|RECORDING_SETTING\(([a-z_]+),'
                 r'|RECORDING_APP(?:_FLAG)?\("([a-z_]+)"')
HEADING = re.compile(r"^### `?([a-z_]+)`?.*$", re.M)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def directives_in_code():
    found = collections.Counter()
    for path in sorted((ROOT / "ngx_module").glob("*.cpp")):
        text = re.sub(r"#define.*(?:\\\n.*)*", "", path.read_text())
        found.update(next(filter(None, match)) for match in ROW.findall(text))
    return found


def directives_in_docs():
    path = ROOT / "docs" / "directives.md"
    text = path.read_text()
    found = collections.Counter()
    headings = list(HEADING.finditer(text))
    for heading in headings:
        following = re.compile(r"^##", re.M).search(text, heading.end())
        body = text[heading.end():following.start() if following else len(text)]
        found[heading.group(1)] += 1
        for item in ("syntax", "default", "context"):
            if f"* **{item}**:" not in body:
                FAULTS.append(f"{path}: {heading.group(1)} has no {item}")
    return found


def anchors(path):
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
    result = set()
    for title in re.findall(r"^#+ (.+)$", text, re.M):
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        result.add(slug if slug not in result else slug + "-1")
    return result


def check_links():
    names = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.md")
                   if not path.relative_to(ROOT).parts[0].startswith(("build", ".")))
    for name in names:
        path = ROOT / name
        text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            pointed = (path.parent / file).resolve() if file else path
            if not pointed.exists():
                FAULTS.append(f"{path}: no such file: {target}")
            elif anchor and pointed.suffix == ".md" and anchor not in anchors(pointed):
                FAULTS.append(f"{path}: no such heading: {target}")


def main():
    code, docs = directives_in_code(), directives_in_docs()
    if not code:
        FAULTS.append("no directive found in ngx_module/: has the form of the tables changed?")
    for name in sorted(code | docs):
        if code[name] != docs[name]:
            FAULTS.append(f"directive {name}: {code[name]} in the code, {docs[name]} in "
                          "docs/directives.md")
    check_links()
    print("\n".join(FAULTS), end="\n" if FAULTS else "")
    return bool(FAULTS)


if __name__ == "__main__":
    sys.exit(main())
