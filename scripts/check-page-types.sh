#!/bin/sh
# Checks the types of the page's scripts (static/js, by their JSDoc comments) with TypeScript.
# Installs the pinned compiler into scripts/page-types/node_modules if it is not there. Without Node
# the check is left out, except under CI=true: there the script installs Node (Debian, as
# root), or fails.
set -eu
cd "$(dirname "$0")/page-types"
stamp=node_modules/.installed

node_works() {
    command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1
}

install_node() {
    [ "${CI:-}" = true ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    echo "Installing Node for the type check of the page ..."
    apt-get -qq update </dev/null >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 install -y \
        --no-install-recommends nodejs npm </dev/null >/dev/null 2>&1
}

if ! node_works && ! { install_node && node_works; }; then
    echo "Node and npm were not found: the types of static/js are not checked." >&2
    [ "${CI:-}" = true ] && exit 1
    exit 0
fi

# The stamp is a copy of the lock file that the installed packages came from.
if ! cmp -s package-lock.json "$stamp"; then
    echo "Installing TypeScript into scripts/page-types/node_modules ..."
    npm ci --no-audit --no-fund --ignore-scripts --loglevel=error </dev/null >/dev/null
    cp package-lock.json "$stamp"
fi
node_modules/.bin/tsc --project .
