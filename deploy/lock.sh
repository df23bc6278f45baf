#!/bin/sh
# Writes requirements.lock anew from pyproject.toml: every package with its hashes, for every supported Python and
# platform, and no address of a registry. Run by `make lock`.
set -eu
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
.venv/bin/python -m venv "$tools/venv"
"$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
"$tools/venv/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-annotate --extra dev --custom-compile-command "make lock" \
    --output-file requirements.lock pyproject.toml
