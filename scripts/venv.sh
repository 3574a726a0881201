#!/bin/sh
# venv.sh FILE...: makes .venv if it does not exist, and installs the pinned FILEs that changed.
set -eu
cd "$(dirname "$0")/.."
venv=.venv

works() {
    "$venv/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Prints what an installation depends on. If the stamp file in .venv has the same
# text, the installation is up to date.
fingerprint() {
    "$venv/bin/python" --version
    cksum requirements.txt requirements-otel.txt requirements-dev.txt constraints.txt
}

create() {
    python=$(scripts/find-python.sh)
    echo "Making $venv with $("$python" --version) ..."
    rm -rf "$venv"
    if ! "$python" -m venv "$venv" >"$log" 2>&1 &&
        ! "$python" -m virtualenv --quiet "$venv" >>"$log" 2>&1; then
        rm -rf "$venv"
        cat "$log" >&2
        cat >&2 <<END
$python cannot make a virtual environment: its venv or ensurepip module is missing.
  Debian, Ubuntu   sudo apt-get install python3-venv
  elsewhere        $python -m pip install --user virtualenv
or name another Python 3.11 or newer: make run PYTHON=/path/to/python3
END
        exit 1
    fi
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

works || create
for file in "$@"; do
    stamp="$venv/.installed-$file"
    [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ] && continue
    echo "Installing $file into $venv ..."
    # --quiet twice: print errors only. Your pip settings decide where packages come from.
    "$venv/bin/python" -m pip --quiet --quiet --disable-pip-version-check install -r "$file"
    fingerprint >"$stamp"
done
