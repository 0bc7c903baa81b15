#!/bin/sh
# Two quick experiments of lessons, and one without a lesson; `FAKE_RUNNER` is the exit code, `FAKE_DIFFERENT` an experiment that
# `reproduce` finds different.
PATH=/usr/bin:/bin
echo "runner $*" >> "$LOG"
quick='{"name": "xor", "lesson": "A", "quick": true}, {"name": "digits", "lesson": "B", "quick": true}'
case "$*" in
"list --quick "*) echo "[$quick]" ;;
"list "*) echo "[$quick, {\"name\": \"mine\", \"lesson\": null}]" ;;
"reproduce $FAKE_DIFFERENT "*) echo "base-seed0: different"; exit 1 ;;
"cat "*) echo "in $PWD"; cat; exit "$FAKE_RUNNER" ;;
*) exit "${FAKE_RUNNER:-0}" ;;
esac
