#!/bin/bash
# Builds the module against an nginx source tree.
#
#   tools/build.sh                        build/ngx_recording_module.so and, beside it,
#                                         recording-inspect, recording-launcher and
#                                         recording-worker
#   SANITIZE=address,undefined tools/build.sh    build-asan/…  (our objects only)
#   RECORDING_TESTING=1 tools/build.sh           build-testing/…  (hooks for crash tests)
#
# NGINX_SOURCE        a tree to use instead of nginx-dev's /usr/share/nginx/src; it is copied, and
#                     configured with NGINX_CONFIGURE (default --with-compat --with-threads)
# RECORDING_RTMP_DIR  nginx-rtmp-module's source; default: Debian's, downloaded once
# BUILD_DIR           where to build; default as above
# RECORDING_CORE_DIR  where the core is built; default: BUILD_DIR/core
# JOBS                jobs at once; default: one a core
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

sanitize=${SANITIZE:-}
testing=${RECORDING_TESTING:-}
if [ -n "$sanitize" ]; then
    build=${BUILD_DIR:-$root/build-asan}
elif [ -n "$testing" ]; then
    build=${BUILD_DIR:-$root/build-testing}
else
    build=${BUILD_DIR:-$root/build}
fi
mkdir -p "$build"
build=$(cd "$build" && pwd)
log=$build/build.log

debian_source=/usr/share/nginx/src
source=${NGINX_SOURCE:-$debian_source}
if [ ! -x "$source/configure" ]; then
    echo "build.sh: no nginx source tree at $source: run tools/install_packages.sh," \
         "or set NGINX_SOURCE" >&2
    exit 1
fi

if [ -z "${RECORDING_RTMP_DIR:-}" ]; then
    RECORDING_RTMP_DIR=$("$root/tools/fetch_rtmp_headers.sh" "$root/build/rtmp")
fi
export RECORDING_RTMP_DIR

# Read by config and config.make.
export RECORDING_CORE_DIR=${RECORDING_CORE_DIR:-$build/core}
export RECORDING_CC_OPT="" RECORDING_LD_OPT="" RECORDING_CMAKE_ARGS=""
if [ -n "$sanitize" ]; then
    RECORDING_CC_OPT="-fsanitize=$sanitize -O0 -g1 -fno-omit-frame-pointer -U_FORTIFY_SOURCE"
    RECORDING_LD_OPT="-fsanitize=$sanitize"
    RECORDING_CMAKE_ARGS="-DRECORDING_SANITIZE=$sanitize"
fi
if [ -n "$testing" ]; then
    RECORDING_CC_OPT="$RECORDING_CC_OPT -DRECORDING_TESTING=1"
    RECORDING_CMAKE_ARGS="$RECORDING_CMAKE_ARGS -DRECORDING_TESTING=ON"
fi

hls_js=$("$root/tools/fetch_hls_js.sh" "$root/build/pages")
if [ -n "$hls_js" ]; then
    RECORDING_CMAKE_ARGS="$RECORDING_CMAKE_ARGS -DRECORDING_HLS_JS=$hls_js"
fi

# Everything that configure's result depends on; the rest is make's business.
stamp=$(
    echo "$source $RECORDING_RTMP_DIR ${NGINX_CONFIGURE:-} ${CC:-}"
    echo "$RECORDING_CC_OPT|$RECORDING_LD_OPT|$RECORDING_CMAKE_ARGS|$RECORDING_CORE_DIR"
    ls "$root"/ngx_module/*.cpp "$root"/ngx_module/*.hpp "$root"/src/*/*.hpp
    cat "$root/config" "$root/config.make" "$source/src/core/nginx.h"
    if [ -f "$source/conf_flags" ]; then cat "$source/conf_flags"; fi
)
if [ "$(cat "$build/configure.stamp" 2>/dev/null)" != "$stamp" ]; then
    echo "build.sh: configuring nginx for the module in ${build#"$root"/}"
    rm -rf "$build/nginx" "$build/configure.stamp"
    cp -r "$source" "$build/nginx"
    cd "$build/nginx"
    rm -rf objs
    if [ -n "${NGINX_CONFIGURE:-}" ]; then
        read -ra flags <<< "$NGINX_CONFIGURE"
    elif [ -f conf_flags ]; then
        . ./conf_flags
        flags=("${NGX_CONF_FLAGS[@]}")
    else
        flags=(--with-compat --with-threads)
    fi
    if ! ./configure "${flags[@]}" "--add-dynamic-module=$root" > "$log" 2>&1; then
        tail -n 30 "$log" >&2
        exit 1
    fi
    echo "$stamp" > "$build/configure.stamp"
fi

cd "$build/nginx"
if ! make -j "${JOBS:-$(nproc)}" -f objs/Makefile modules > "$log" 2>&1; then
    grep -E 'error:|warning:|undefined reference|CMake Error|\*\*\*' "$log" | head -n 40 >&2 || true
    echo "build.sh: failed; the whole log is in $log" >&2
    exit 1
fi
for made in objs/ngx_recording_module.so "$RECORDING_CORE_DIR/recording-inspect" \
            "$RECORDING_CORE_DIR/recording-launcher" "$RECORDING_CORE_DIR/recording-worker"; do
    result=$build/$(basename "$made")
    if ! cmp -s "$made" "$result"; then
        # A new inode: a running nginx keeps the one it has mapped.
        cp "$made" "$result.new"
        mv "$result.new" "$result"
    fi
    echo "build.sh: $result"
done
