#!/usr/bin/env bash
# Runs the steps of an image in a new Debian 12 without containers, as root, and removes it:
#
#   clean-root.sh            all steps
#   clean-root.sh PROGRAMS   with `runner` and `runner-engine` of this folder in place of those that the steps would build; they find
#                            libtorch by LD_LIBRARY_PATH
#
# It needs `debootstrap`, the right to mount `/proc`, and a network; without them the exit code is 77. If DEBIAN_CACHE is the absolute
# path of a folder, it keeps the packages of Debian. The image has a Debian without compilers, which only gets /opt/runner.
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
unset LD_LIBRARY_PATH
root=$(mktemp -d)
end() {
    umount "$root"/{build,final}/proc 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap end EXIT

not_here() {
    echo "clean-root: $1 failed: this machine has no network, or lacks a right" >&2
    exit 77
}
new_roots() {
    local options=(--variant=minbase)
    [[ -z "${DEBIAN_CACHE:-}" ]] || { mkdir -p "$DEBIAN_CACHE" && options+=(--cache-dir="$DEBIAN_CACHE"); }
    debootstrap "${options[@]}" bookworm "$root/build" >"$root/log" || { tail "$root/log" >&2; not_here debootstrap; }
    cp /etc/resolv.conf "$root/build/etc/"
    [[ -z "${PIP_CERT:-}" ]] || cp "$PIP_CERT" "$root/build/etc/certificates.pem"
    cp --archive "$root/build" "$root/final"
    for folder in build final; do mount -t proc proc "$root/$folder/proc" || not_here mount; done
}
inside() {
    local folder=$1
    shift
    # of the environment of this machine only what the network needs
    env -i HOME=/home PATH=/usr/sbin:/usr/bin:/sbin:/bin ${PIP_CERT:+PIP_CERT=/etc/certificates.pem} \
        $(env | grep -iE '^(https?_proxy|no_proxy|PIP_INDEX_URL|LD_LIBRARY_PATH)=' || true) \
        chroot "$root/$folder" "$@"
}

new_roots
mkdir "$root/build/source"
git -C "$source" ls-files -z --cached --others --exclude-standard | tar --directory "$source" --null --files-from=- --create --file=- | tar --extract --directory "$root/build/source"
if [[ $# == 0 ]]; then
    inside build /source/containers/steps.sh build
else
    inside build /source/containers/steps.sh packages || not_here "the download of packages"
    inside build /source/containers/steps.sh libtorch || not_here "the download of libtorch"
    install -D --target-directory "$root/build/opt/runner/bin" "$1/runner" "$1/runner-engine"
    inside build /source/containers/steps.sh trim
    export LD_LIBRARY_PATH=/opt/runner/libtorch/torch/lib
fi
mkdir -p "$root/final/opt"
mv "$root/build/opt/runner" "$root/final/opt/runner"
cp "$source/containers/steps.sh" "$root/final/opt/runner/"
inside final /opt/runner/steps.sh check
