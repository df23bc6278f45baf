#!/bin/sh
# Adds the frameworks that the bus is compared with to .venv. Run by `make bench-bus`; does nothing when they are there.
set -eu
cd "$(dirname "$0")/../.."
LC_ALL=C
export LC_ALL

venv=.venv
lock=benchmarks/bus/requirements.lock
stamp=$(cat "$lock" requirements.lock | "$venv/bin/python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
[ -f "$venv/installed-bench-bus" ] && [ "$(cat "$venv/installed-bench-bus")" = "$stamp" ] && exit 0

printf 'setup: installing the consumers to compare with into %s\n' "$venv"
if ! "$venv/bin/python" -m pip --disable-pip-version-check --no-input install --no-deps --require-hashes -r "$lock" \
    >"$venv/bench-bus.log" 2>&1; then
    grep -v '^WARNING' "$venv/bench-bus.log" | tail -n 25 >&2
    printf 'setup: pip failed; everything it said is in %s\n' "$venv/bench-bus.log" >&2
    exit 1
fi
printf '%s' "$stamp" >"$venv/installed-bench-bus"
