#!/bin/bash
# Installs what is missing, builds, and runs every test; the last line is the count. The one test
# command, for people and for CI. What fails is shown; everything is in build/test-logs.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
logs=$root/build/test-logs
cores=$(nproc)
passed=0
failed=0
skipped=0
failures=()
began=$SECONDS

step() { printf '\n== %s (%d s)\n' "$*" $((SECONDS - began)); }
finish() {
    printf '\n'
    [ ${#failures[@]} = 0 ] || printf 'FAILED: %s\n' "${failures[@]}"
    [ "$skipped" = 0 ] || echo "$skipped skipped: this machine does not let them run"
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
    exit
}
count() {  # NAME PASSED FAILED LOG: shows the log of what failed
    passed=$((passed + $2))
    failed=$((failed + $3))
    echo "$1: $2 passed, $3 failed"
    if [ "$3" -gt 0 ]; then
        failures+=("$1")
        [ ! -f "${4:-}" ] || tail -n 400 "$4"
    fi
}
check() {  # NAME COMMAND…: one test
    local name=$1 log
    shift
    log=$logs/${name//[^a-z0-9]/-}.log
    if "$@" > "$log" 2>&1; then count "$name" 1 0; else count "$name" 0 1 "$log"; fi
}

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p "$logs"

step "packages"
tools/install_packages.sh build pages > "$logs/packages.log" 2>&1 ||
    { tail -n 40 "$logs/packages.log"; count "install packages" 0 1; finish; }
# Browsers and the like come while the module is built.
tools/install_packages.sh test > "$logs/packages-test.log" 2>&1 &
packages_pid=$!
python=/usr/bin/python3

step "builds"
build_or_stop() {  # NAME ENVIRONMENT…
    local name=$1
    shift
    env "$@" tools/build.sh > "$logs/$name.log" 2>&1 ||
        { count "$name" 0 1 "$logs/$name.log"; finish; }
    count "$name" 1 0
}
build_or_stop "build release"
wait $packages_pid ||
    { tail -n 40 "$logs/packages-test.log"; count "install packages" 0 1; finish; }
tools/tmpfs_dir.sh > /dev/null || { count "tmpfs" 0 1; finish; }
# With what the crash tests look at, too: one variant less to build.
build_or_stop "build with sanitizers" SANITIZE=address,undefined RECORDING_TESTING=1
# nginx's own way, without Debian's flags: the glue once more.
build_or_stop "build with plain configure" BUILD_DIR="$root/build/plain" \
    NGINX_CONFIGURE=--with-compat RECORDING_CORE_DIR="$root/build/core"

step "lint"
check "layers" $python tools/check_includes.py
check "documentation" $python tools/check_docs.py
[ ! -f tools/check_api_docs.py ] || check "api documentation" $python tools/check_api_docs.py
check "examples" tools/check_examples.sh build/ngx_recording_module.so
if command -v clang-format-14 > /dev/null; then
    check "format" clang-format-14 --dry-run -Werror $(find src ngx_module tests -name '*.[ch]pp')
fi

# What needs processors runs beside the integration tests, which need time: for windows to pass and
# for media that comes as fast as it is played. It takes only what they leave.
results=build-asan/core/Testing/Temporary/LastTest.log
unit_build() {
    rm -f $results
    cmake -S . -B build-asan/core -DRECORDING_TESTS=ON && cmake --build build-asan/core -j "$cores"
}
unit_run() {
    # Without a leak in the code under test nothing is left when a test passes.
    UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir build-asan/core -j "$cores" --output-on-failure
}
fuzz_build() {
    CC=clang-14 CXX=clang++-14 cmake -S . -B build-fuzz -DRECORDING_TESTS=OFF \
        -DRECORDING_FUZZERS=ON -DRECORDING_SANITIZE=fuzzer-no-link,address,undefined &&
        cmake --build build-fuzz -j "$cores"
}
fuzz_one() {  # NAME: from the seeds, in a corpus that is kept from run to run
    local corpus=$root/build-fuzz/corpus/$1 seeds=$root/tests/fuzz/corpus/$1 seconds=4
    # What decodes what an encoder says of its media gets longer.
    case $1 in
        fuzz_a[acv]*_config | fuzz_hevc_config | fuzz_vp9_config | fuzz_opus_config | \
            fuzz_flac_config | fuzz_flv_* | fuzz_avc_source | fuzz_sources | fuzz_mp4_*) seconds=8 ;;
    esac
    mkdir -p "$corpus"
    [ -d "$seeds" ] || seeds=
    if (cd build-fuzz && "./tests/fuzz/$1" -max_total_time=$seconds -timeout=20 -rss_limit_mb=2048 \
            -artifact_prefix="$logs/$1-" "$corpus" $seeds) > "$logs/$1.log" 2>&1; then
        touch "$logs/$1.passed"
    fi
}
beside() {
    local source
    renice -n 19 -p $BASHPID > /dev/null
    if unit_build > "$logs/unit.log" 2>&1; then
        unit_run >> "$logs/unit.log" 2>&1 &  # the last of them runs alone for minutes
    fi
    fuzz_build > "$logs/fuzz-build.log" 2>&1 || { wait; return; }
    touch "$logs/fuzz_build.passed"
    for source in tests/fuzz/fuzz_*.cpp; do
        fuzz_one "$(basename "$source" .cpp)" &
        # Their time is the clock's, and mostly nothing else runs any more.
        while [ "$(jobs -rp | wc -l)" -ge $((2 * cores)) ]; do wait -n; done
    done
    wait
}
rm -f "$logs"/fuzz_*.passed
set -m  # a process group of its own, so that it ends with this script
beside &
beside_pid=$!
set +m
trap 'kill -- "-$beside_pid"; exit 130' INT TERM

integration() {  # NAME MODULE OPTIONS…
    local log="$logs/integration-$1.log" line
    RECORDING_MODULE=$root/$2 RECORDING_TESTING_MODULE=$root/build-asan/ngx_recording_module.so \
        $python -m tests.integration "${@:3}" 2>&1 | tee "$log"
    line=$(tail -n 1 "$log")
    if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped ]]; then
        skipped=$((skipped + BASH_REMATCH[3]))
        count "integration, $1" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    else
        count "integration, $1" 0 1
    fi
}
# With the release module what needs its speed, a browser, or what no sanitizer goes together with;
# everything else with sanitizers.
fast="test_source_changes test_live_sources test_live_page test_live_enhanced test_transcoded
      test_playback test_playback_changes test_hls test_walk test_console test_player_page
      test_processing test_worker_jobs test_enhanced_parameters test_enhanced_changes test_crash
      test_kills test_clock test_reloads test_power_loss"
step "integration tests"
integration release build/ngx_recording_module.so $(for module in $fast; do
    [ ! -f "tests/integration/$module.py" ] || echo "$module"; done)
step "integration tests with sanitizers"
integration sanitizers build-asan/ngx_recording_module.so $(printf -- '--without %s ' $fast)

step "unit tests under ASan and UBSan"
wait "$beside_pid"
if [ -f $results ]; then
    ok=$(grep -c '^\[       OK \]' $results)
    # A crashed executable counts once, a failed test once each (cmocka names them again in its
    # summary).
    named=$(grep -cE '^\[  FAILED  \] [a-z_0-9]+$' $results)
    executables=$(grep -c '^Test Failed\.' $results)
    bad=$((named / 2 > executables ? named / 2 : executables))
    count "unit" "$ok" "$bad" "$logs/unit.log"
else
    count "unit" 0 1 "$logs/unit.log"
fi

step "fuzz targets"
if [ -f "$logs/fuzz_build.passed" ]; then
    for source in tests/fuzz/fuzz_*.cpp; do
        name=$(basename "$source" .cpp)
        if [ -f "$logs/$name.passed" ]; then count "$name" 1 0
        else count "$name" 0 1 "$logs/$name.log"; fi
    done
else
    count "build fuzz targets" 0 1 "$logs/fuzz-build.log"
fi

finish
