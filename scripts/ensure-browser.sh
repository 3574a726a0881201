#!/bin/sh
# Looks for a Chromium for the browser tests, where tests/browser/chromium.py looks, too. If there is
# none, the script installs one where that needs no password, or else says how to install it.
# CHROMIUM_PATH names a Chromium elsewhere.
#
# The script is silent if a Chromium is there, and it exits with 0 even if none is: the browser tests
# are skipped then. REQUIRED=true (`make test`) names the Chromium that was found. CI=true or
# REQUIRED=true makes a missing Chromium an error.
set -eu

# Sets $browser to the Chromium that the tests will use; fails if there is none.
found() {
    # An explicit wish is not replaced by something else.
    browser=${CHROMIUM_PATH:-}
    if [ -n "$browser" ]; then
        [ -x "$browser" ]
        return
    fi
    for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
        browser=$(command -v "$name" 2>/dev/null) && return 0
    done
    for app in "Google Chrome" "Chromium" "Google Chrome for Testing"; do
        for root in "" "${HOME:-}"; do
            browser="$root/Applications/$app.app/Contents/MacOS/$app"
            [ -x "$browser" ] && return 0
        done
    done
    return 1
}

# Ends the script when a Chromium was found.
done_with() {
    [ "${REQUIRED:-}" = true ] && echo "The browser tests use $browser."
    exit 0
}

# Ends the script when there is no Chromium.
give_up() {
    if [ "${REQUIRED:-}" = true ]; then
        echo "'make test' needs a Chromium; 'make unit' runs the tests that do not." >&2
    fi
    [ "${CI:-}" = true ] || [ "${REQUIRED:-}" = true ] && exit 1
    exit 0
}

# Prints how to become root; fails if that would need a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        echo env
    elif sudo -n true >/dev/null 2>&1; then
        echo "sudo -n env"
    else
        return 1
    fi
}

install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    root=$(as_root) || return 1
    echo "Installing Chromium for the browser tests ..."
    apt="$root DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120"
    # $apt is several words on purpose. Lists may be stale in part and good enough all the same.
    # shellcheck disable=SC2086
    {
        $apt update || true
        # Ubuntu's name is the second; a font, for a page without letters cannot be judged.
        $apt install -y --no-install-recommends chromium fonts-liberation ||
            $apt install -y --no-install-recommends chromium-browser fonts-liberation
    } </dev/null >"$log" 2>&1 || {
        tail -n 15 "$log" >&2
        return 1
    }
}

# Installs Firefox in CI: one test needs it, and it is skipped elsewhere if Firefox is missing.
# The function is not called "firefox", because `command -v firefox` would find the function.
second_engine() {
    [ "${CI:-}" = true ] || return 0
    [ -n "${FIREFOX_PATH:-}" ] && return 0
    for name in firefox-esr firefox; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    command -v apt-get >/dev/null 2>&1 || return 0
    root=$(as_root) || return 0
    echo "Installing Firefox for one browser test ..."
    # shellcheck disable=SC2086
    {
        $root apt-get -qq update || true
        $root DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 \
            install -y --no-install-recommends firefox-esr
    } </dev/null >/dev/null 2>&1 || echo "Firefox could not be installed." >&2
}

second_engine
found && done_with
if [ -n "${CHROMIUM_PATH:-}" ]; then
    echo "CHROMIUM_PATH=$CHROMIUM_PATH cannot be run: the browser tests are skipped." >&2
    give_up
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
install && found && done_with

cat >&2 <<'END'
No Chromium or Chrome was found, and the browser tests are skipped without one. To install it:
  Debian           sudo apt-get install chromium
  Ubuntu           sudo snap install chromium
  Fedora           sudo dnf install chromium
  macOS            brew install --cask chromium      (Google Chrome serves as well)
END
give_up
