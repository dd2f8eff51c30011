// The build had no hls.js: see tools/fetch_hls_js.sh.
