#!/bin/bash
# Prints a folder on tmpfs in which this user can make files, for `runtime`. In a bare chroot root
# gets one mounted at /dev/shm.
set -euo pipefail
folder=/dev/shm
if [ -d $folder ] && [ -w $folder ] && [ "$(stat -f -c %T $folder)" = tmpfs ]; then
    echo $folder
elif [ "$(id -u)" = 0 ] && mkdir -p $folder && mount -t tmpfs -o mode=1777 tmpfs $folder; then
    echo $folder
else
    echo "tmpfs_dir.sh: no tmpfs at $folder: mount -t tmpfs -o mode=1777 tmpfs $folder" >&2
    exit 1
fi
