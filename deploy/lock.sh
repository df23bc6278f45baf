#!/bin/sh
# Writes requirements.lock, and the part of it that the image holds, anew from pyproject.toml: every package with its
# hashes, for every supported Python and platform, and no address of a registry. Run by `make lock`.
set -eu
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
.venv/bin/python -m venv "$tools/venv"
"$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv

# compile OUTPUT ARGUMENT...
compile() {
    output=$1
    shift
    "$tools/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-emit-find-links --no-annotate --custom-compile-command "make lock" --output-file "$output" "$@" pyproject.toml
}

compile requirements.lock --upgrade --extra dev
# What the image holds: the same versions without the tools of development.
compile deploy/docker/requirements.lock --upgrade --constraint requirements.lock

# Rule engines to compare with. rule-engine asks for an older python-dateutil than Tandem has; it works with this one.
awk '/^python-dateutil==/ { print $1 }' requirements.lock >"$tools/override.txt"
"$tools/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-emit-find-links --no-annotate --custom-compile-command "make lock" --upgrade --constraint requirements.lock \
    --override "$tools/override.txt" --output-file benchmarks/requirements.lock benchmarks/requirements.in
