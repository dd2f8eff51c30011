"""A strict reader of Prometheus' text format 0.0.4, for what recording_metrics serves."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"'
SAMPLE = re.compile(rf"({NAME})(\{{{LABEL}(?:,{LABEL})*\}})? ([0-9.]+|\+Inf|NaN)")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


def parse_metrics(text):
    """{'name{label="value"}': number}. Raises AssertionError for what Prometheus would not take,
    or promtool would complain about."""
    assert text.endswith("\n"), "the last line is not ended"
    samples, seen, name, kind = {}, set(), None, None
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert re.fullmatch(NAME, name) and len(line.split(" ", 3)[3]) > 5, line
            assert name not in seen, f"{name} twice"
            seen.add(name)
            kind = lines[at + 1].split(" ")[3]
            assert lines[at + 1] == f"# TYPE {name} {kind}" and kind in SUFFIXES, lines[at + 1]
            assert (kind == "counter") == name.endswith("_total"), name
            continue
        if line.startswith("# TYPE "):
            continue
        match = SAMPLE.fullmatch(line)
        assert match, f"no sample: {line!r}"
        assert name and any(match[1] == name + s for s in SUFFIXES[kind]), f"{line} below {name}"
        key = match[1] + (match[2] or "")
        assert key not in samples, f"{key} twice"
        samples[key] = float(match[3])
    for name in {key.partition("_bucket{")[0] for key in samples if "_bucket{" in key}:
        buckets = [value for key, value in samples.items() if key.startswith(f"{name}_bucket")]
        assert buckets == sorted(buckets) and f'{name}_bucket{{le="+Inf"}}' in samples, name
        assert buckets[-1] == samples[f"{name}_count"], name
    return samples
