#!/usr/bin/env python3
"""Fail when an #include crosses a layer the wrong way."""
import pathlib
import re
import sys

# layer -> the layers it may include (itself is always allowed)
ALLOWED = {
    "base": set(),
    "runtime": {"base"},
    "media": {"base"},
    "mp4": {"base", "media", "storage"},
    "storage": {"base"},
    "catalog": {"base"},
    "process": {"base"},
    "pages": {"base"},
    "recorder": {"base", "media", "mp4", "storage", "runtime", "catalog"},
    "transcode": {"base", "media", "process", "runtime"},
    "processing": {"base", "media", "mp4", "process", "storage", "transcode"},
    "launcher": {"base"},  # a program of its own
    "exporter": {"base", "media", "mp4", "storage", "runtime", "catalog"},
    "api": {"base", "media", "recorder", "transcode", "exporter", "catalog", "runtime"},
    "config": {"base", "exporter", "transcode"},
    "worker": {"base", "config", "storage", "runtime", "catalog", "exporter", "processing",
               "recorder", "transcode", "webhook"},  # a program
    "webhook": {"base", "catalog"},
    "inspect": {"base", "media", "mp4", "storage", "recorder", "api"},  # a program of its own
    "app": {"base", "media", "mp4", "storage", "runtime", "catalog", "process",
            "recorder", "transcode", "processing", "exporter", "api", "config"},
}
# adapters: seen by their own layer and by programs only
ADAPTER = re.compile(r"^(?:sqlite_|pg_|posix_|s3_|local_store)")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]', re.M)

faults = []
root = pathlib.Path(__file__).resolve().parent.parent / "src"
for path in sorted(root.rglob("*.[ch]pp")):
    layer = path.relative_to(root).parts[0]
    for name in INCLUDE.findall(path.read_text()):
        target = name.split("/")[0]
        if name.startswith("ngx_") or name == "nginx.h":
            faults.append(f"{path}: nginx header {name} in the core")
        elif target in ALLOWED and target != layer and target not in ALLOWED[layer]:
            faults.append(f"{path}: {layer} must not include {target}")
        elif ADAPTER.match(name.split("/")[-1]) and target in ALLOWED and layer not in (target, "app", "inspect", "worker"):
            faults.append(f"{path}: {name} is an adapter; include its port")
print("\n".join(faults))
sys.exit(bool(faults))
