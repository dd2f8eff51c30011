#!/bin/bash
# ./quickstart.sh       builds, starts nginx with conf-examples/quickstart.conf, publishes a test
#                       stream, records it by hand, prints the links; the server goes on running
# ./quickstart.sh stop  stops it
# RTMP_PORT (1935) and HTTP_PORT (8080) change the ports, QUICKSTART_DIR where the data goes.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD
rtmp_port=${RTMP_PORT:-1935}
http_port=${HTTP_PORT:-8080}
# As root nginx's workers are www-data, who may not be able to enter this folder.
if [ "$(id -u)" = 0 ]; then
    data=${QUICKSTART_DIR:-/var/lib/nginx-recording-quickstart}
else
    data=${QUICKSTART_DIR:-$root/build/quickstart}
fi
seconds=12  # a recording of less than recording_min_duration (10 s) is not kept

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { echo "quickstart.sh: $*" >&2; exit 1; }

# Ends the process of a pid file, if it is still the program that it was.
end_process() {  # FILE NAME SIGNAL
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 0
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]; then
        kill "-$3" "$pid" 2>/dev/null || true
        for _ in $(seq 100); do
            [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] || break
            sleep 0.1
        done
    fi
    rm -f "$1"
}

stop() {
    end_process "$data/ffmpeg.pid" ffmpeg INT
    end_process "$data/nginx.pid" nginx QUIT
}

# field NAME: the value of the first field of that name in the JSON on stdin.
field() {
    awk -v name="$1" 'match($0, "\"" name "\" *: *(\"[^\"]*\"|[^,}]*)") {
        value = substr($0, RSTART, RLENGTH)
        sub(/^"[^"]*" *: */, "", value); gsub(/^"|"$/, "", value); gsub(/\\\//, "/", value)
        print value; exit }'
}

case ${1:-start} in
    stop) stop; echo "stopped; the videos are kept in $data"; exit 0 ;;
    start) ;;
    *) fail "usage: ./quickstart.sh [stop]" ;;
esac

say "1. What is missing is installed"
tools/install_packages.sh build run
shm=$(tools/tmpfs_dir.sh)

say "2. The module is built"
tools/build.sh

say "3. nginx starts with conf-examples/quickstart.conf"
stop
mkdir -p "$data/logs"
chmod 755 "$data"
runtime=$shm/nginx-recording-quickstart-$(id -u)
sed -e "s#modules/ngx_recording_module.so#$root/build/ngx_recording_module.so#" \
    -e "s#modules/ngx_rtmp_module.so#/usr/lib/nginx/modules/ngx_rtmp_module.so#" \
    -e "s#/var/lib/nginx-recording/#$data/data/#; s#/dev/shm/nginx-recording#$runtime#" \
    -e "s#127.0.0.1:1935#127.0.0.1:$rtmp_port#; s#127.0.0.1:8080#127.0.0.1:$http_port#" \
    conf-examples/quickstart.conf > "$data/nginx.conf"
globals="pid $data/nginx.pid; error_log $data/logs/error.log notice;"
[ "$(id -u)" != 0 ] || globals+=" user www-data;"
if [ "$(id -u)" != 0 ]; then
    for kind in client_body proxy fastcgi uwsgi scgi; do
        sed -i "s#^http {#&\n    ${kind}_temp_path $data/temp_$kind;#" "$data/nginx.conf"
    done
fi
/usr/sbin/nginx -p "$data/" -c "$data/nginx.conf" -e "$data/logs/error.log" -g "$globals" ||
    fail "nginx did not start; are ports $rtmp_port and $http_port free? (RTMP_PORT, HTTP_PORT)"
api=http://127.0.0.1:$http_port/streaming

say "4. A test stream is published to rtmp://127.0.0.1:$rtmp_port/live/demo"
setsid ffmpeg -v error -re -f lavfi -i testsrc2=s=640x360:r=25 \
    -f lavfi -i sine=frequency=440:r=48000 -c:v libx264 -preset veryfast -tune zerolatency -g 50 \
    -pix_fmt yuv420p -b:v 800k -c:a aac -b:a 96k -f flv "rtmp://127.0.0.1:$rtmp_port/live/demo" \
    < /dev/null > "$data/logs/ffmpeg.log" 2>&1 &
echo $! > "$data/ffmpeg.pid"
disown
for attempt in $(seq 150); do
    live=$(curl -s "$api/streams/live/demo" | field live) || true
    [ "$live" != true ] || break
    [ "$attempt" != 150 ] || fail "the stream did not come up: see $data/logs"
    sleep 0.1
done

say "5. It is recorded by hand for $seconds s"
echo "PUT $api/streams/live/demo/start_recording"
curl -fsS -X PUT "$api/streams/live/demo/start_recording" > /dev/null
sleep "$seconds"
echo "PUT $api/streams/live/demo/stop_recording"
id=$(curl -fsS -X PUT "$api/streams/live/demo/stop_recording" | field id)
[ -n "$id" ] || fail "no video came of it: see $data/logs/error.log"
for attempt in $(seq 150); do
    video=$(curl -fsS "$api/videos/$id")
    status=$(field status <<< "$video")
    case $status in
        viewable | ready) break ;;
        error) fail "the video failed: $video" ;;
    esac
    [ "$attempt" != 150 ] || fail "the video is still $status: see $data/logs/error.log"
    sleep 0.1
done
link=$(field origin_url <<< "$video")
bytes=$(curl -fsS -r 0-15 -o /dev/null -D - "$link" | tr -d '\r' | sed -n 's#^Content-Range: .*/##Ip')
[ -n "$bytes" ] || fail "$link cannot be downloaded"

say "Done: video $id, $bytes bytes"
cat << END
console   http://127.0.0.1:$http_port/console/
watch     ffplay $link
download  curl -OJ $link/download
the API   $api/videos/$id
encoder   rtmp://127.0.0.1:$rtmp_port/live/{name}
logs      $data/logs/error.log
stop      ./quickstart.sh stop
END
