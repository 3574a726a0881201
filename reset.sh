#!/usr/bin/env bash
# Starts afresh: stops the server that this script started before, deletes the database and the log
# (reset_db.py), and starts the server anew in the background on http://localhost:8000.
#
# Of other processes it stops none: if one holds the port, it says so and deletes nothing.
# PORT chooses another port, PYTHON another interpreter than .venv's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

PORT="${PORT:-8000}"
ORIGIN="${ORIGIN:-http://localhost:$PORT}"
export ORIGIN
PID_FILE=.server.pid
OUTPUT=server.out
START_SECONDS=60
STOP_SECONDS=10

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        say "$PYTHON"
    elif [ -x .venv/bin/python ]; then
        say .venv/bin/python
    else
        scripts/find-python.sh
    fi
}

# When process $1 started, as the system tells it; nothing if it has ended. A number that a later
# process was given has another start time.
started() {
    local stat
    if [ -r "/proc/$1/stat" ]; then
        stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
        # The name, in parentheses, may hold anything: count from behind it. Z has ended.
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        [ "$1" = Z ] || say "${20}"
    else
        { LC_ALL=C ps -p "$1" -o stat= -o lstart= 2>/dev/null || true; } |
            sed -e '/^Z/d' -e 's/^[^ ]* *//' -e 's/ *$//'
    fi
}

command_line() {
    if [ -r "/proc/$1/cmdline" ]; then
        tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null || true
    else
        ps -p "$1" -ww -o command= 2>/dev/null || true
    fi
}

# Prints the process number of the server this script started, if it still runs.
our_server() {
    local pid start
    [ -f "$PID_FILE" ] || return 0
    { read -r pid && read -r start; } <"$PID_FILE" || return 0
    case "$pid" in '' | *[!0-9]*) return 0 ;; esac
    [ -n "$start" ] && [ "$(started "$pid")" = "$start" ] || return 0
    case "$(command_line "$pid")" in *"-m uvicorn main:app"*) say "$pid" ;; esac
}

# Whether somebody answers on the port, on either address that a browser takes for localhost.
port_taken() {
    "$PYTHON" - "$PORT" <<'END'
import contextlib, socket, sys
for host in ("127.0.0.1", "::1"):
    with contextlib.suppress(OSError):
        socket.create_connection((host, int(sys.argv[1])), timeout=2).close()
        sys.exit(0)
sys.exit(1)
END
}

fail_if_foreign() {
    local holder
    port_taken || return 0
    holder=$(lsof -t -iTCP:"$PORT" -sTCP:LISTEN 2>/dev/null | head -n 1) || true
    fail "Port $PORT is held by a server that this script did not start${holder:+ (process $holder)}." \
        "Stop that one yourself, or choose another: PORT=8001 ./reset.sh"
}

# Waits until process $1, which started at $2, has ended; fails after $3 seconds.
ended_within() {
    local tenths=$(($3 * 10))
    while [ "$(started "$1")" = "$2" ]; do
        [ "$tenths" -gt 0 ] || return 1
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

stop_server() {
    local pid=$1 start
    start=$(started "$pid")
    kill -TERM "$pid" 2>/dev/null || true
    if ! ended_within "$pid" "$start" "$STOP_SECONDS"; then
        kill -KILL "$pid" 2>/dev/null || true
        ended_within "$pid" "$start" 5 || fail "Process $pid does not stop."
    fi
    say "Stopped the server (process $pid)"
}

start_server() {
    local pid
    # No output may stay tied to this script's, or whoever reads that would wait for the server.
    nohup "$PYTHON" -m uvicorn main:app --host 127.0.0.1 --port "$PORT" \
        --no-proxy-headers --no-server-header </dev/null >"$OUTPUT" 2>&1 &
    pid=$!
    printf '%s\n%s\n' "$pid" "$(started "$pid")" >"$PID_FILE"
    wait_until_it_answers "$pid"
    say "Serving http://localhost:$PORT (process $pid); its output goes to $OUTPUT"
}

wait_until_it_answers() {
    local tenths=$((START_SECONDS * 10)) start
    start=$(started "$1")
    until port_taken; do
        if [ "$(started "$1")" != "$start" ] || [ -z "$start" ]; then
            tail -n 15 "$OUTPUT" >&2
            rm -f "$PID_FILE"
            fail "The server did not start; the lines above are the end of $OUTPUT."
        fi
        [ "$tenths" -gt 0 ] || fail "The server (process $1) does not answer on port $PORT."
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

case "$PORT" in '' | 0* | *[!0-9]* | ??????*) fail "PORT=$PORT is not a port number." ;; esac
PYTHON=$(find_python)
"$PYTHON" -c 'import uvicorn' 2>/dev/null ||
    fail "uvicorn is not installed for $PYTHON: run 'make reset', which installs it, or see README."

server=$(our_server)
[ -z "$server" ] || stop_server "$server"
rm -f "$PID_FILE"
fail_if_foreign
"$PYTHON" reset_db.py
start_server
