#!/bin/sh
# Prints the Python for the environment: $PYTHON if it is set, otherwise one that is new enough.
set -eu

new_enough() {
    # A wrapper of a version manager may be on the PATH and fail when it runs. Therefore run it.
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    new_enough "$PYTHON" && printf '%s\n' "$PYTHON" && exit 0
    echo "PYTHON=$PYTHON does not run, or is older than Python 3.11." >&2
    exit 1
fi

for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    new_enough "$candidate" && printf '%s\n' "$candidate" && exit 0
done

cat >&2 <<'END'
No Python 3.11 or newer was found. Install one, for example:
  Debian, Ubuntu   sudo apt-get install python3 python3-venv
  Fedora           sudo dnf install python3
  macOS            brew install python@3.13
or name one: make run PYTHON=/path/to/python3
END
exit 1
