#!/bin/sh
# The steps of an image, for `Dockerfile` and `runner.def`, as root in Debian 12.
#
#   steps.sh build [cuda]   installs compilers, fetches libtorch with pip, builds, and leaves /opt/runner: programs and libtorch
#   steps.sh check          runs the programs; needs no compiler
#
# The parts of `build` are steps, too: packages, libtorch [cuda], program, trim.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
prefix=/opt/runner
rust=1.91.0

packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends ca-certificates curl g++ git lld python3 python3-pip
}

libtorch() {
    mkdir -p "$prefix/download"
    python3 "$source/xtask/scripts/libtorch.py" fetch "$prefix/download" "${1:-cpu}"
    mv "$prefix/download/staging/new" "$prefix/libtorch"
    rm -rf "$prefix/download"
}

program() {
    if ! command -v cargo >/dev/null; then
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --profile minimal --default-toolchain "$rust"
        export PATH="$HOME/.cargo/bin:$PATH"
    fi
    cd "$source"
    # the programs find libtorch by this path
    LIBTORCH="$prefix/libtorch/torch" cargo xtask install --root "$prefix"
}

# Leaves what the programs load.
trim() {
    find "$prefix/libtorch/torch" -mindepth 1 -maxdepth 1 ! -name lib -exec rm -rf {} +
    rm -rf "$prefix"/.crates*
    du -sh "$prefix"
}

check() {
    "$prefix/bin/runner" doctor
    folder=$(mktemp -d)
    cd "$folder"
    "$prefix/bin/runner" exp digits_mlp --strict --quiet
    "$prefix/bin/runner" sweep digits_mlp --space lr=log:0.001..0.1 --trials 4 --epochs 5 --workers 2 --quiet
    "$prefix/bin/runner" sweep verify digits_mlp
    rm -rf "$folder"
}

action=${1:-}
[ $# -eq 0 ] || shift
case "$action" in
build)
    packages
    libtorch "$@"
    program
    trim
    ;;
packages | program | trim | check) "$action" ;;
libtorch) libtorch "$@" ;;
*) echo "usage: steps.sh build [cuda] | check" >&2; exit 2 ;;
esac
