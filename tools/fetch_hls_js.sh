#!/bin/bash
# tools/fetch_hls_js.sh FOLDER: puts hls.js, for the pages that play live streams, into FOLDER once,
# and prints its path. Without npm or the network there is none: pages then play in browsers that
# have HLS of their own. Apache-2.0; nothing of it is in this repository.
set -euo pipefail
version=1.5.20
sha512=c90ce8842927ad0918181f3630a523dad93f5f15c81fc8ed873669cbcf5a7609ace3b6fdc9d156e942b67f77845c8666d297b795b86b59fc59387b88187489d3
folder=$1
file=$folder/hls-$version.js
if [ ! -f "$file" ]; then
    if ! command -v npm > /dev/null; then
        echo "fetch_hls_js.sh: no npm: pages are built without hls.js" >&2
        exit 0
    fi
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    if ! (cd "$work" && npm pack --silent "hls.js@$version" > /dev/null 2> npm.log); then
        echo "fetch_hls_js.sh: $(tail -n 1 "$work/npm.log"): pages are built without hls.js" >&2
        exit 0
    fi
    tar -xzf "$work"/*.tgz -C "$work" package/dist/hls.min.js
    echo "$sha512  $work/package/dist/hls.min.js" | sha512sum --check --quiet
    mkdir -p "$folder"
    mv "$work/package/dist/hls.min.js" "$file"
fi
echo "$file"
