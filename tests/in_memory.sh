#!/bin/sh
# Runs a command with its temporary files in memory, where there is room: tests wait at every commit for a disk that may forget all.
set -eu
most_kb=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
free_kb=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo 2>/dev/null)
if [ "${most_kb:-0}" -gt 4000000 ] && [ "${free_kb:-0}" -gt 6000000 ]; then
    TMPDIR=$(mktemp -d /dev/shm/vigie-tests-XXXXXX)
    export TMPDIR
    chmod 755 "$TMPDIR"         # PostgreSQL does not run as root
    trap 'rm -rf "$TMPDIR"' EXIT
    trap 'exit 130' INT TERM
fi
"$@"
