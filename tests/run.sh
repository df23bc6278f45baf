#!/bin/sh
# The whole suite in two pytest processes side by side, one per core: whatever needs no server, and the rest. Not by
# pytest-xdist: its threads wait for ever for locks that eventlet.monkey_patch() has replaced.
# With arguments: one pytest with these.
set -u
cd "$(dirname "$0")/.." || exit 1
python=.venv/bin/python
if [ $# -gt 0 ]; then
    exec "$python" -m pytest "$@"
fi
servers="tests/contract tests/e2e tests/integration"
log=$(mktemp)
trap 'kill "$other" 2>/dev/null; rm -f "$log"' EXIT INT TERM
# shellcheck disable=SC2086 - a list of folders
"$python" -m pytest -p no:cacheprovider $servers >"$log" 2>&1 &
other=$!
"$python" -m pytest tests/unit
first=$?
wait "$other"
second=$?
cat "$log"
[ "$first" -eq 0 ] && [ "$second" -eq 0 ]
