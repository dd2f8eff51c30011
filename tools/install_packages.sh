#!/bin/bash
# tools/install_packages.sh GROUP…: installs what is missing of a group's Debian packages.
#   build   to build the module
#   pages   to fetch hls.js for its pages
#   run     to run it: nginx, nginx-rtmp-module, ffmpeg to publish with, curl
#   serve   to run it in a container, with ffmpeg for live playback
#   test    for tests/run.sh (with build and run)
#   bench   for bench/run.sh (with build and run)
set -euo pipefail

build="gcc g++ make cmake dpkg-dev nginx-dev libsqlite3-dev nlohmann-json3-dev libpcre2-dev
       zlib1g-dev libssl-dev libcurl4-openssl-dev xz-utils ca-certificates"
run="nginx libnginx-mod-rtmp ffmpeg curl procps"
serve="nginx libnginx-mod-rtmp ffmpeg libsqlite3-0 libcurl4 libstdc++6"
test="libcmocka-dev clang-14 libclang-rt-14-dev clang-format-14 ninja-build python3 binutils chromium firefox-esr
       strace libfaketime btrfs-progs"
bench="python3 strace"

packages=
for group in "${@:-build}"; do
    case $group in
        build) packages+=" $build" ;;
        # What is not Debian's own npm does as well.
        pages) command -v npm > /dev/null || packages+=" npm" ;;
        run) packages+=" $run" ;;
        serve) packages+=" $serve" ;;
        test)
            packages+=" $build $run $test"
            command -v npm > /dev/null || packages+=" npm"  # for driving a browser, too
            ;;
        bench) packages+=" $build $run $bench" ;;
        *) echo "usage: tools/install_packages.sh build|pages|run|serve|test|bench…" >&2; exit 2 ;;
    esac
done

missing=()
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "install_packages.sh: installing ${missing[*]}"
as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo > /dev/null; then
        echo "install_packages.sh: run as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
# Debian's nginx starts itself when it is installed. It is not wanted here, and port 80 may be
# taken: what policy-rc.d forbids, invoke-rc.d does not start. An existing one is respected.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy > /dev/null
    "${as_root[@]}" chmod 755 $policy
    trap '"${as_root[@]}" rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    "${missing[@]}"
