#!/bin/sh
# Sees to PostgreSQL and Redis on loopback for tests/production: silent if they answer, else started
# if they are installed, else told plainly. Fails only under CI=true; elsewhere those tests skip.
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
    answers 5432 && return 0
    command -v pg_ctlcluster >/dev/null 2>&1 || install postgresql || return 1
    for cluster in /etc/postgresql/*/main; do
        version=$(basename "$(dirname "$cluster")")
        pg_ctlcluster --skip-systemctl-redirect "$version" main start >/dev/null 2>&1 || true
    done
    wait_for 5432
}

redis() {
    answers 6379 && return 0
    command -v redis-server >/dev/null 2>&1 || install redis-server || return 1
    redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save "" --appendonly no >/dev/null
    wait_for 6379
}

missing=""
postgres || missing="PostgreSQL (127.0.0.1:5432)"
redis || missing="$missing Redis (127.0.0.1:6379)"
[ -z "$missing" ] && exit 0
echo "Not there: $missing. The tests in tests/production are skipped without them." >&2
[ "${CI:-}" = true ] && exit 1
exit 0
