#!/bin/bash
# tools/fetch_rtmp_headers.sh DIR: nginx-rtmp-module's headers, of the version that this machine's
# Debian packages as libnginx-mod-rtmp; Debian has no -dev package of it. Prints the folder that
# has ngx_rtmp.h. Downloads once, into DIR.
#
# The source package is fetched with a deb-src line that exists for this one call only: mirror,
# suites and keys are those of the machine's own sources, which stay as they are.
set -euo pipefail
[ $# = 1 ] || { echo "usage: tools/fetch_rtmp_headers.sh DIR" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
package=libnginx-mod-rtmp

installed=$(dpkg-query -W -f '${source:Version}' "$package" 2>/dev/null || true)
[ -n "$installed" ] || installed=$(apt-cache policy "$package" 2>/dev/null |
    awk '/Candidate:/ && $2 != "(none)" { print $2; exit }')
upstream=${installed%-*}  # 1:1.2.2+dfsg-2 -> 1.2.2+dfsg
upstream=${upstream#*:}
if [ -z "$upstream" ]; then
    echo "fetch_rtmp_headers.sh: there is no package $package here (apt-get update?);" \
         "set RECORDING_RTMP_DIR to nginx-rtmp-module's source" >&2
    exit 1
fi

target=$dir/$upstream
if [ -f "$target/ngx_rtmp.h" ]; then
    echo "$target"
    exit 0
fi

apt_dir=$dir/apt
rm -rf "$apt_dir"
mkdir -p "$apt_dir/parts" "$apt_dir/lists/partial"

# Debian's own entries, "deb" -> "deb-src", of both formats of apt sources.
deb822_to_line() {  # prints: "[signed-by=…] URI SUITE COMPONENTS…" for each URI and suite
    awk '
        function flush_stanza(   i, j, u, s, nu, ns) {
            if (types ~ /(^| )deb( |$)/ && enabled != "no") {
                nu = split(uris, u, " "); ns = split(suites, s, " ")
                for (i = 1; i <= nu; i++) for (j = 1; j <= ns; j++)
                    print (key == "" ? "" : "[signed-by=" key "] ") u[i] " " s[j] " " components
            }
            types = uris = suites = components = key = enabled = ""
        }
        /^#/ { next }
        /^[ \t]*$/ { flush_stanza(); next }
        { value = $0; sub(/^[^:]*:[ \t]*/, "", value) }
        /^Types:/ { types = value } /^URIs:/ { uris = value } /^Suites:/ { suites = value }
        /^Components:/ { components = value } /^Enabled:/ { enabled = tolower(value) }
        /^Signed-By:/ && value ~ /^\// { key = value }
        END { flush_stanza() }' "$1"
}
{
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed -n 's/^[ \t]*deb[ \t]\+//p' "$file"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        deb822_to_line "$file"
    done
} | grep -E '(^|[] ])[^ ]*(/debian|/debian-security|/ubuntu)/? |/debian/[^ ]*/? ' \
  | sed 's/^/deb-src /' | sort -u > "$apt_dir/sources.list"
if [ ! -s "$apt_dir/sources.list" ]; then
    echo "fetch_rtmp_headers.sh: no Debian mirror in /etc/apt; set RECORDING_RTMP_DIR" >&2
    exit 1
fi

options=(
    -o "Dir::Etc::SourceList=$apt_dir/sources.list"
    -o "Dir::Etc::SourceParts=$apt_dir/parts"
    -o "Dir::State::Lists=$apt_dir/lists"
    -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache="
    -o "APT::Sandbox::User=$(id -un)" -o "Acquire::Languages=none"
    -o "Acquire::Retries=3"
)
log=$dir/fetch.log
if ! (cd "$apt_dir" &&
      apt-get "${options[@]}" update &&
      apt-get "${options[@]}" source --download-only --tar-only "$package") > "$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi

rm -rf "$target.new"
mkdir -p "$target.new"
tar -xf "$apt_dir/${package}_$upstream.orig.tar.xz" --strip-components=1 -C "$target.new" ||
    { ls "$apt_dir" >&2; exit 1; }
rm -rf "$target"
mv "$target.new" "$target"
rm -rf "$apt_dir"
echo "$target"
