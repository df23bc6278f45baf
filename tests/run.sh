#!/bin/sh
# The whole suite in three pytest processes side by side: one computes, two mostly wait for brokers and databases; some
# integration tests go with the third, so that both take about as long. Not by pytest-xdist: its threads wait for ever
# for locks that eventlet.monkey_patch() has replaced.
# With arguments: one pytest with these.
set -u
cd "$(dirname "$0")/.." || exit 1
python=.venv/bin/python
if [ $# -gt 0 ]; then
    exec "$python" -m pytest "$@"
fi
logs=$(mktemp -d)
trap 'kill "$first" "$second" 2>/dev/null; rm -rf "$logs"' EXIT INT TERM
"$python" -m pytest -p no:cacheprovider tests/integration --ignore-glob='*/test_t*' >"$logs/first" 2>&1 &
first=$!
"$python" -m pytest -p no:cacheprovider tests/contract tests/e2e tests/integration/test_t* >"$logs/second" 2>&1 &
second=$!
"$python" -m pytest tests/unit
failed=$?
wait "$first" || failed=1
cat "$logs/first"
wait "$second" || failed=1
cat "$logs/second"
exit "$failed"
