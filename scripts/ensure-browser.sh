#!/bin/sh
# Sees to a Chromium for the browser tests: silent if there is one, else installed where that needs
# no password, else told plainly. Fails only under CI=true. CHROMIUM_PATH names one elsewhere.
# Looks where tests/browser/chromium.py looks.
set -eu

found() {
    # An explicit wish is not replaced by something else.
    if [ -n "${CHROMIUM_PATH:-}" ]; then
        [ -x "$CHROMIUM_PATH" ]
        return
    fi
    for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    for app in "Google Chrome" "Chromium" "Google Chrome for Testing"; do
        for root in "" "${HOME:-}"; do
            [ -x "$root/Applications/$app.app/Contents/MacOS/$app" ] && return 0
        done
    done
    return 1
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

# The second engine: one test needs it, CI must have it, and nobody else is made to load it.
# Not named after what it looks for: `command -v` finds functions, too.
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
found && exit 0
if [ -n "${CHROMIUM_PATH:-}" ]; then
    echo "CHROMIUM_PATH=$CHROMIUM_PATH cannot be run: the browser tests are skipped." >&2
    [ "${CI:-}" = true ] && exit 1
    exit 0
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
install && found && exit 0

cat >&2 <<'END'
No Chromium or Chrome was found, and the browser tests are skipped without one. To install it:
  Debian           sudo apt-get install chromium
  Ubuntu           sudo snap install chromium
  Fedora           sudo dnf install chromium
  macOS            brew install --cask chromium      (Google Chrome serves as well)
END
[ "${CI:-}" = true ] && exit 1
exit 0
