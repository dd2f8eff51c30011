#!/bin/sh
# Builds what the bench needs, then measures: bench/run.sh --help
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
work=${BENCH_WORK:-$root/build/bench}
module=${BENCH_MODULE:-$root/build/ngx_recording_module.so}
jobs=$(nproc)

for tool in ffmpeg cmake c++ strace; do
    command -v "$tool" > /dev/null || { echo "bench: $tool is missing" >&2; exit 2; }
done
mkdir -p "$work"

# The module given by BENCH_MODULE is measured as it is; ours is built if it can be.
if [ -z "${BENCH_MODULE:-}" ] && [ -x "$root/tools/build.sh" ]; then
    "$root/tools/build.sh" >&2
fi
cmake -S "$root/tests/tools" -B "$work/tools" -DCMAKE_BUILD_TYPE=Release > "$work/build.log"
cmake --build "$work/tools" -j "$jobs" >> "$work/build.log"
c++ -std=c++20 -O2 -o "$work/floor" "$root/bench/floor.cpp"

exec /usr/bin/python3 "$root/bench/bench.py" --work "$work" --module "$module" \
    --publisher "$work/tools/rtmp_publisher/rtmp-publisher" --floor "$work/floor" "$@"
