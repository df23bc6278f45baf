#!/bin/sh
# Leaves .venv/bin/tandem ready to run; with "test" as first argument also the servers that the tests start.
#
#   sh deploy/setup.sh         what `make demo` needs: Python 3.11 to 3.14, a C compiler once, the pinned packages
#   sh deploy/setup.sh test    and what `make test` needs: RabbitMQ, PostgreSQL, PgBouncer, promtool
#
# Does nothing, in well under a second, when everything is there. PYTHON=/path/to/python3.13 picks an interpreter.
set -eu
cd "$(dirname "$0")/.."
LC_ALL=C
export LC_ALL

venv=.venv
log=$venv/setup.log

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# -- system packages ------------------------------------------------------------------------------------------------

# Prints the words to put before apt-get; fails where packages cannot be installed.
apt_prefix() {
    has apt-get || return 1
    [ "$(id -u)" -eq 0 ] && return 0
    has sudo || return 1
    # Without a terminal sudo could not ask for its password and would hang or fail half-way.
    if sudo -n true 2>/dev/null || [ -t 0 ]; then echo sudo; else return 1; fi
}

# apt_install WHY PACKAGE...: non-zero, with one line said, when they could not be installed.
apt_install() {
    why=$1
    shift
    if ! prefix=$(apt_prefix); then
        say "missing: $* ($why). Get it with: sudo apt-get install $*" >&2
        return 1
    fi
    say "installing with apt: $* ($why)"
    apt_log=$(mktemp)
    if $prefix apt-get update -q >"$apt_log" 2>&1 &&
        $prefix env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >>"$apt_log" 2>&1
    then
        rm -f "$apt_log"
        return 0
    fi
    tail -n 15 "$apt_log" >&2
    rm -f "$apt_log"
    say "apt could not install: $* ($why)" >&2
    return 1
}

# Debian starts a server as soon as its package is installed. The tests run private ones, so what we brought in is put
# back to rest; a server that was there before is never touched.
rest_service() {
    [ -d /run/systemd/system ] || return 0
    prefix=$(apt_prefix) || return 0
    if $prefix systemctl disable --now "$1" >/dev/null 2>&1; then
        say "stopped and disabled the system service $1: Tandem's tests start their own"
    fi
}

# -- Python ---------------------------------------------------------------------------------------------------------

suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        suits "$PYTHON" || return 1
        echo "$PYTHON"
        return 0
    fi
    # Every folder of PATH, not only the first hit: a version manager's python3.11 may be a shim with nothing behind it.
    for name in python3.11 python3.12 python3.13 python3.14 python3; do
        rest=$PATH:
        while [ -n "$rest" ]; do
            candidate=${rest%%:*}/$name
            rest=${rest#*:}
            if [ -x "$candidate" ] && suits "$candidate"; then
                echo "$candidate"
                return 0
            fi
        done
    done
    return 1
}

no_python() {
    found=$("${PYTHON:-python3}" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo none)
    fail "Tandem needs Python 3.11, 3.12, 3.13 or 3.14, found: $found." \
        "Install one of them, or name it: PYTHON=/path/to/python3.13 make setup"
}

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# A package name fitting the interpreter: Debian's own Python has versioned packages, others bring these parts along.
need_python_parts() {
    version=$(python_version "$python")
    wanted=""
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || wanted="python$version-venv"
    headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    [ -f "$headers/Python.h" ] || wanted="$wanted python$version-dev"
    compiler=${CC:-cc} # may come with arguments
    if ! has "${compiler%% *}" && ! has gcc; then wanted="$wanted gcc libc6-dev"; fi
    [ -n "$wanted" ] || return 0
    # shellcheck disable=SC2086
    apt_install "to make the virtual environment and to compile durable-rules" $wanted || exit 1
}

digest() { cat "$@" | "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; }

stamp_matches() { [ -f "$venv/$1" ] && [ "$(cat "$venv/$1")" = "$2" ]; }

# pip's remarks about the machine's own configuration would hide what matters, so they go to the log.
run_pip() {
    if ! "$venv/bin/python" -m pip --disable-pip-version-check --no-input "$@" >>"$log" 2>&1; then
        grep -v '^WARNING' "$log" | tail -n 25 >&2
        fail "pip failed; everything it said is in $log"
    fi
}

# pinned NAMES: the entries of the lock file that an awk pattern of names picks, hashes included; with "!" all others.
pinned() {
    awk -v names="^($1)==" -v others="${2:-}" \
        '/^[a-z0-9]/ { keep = others ? $1 !~ names : $1 ~ names } keep' requirements.lock
}

install_packages() {
    need_python_parts
    if [ ! -x "$venv/bin/python" ] || ! suits "$venv/bin/python" ||
        [ "$(python_version "$venv/bin/python")" != "$(python_version "$python")" ]; then
        "$python" -m venv --clear "$venv" || fail "could not make the virtual environment $venv"
    fi
    : >"$log"
    say "installing $(grep -c '^[a-z0-9]' requirements.lock) pinned packages into $venv (a few minutes the first time)"
    # The build tools must be there before a source package can be built without isolation.
    pinned 'setuptools|wheel|packaging' >"$venv/build-tools.lock"
    run_pip install --require-hashes --no-deps -r "$venv/build-tools.lock"
    pinned durable-rules ! >"$venv/packages.lock"
    run_pip install --require-hashes --no-deps --no-build-isolation -r "$venv/packages.lock"
    compile_engine
}

engine_loads() { "$venv/bin/python" -c 'import durable_rules_engine'; }

# durable-rules calls PyEval_CallObject, which Python 3.13 took away; PyObject_CallObject, which stayed, does the same.
# Not through pip's cache: it may hold one that was compiled without the new name and cannot be imported.
compile_engine() {
    CPPFLAGS="${CPPFLAGS:+$CPPFLAGS }-DPyEval_CallObject=PyObject_CallObject"
    export CPPFLAGS
    pinned durable-rules >"$venv/engine.lock"
    run_pip install --require-hashes --no-deps --no-build-isolation --no-cache-dir --force-reinstall \
        -r "$venv/engine.lock"
    engine_loads 2>>"$log" || fail "durable-rules was compiled for $("$venv/bin/python" -V) but cannot be imported:" \
        "$(tail -n 1 "$log")"
}

set_up_tandem() {
    if [ -n "${PYTHON:-}" ]; then
        python=$(find_python) || no_python
    elif [ -x "$venv/bin/python" ] && suits "$venv/bin/python"; then
        python=$venv/bin/python
    elif ! python=$(find_python); then
        if ! has python3 && apt_install "Tandem is written in it" python3 python3-venv python3-dev; then
            python=$(find_python) || no_python
        else
            no_python
        fi
    fi
    lock=$(python_version "$python")-$(digest requirements.lock)
    project=$(digest pyproject.toml)
    if ! stamp_matches installed-lock "$lock" || [ ! -x "$venv/bin/python" ]; then
        rm -f "$venv/installed-lock" "$venv/installed-project"
        install_packages
        printf '%s' "$lock" >"$venv/installed-lock"
    elif ! engine_loads 2>/dev/null; then
        say "the rules engine durable-rules cannot be imported: compiling it anew"
        need_python_parts
        compile_engine
    fi
    if ! stamp_matches installed-project "$project" || [ ! -x "$venv/bin/tandem" ]; then
        run_pip install --no-deps --no-build-isolation --editable .
        printf '%s' "$project" >"$venv/installed-project"
        say "ready: $venv/bin/tandem"
    fi
}

# -- servers for the tests ------------------------------------------------------------------------------------------

has_rabbitmq() { [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || has rabbitmq-server; }

has_postgresql() {
    has initdb && return 0
    for program in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$program" ] && return 0
    done
    return 1
}

set_up_tests() {
    wanted=""
    has_rabbitmq || wanted="$wanted rabbitmq-server"
    has_postgresql || wanted="$wanted postgresql"
    has promtool || wanted="$wanted prometheus"
    # Debian keeps it in /usr/sbin, which is not on everybody's PATH.
    has pgbouncer || [ -x /usr/sbin/pgbouncer ] || wanted="$wanted pgbouncer"
    [ -n "$wanted" ] || return 0
    # What cannot be installed was named in a line; the tests that need it will fail and say so, the others still run.
    # shellcheck disable=SC2086
    apt_install "servers that the tests start for themselves" $wanted || return 0
    for service in $wanted; do rest_service "$service"; done
}

case ${1:-base} in
    base) set_up_tandem ;;
    test)
        set_up_tandem
        set_up_tests
        ;;
    *) fail "unknown argument '$1'; it is: setup.sh [test]" ;;
esac
