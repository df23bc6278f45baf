#!/bin/sh
# Tries Tandem on a fresh machine: makes a minimal Debian that has git and make, clones this repository's HEAD into it,
# runs `make demo` and `make test` there and says what ran on what. Not part of `make test`.
#
#   sudo sh deploy/try-fresh-machine.sh SUITE [TARGET...]   SUITE: bookworm, trixie, sid, ...; TARGET: else demo and test
#
# DEBIAN_MIRROR  where the packages come from; else the first Debian archive among this machine's apt sources
# FRESH_ROOTS    the folder in which the root is made, about 3 GB; else /var/tmp
# FRESH_KEEP=1   leaves the root there afterwards
#
# How apt and pip reach their registries (proxy, certificate, index) is taken over from this machine.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'fresh: %s\n' "$*"; }
fail() {
    printf 'fresh: %s\n' "$*" >&2
    exit 2
}

[ $# -gt 0 ] || fail "which suite? For example: sudo sh deploy/try-fresh-machine.sh trixie"
suite=$1
shift
[ $# -gt 0 ] || set -- demo test
[ "$(id -u)" -eq 0 ] || fail "only root can make a root and change into it"
for program in debootstrap git unshare; do
    command -v "$program" >/dev/null 2>&1 || fail "missing: $program"
done

mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(ORIGIN) $(SUITE) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 !~ /-/ { print $3; exit }')}
[ -n "$mirror" ] || fail "no Debian archive among the apt sources: name one with DEBIAN_MIRROR"

root=$(mktemp -d "${FRESH_ROOTS:-/var/tmp}/tandem-$suite-XXXXXX")
child=
# All that runs in the root and all that is mounted there is in namespaces of the child's and goes with it, not before:
# unshare takes no notice of a milder signal.
end() {
    if [ -n "$child" ] && kill -KILL "$child" 2>/dev/null; then sleep 1; fi
    if [ -n "${FRESH_KEEP:-}" ]; then say "left in $root"; else rm -rf --one-file-system "$root"; fi
}
trap end EXIT
trap 'exit 130' INT TERM

# -- the machine ----------------------------------------------------------------------------------------------------

# https needs certificates before apt can fetch any.
case $mirror in https:*) packages=git,make,ca-certificates ;; *) packages=git,make ;; esac
say "making a minimal $suite with git and make in $root"
chmod 755 "$root"
debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
    tail -n 15 "$root.log" >&2
    rm -f "$root.log"
    fail "debootstrap failed"
}
rm -f "$root.log"
printf '127.0.0.1 localhost fresh\n' >"$root/etc/hosts"
printf 'fresh\n' >"$root/etc/hostname"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
apt-config dump | grep -E '^Acquire::(Check-|http|Retries)' >"$root/etc/apt/apt.conf.d/90host" || :

# What pip is told here by its files and by variables, which win; what lies on this machine's disk is not there.
python3 -m pip config list 2>/dev/null | sort -r |
    sed -nE "s/^(global|:env:)\.((extra-)?index-url|trusted-host|proxy|cert|(default-)?timeout|retries)='(.*)'\$/\2 = \5/p" |
    awk '/ file:/ { next } { setting[$1] = $0 } END { print "[global]"; for (name in setting) print setting[name] }' \
        >"$root/etc/pip.conf"
certificate=$(sed -n 's/^cert = //p' "$root/etc/pip.conf")
if [ -n "$certificate" ]; then
    cp -L "$certificate" "$root/etc/pip-cert.pem"
    sed -i 's|^cert = .*|cert = /etc/pip-cert.pem|' "$root/etc/pip.conf"
fi

git bundle create -q "$root/srv/tandem.bundle" HEAD

# -- what is run there ----------------------------------------------------------------------------------------------

cat >"$root/srv/try.sh" <<'TRY'
set -u
failed=0
results=/srv/results
git clone -q /srv/tandem.bundle /srv/tandem 2>/dev/null && cd /srv/tandem || exit 2
for target; do
    started=$(date +%s)
    make "$target" </dev/null
    status=$?
    took=$(($(date +%s) - started))
    if [ "$status" -eq 0 ]; then how=passed; else how="failed with status $status"; failed=1; fi
    echo "fresh: make $target: $how after $took s" >>"$results"
done
. /etc/os-release
echo "fresh: $PRETTY_NAME, $(.venv/bin/python -V 2>&1), $(gcc --version 2>/dev/null | head -n 1)"
for server in /usr/lib/postgresql/*/bin/postgres; do [ ! -x "$server" ] || echo "fresh: $("$server" --version)"; done
dpkg-query -W -f 'fresh: ${Package} ${Version}\n' rabbitmq-server prometheus 2>/dev/null
cat "$results"
exit "$failed"
TRY

unshare --mount --uts --ipc --pid --fork --kill-child sh -euc '
    root=$1
    shift
    hostname fresh
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/dev/shm"
    mount -t proc proc "$root/proc"
    exec chroot "$root" env -i HOME=/srv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        sh /srv/try.sh "$@"' sh "$root" "$@" &
child=$!
status=0
wait "$child" || status=$?
child=
exit "$status"
