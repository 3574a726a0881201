#!/usr/bin/env bash
# Usage: ./reset.sh [--yes]
#
# Stops the server that this script started before, deletes the database and the log, and starts the
# server anew on http://localhost:8000. At a terminal it asks before it deletes anything.
#   --yes           do not ask
#   PORT=8001       another port
#   PYTHON=python3  another interpreter than .venv's
# It stops no other process: if one holds the port, it says so and deletes nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

PORT="${PORT:-8000}"
export ORIGIN="${ORIGIN:-http://localhost:$PORT}"
PID_FILE=.server.pid
OUTPUT=server.out
confirmed=false pid='' mark=''

usage() { sed -n '2,/^set/ s/^# \{0,1\}//p' reset.sh; }

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Whether process $1 runs and has the mark $2 on its command line. The mark is new at each start, so
# a later process that was given the same number is never taken for the server.
runs() {
    local line
    line=$({ tr '\0' ' ' <"/proc/$1/cmdline" || ps -p "$1" -ww -o command=; } 2>/dev/null || true)
    [[ "$line" == *" -X started_by=$2 "* ]]
}

# Waits until the command after $1 succeeds; fails after $1 tenths of a second.
wait_for() {
    local left=$1
    shift
    until "$@"; do
        [ $((left -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}

has_begun() { runs "$pid" "$mark" || ! kill -0 "$pid" 2>/dev/null; }
has_ended() { ! runs "$pid" "$mark"; }

port_taken() {
    (: <>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || (: <>"/dev/tcp/::1/$PORT") 2>/dev/null
}

answers_or_has_ended() { port_taken || has_ended; }

stop_server() {
    kill -TERM "$pid" 2>/dev/null || true
    if ! wait_for 100 has_ended; then
        kill -KILL "$pid" 2>/dev/null || true
        wait_for 50 has_ended || fail "Process $pid does not stop."
    fi
    echo "Stopped the server (process $pid)"
}

start_server() {
    mark="reset-$$-$RANDOM-$(date +%s)"
    # The server must not inherit this script's output: a reader of it would wait for the server.
    nohup "$PYTHON" -X "started_by=$mark" -m uvicorn main:app --host 127.0.0.1 --port "$PORT" \
        --no-proxy-headers --no-server-header </dev/null >"$OUTPUT" 2>&1 &
    pid=$!
    printf '%s\n%s\n' "$pid" "$mark" >"$PID_FILE"
    wait_for 50 has_begun || true
    wait_for 600 answers_or_has_ended || fail "The server (process $pid) does not answer on $PORT."
    if has_ended; then
        tail -n 15 "$OUTPUT" >&2
        rm -f "$PID_FILE"
        fail "The server did not start; the lines above are the end of $OUTPUT."
    fi
    echo "Serving http://localhost:$PORT (process $pid); its output goes to $OUTPUT"
}

case "$*" in
    '') ;;
    --yes) confirmed=true ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
esac
case "$PORT" in '' | 0* | *[!0-9]* | ??????*) fail "PORT=$PORT is not a port number." ;; esac
[ -n "${PYTHON:-}" ] || { [ -x .venv/bin/python ] && PYTHON=.venv/bin/python; } ||
    PYTHON=$(scripts/find-python.sh)
"$PYTHON" -c 'import uvicorn' 2>/dev/null ||
    fail "uvicorn is not installed for $PYTHON: run 'make reset', which installs it, or see README."

files=$("$PYTHON" reset_db.py --list)
if [ -n "$files" ] && [ -t 0 ] && ! "$confirmed"; then
    printf 'This deletes:\n%s\nGo on? [y/N] ' "$files"
    read -r answer || answer=''
    [[ "$answer" == [yY]* ]] || fail "Nothing was deleted."
fi
{ read -r pid && read -r mark; } 2>/dev/null <"$PID_FILE" || true
if [[ "$pid" =~ ^[0-9]+$ && -n "$mark" ]] && runs "$pid" "$mark"; then stop_server; fi
rm -f "$PID_FILE"
if port_taken; then
    holder=$(lsof -t -iTCP:"$PORT" -sTCP:LISTEN 2>/dev/null | head -n 1) || true
    fail "Port $PORT is held by a server that this script did not start${holder:+ (process $holder)}." \
        "Stop that one yourself, or choose another: PORT=8001 ./reset.sh"
fi
"$PYTHON" reset_db.py
start_server
