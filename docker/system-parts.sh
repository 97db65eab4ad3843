#!/bin/sh
# Installs the system parts that are missing where the user is root on Debian; else names the command.
# Usage: system-parts.sh node libcurl curl chromium redis nginx wrk
set -eu
missing=""
for part in "$@"; do
    case "$part" in
        node) command -v npm >/dev/null 2>&1 || missing="$missing nodejs npm" ;;
        libcurl)
            if [ "$(uname -s)" = Linux ] && ! /sbin/ldconfig -p 2>/dev/null | grep -q 'libcurl\.so\.4'; then
                missing="$missing libcurl4"
            fi ;;
        curl) command -v curl >/dev/null 2>&1 || missing="$missing curl" ;;
        wrk | slowhttptest) command -v "$part" >/dev/null 2>&1 || missing="$missing $part" ;;
        chromium)
            command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
            command -v chromedriver >/dev/null 2>&1 || missing="$missing chromium-driver" ;;
        nginx) [ -x "$(command -v nginx || echo /usr/sbin/nginx)" ] || missing="$missing nginx" ;;
        redis) command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server" ;;
    esac
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing"
    apt-get update -qq >/dev/null
    # shellcheck disable=SC2086
    # RUNLEVEL=1: what is installed for tests is not started as a service
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    exit 0
fi
echo "missing on this machine:$missing" >&2
echo "on Debian or Ubuntu: sudo apt-get install$missing" >&2
for part in $missing; do
    case "$part" in
        chromium | chromium-driver) echo "without $part the browser tests will be skipped" >&2 ;;
        *) exit 1 ;;
    esac
done
