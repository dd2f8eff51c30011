#!/bin/bash
# tools/check_examples.sh MODULE: nginx -t of every file in conf-examples/ with the real module.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
module=$(realpath "${1:-$root/build/ngx_recording_module.so}")
scratch=$(mktemp -d)
chmod 755 "$scratch"
trap 'rm -rf "$scratch"' EXIT
failed=0
for example in "$root"/conf-examples/*.conf; do
    # Only paths of this machine are changed: where the module is, and where data may go.
    sed -e "s#modules/ngx_recording_module.so#$module#" \
        -e "s#modules/ngx_rtmp_module.so#/usr/lib/nginx/modules/ngx_rtmp_module.so#" \
        -e "/^user /d" -e "s#/var/lib/nginx-recording#$scratch/data#; s#/etc/nginx/#$scratch/#" \
        "$example" > "$scratch/nginx.conf"
    : > "$scratch/recording.htpasswd"
    if ! said=$(nginx -t -p "$scratch/" -c "$scratch/nginx.conf" -e stderr \
                -g "pid $scratch/nginx.pid;" 2>&1) || grep -q '\[warn\]' <<< "$said"; then
        printf '%s:\n%s\n' "${example#"$root"/}" "$said"
        failed=1
    fi
done
exit $failed
