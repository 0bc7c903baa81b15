#!/bin/sh
# Logs its calls; `FAKE_CARGO` is the subcommand that fails.
PATH=/usr/bin:/bin
echo "cargo $* [$(basename "$PWD"), LIBTORCH $LIBTORCH]" >> "$LOG"
[ "$1" = "$FAKE_CARGO" ] && { echo "fake error" >&2; exit 101; }
case "$1 $*" in
build*--bench*) for name in csv_to_tensors tree_fit; do
    echo "{\"target\":{\"kind\":[\"bench\"],\"name\":\"$name\"},\"executable\":\"/benches/$name\"}"
    done ;;
build*) echo "{\"target\":{\"kind\":[\"bin\"],\"name\":\"runner\"},\"executable\":\"$RUNNER\"}" ;;
install*cargo-deny*)
    for root; do :; done
    mkdir -p "$root/bin" && cp "$DENY" "$root/bin/cargo-deny" ;;
esac
exit 0
