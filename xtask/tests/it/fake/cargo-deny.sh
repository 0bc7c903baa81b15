#!/bin/sh
# Logs its calls and fails if its arguments contain `FAKE_DENY`.
PATH=/usr/bin:/bin
[ "$1" = --version ] && { echo "cargo-deny ${FAKE_DENY_VERSION:-0.20.2}"; exit 0; }
echo "deny $* [$(basename "$PWD")]" >> "$LOG"
case "$FAKE_DENY in $*" in
" in "*) ;;
*" in "*"$FAKE_DENY"*) echo "2026-11-22 16:05:56 [ERROR] failed to fetch: fake" >&2; exit 1 ;;
esac
