#!/bin/sh
# Looks for PostgreSQL and Redis on loopback, for the tests on the production backend. If a server
# does not answer, the script starts it; under CI=true, as root, it also installs it.
#
# The script is silent if both servers answer, and it exits with 0 even if one is missing: the tests
# that need it are skipped then. REQUIRED=true (`make test`) names the servers that were found.
# CI=true or REQUIRED=true makes a missing server an error. TEST_POSTGRES and TEST_REDIS name other
# servers, which the script does not check.
set -eu

answers() { # port
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $1), 2).close()" 2>/dev/null
}

wait_for() { # port
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        answers "$1" && return 0
        sleep 0.5
    done
    return 1
}

install() { # package
    [ "${CI:-}" = true ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    echo "Installing $1 for the tests ..."
    apt-get -qq update </dev/null >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$1" </dev/null >/dev/null 2>&1
}

postgres() {
    [ -n "${TEST_POSTGRES:-}" ] && return 0
    answers 5432 && return 0
    command -v pg_ctlcluster >/dev/null 2>&1 || install postgresql || return 1
    for cluster in /etc/postgresql/*/main; do
        version=$(basename "$(dirname "$cluster")")
        pg_ctlcluster --skip-systemctl-redirect "$version" main start >/dev/null 2>&1 || true
    done
    wait_for 5432
}

redis() {
    [ -n "${TEST_REDIS:-}" ] && return 0
    answers 6379 && return 0
    command -v redis-server >/dev/null 2>&1 || install redis-server || return 1
    redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save "" --appendonly no >/dev/null
    wait_for 6379
}

missing=""
postgres || missing="PostgreSQL (127.0.0.1:5432)"
redis || missing="${missing:+$missing and }Redis (127.0.0.1:6379)"
if [ -z "$missing" ]; then
    if [ "${REQUIRED:-}" = true ]; then
        # tests/support/production.py has the same defaults.
        echo "The tests on the production backend use" \
            "${TEST_POSTGRES:-postgresql://postgres@127.0.0.1:5432}" \
            "and ${TEST_REDIS:-redis://127.0.0.1:6379/9}."
    fi
    exit 0
fi
echo "Not there: $missing. The tests on the production backend need both." >&2
if [ "${REQUIRED:-}" = true ]; then
    cat >&2 <<'END'
'make test' needs PostgreSQL and Redis; 'make unit' skips the tests that do. To install them:
  Debian, Ubuntu   sudo apt-get install postgresql redis-server
  Fedora           sudo dnf install postgresql-server redis
  macOS            brew install postgresql redis
The role "postgres" must be able to log in on 127.0.0.1 without a password.
END
fi
[ "${CI:-}" = true ] || [ "${REQUIRED:-}" = true ] && exit 1
exit 0
