#!/bin/sh
# Adds the engines that Tandem is compared with to .venv. Run by `make bench-rules`; does nothing when they are there.
set -eu
cd "$(dirname "$0")/.."
LC_ALL=C
export LC_ALL

venv=.venv
lock=benchmarks/requirements.lock
stamp=$(cat "$lock" requirements.lock | "$venv/bin/python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
[ -f "$venv/installed-benchmarks" ] && [ "$(cat "$venv/installed-benchmarks")" = "$stamp" ] && exit 0

printf 'setup: installing the rule engines to compare with into %s\n' "$venv"
if ! "$venv/bin/python" -m pip --disable-pip-version-check --no-input install --no-deps --require-hashes -r "$lock" \
    >"$venv/benchmarks.log" 2>&1; then
    grep -v '^WARNING' "$venv/benchmarks.log" | tail -n 25 >&2
    printf 'setup: pip failed; everything it said is in %s\n' "$venv/benchmarks.log" >&2
    exit 1
fi
printf '%s' "$stamp" >"$venv/installed-benchmarks"
