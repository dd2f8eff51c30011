#!/bin/bash
# tools/fetch_browser_driver.sh FOLDER: puts what the tests of the console drive Chromium with
# (playwright-core, axe-core; pinned by tests/browser/package-lock.json) into FOLDER/node_modules.
# Nothing is run at installation, and no browser is fetched: Debian's is used.
set -euo pipefail
here=$(cd "$(dirname "$0")/../tests/browser" && pwd)
folder=$1
mkdir -p "$folder"
exec 9> "$folder/lock"
flock 9  # tests begin side by side
if cmp -s "$here/package-lock.json" "$folder/installed-lock.json"; then
    exit 0
fi
cp "$here/package.json" "$here/package-lock.json" "$folder/"
(cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --silent)
cp "$folder/package-lock.json" "$folder/installed-lock.json"
