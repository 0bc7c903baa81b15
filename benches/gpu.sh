#!/usr/bin/env bash
# Measures `overfit_mnist` on an NVIDIA GPU, in one call of less than ten minutes, without cargo or internet. It needs a copy of
# the programs, MNIST, and a Python with PyTorch 2.11 for CUDA, NumPy and scikit-learn; runner uses the libtorch of that Python.
#
#     benches/gpu.sh --bin DIR [--data DIR] [--out DIR] [--python PYTHON] [--device cuda|cpu]
#                    [--rounds N] [--epochs N] [--many N] [--minutes N]
#
#   --bin      folder with `runner` and `runner-engine`, stripped; may be compressed (`runner.gz`)
#   --data     data cache of runner with the folder `mnist` (default: RUNNER_DATA_DIR); its files may be compressed
#   --out      folder for `gpu.md` (the section of docs/BENCHMARKS.md), `gpu.log` and `gpu-steps.tsv` (default: $OUT, else .)
#   --python   default: python3
#   --device   `cpu` tests the script without a GPU, with fewer seeds
#   --rounds   how often runner and the PyTorch programs run in turn (default 3), for --epochs (default 12)
#   --many     number of seeds trained together (default 256)
#   --minutes  time limit (default 9)
#
# A step that fails or takes too long is named in `gpu.md`, and the others are run. Exit code: 0 if every step ran and the losses
# agree, else 1; 2 if it cannot start.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
bin="" data="${RUNNER_DATA_DIR:-}" out="${OUT:-.}" python=python3 device=cuda rounds=3 epochs=12 many="" minutes=9

fail() {
    printf 'gpu.sh: %s\n' "$1" >&2
    exit 2
}
while (($# > 0)); do
    (($# > 1)) || fail "\`$1\` is unknown or has no value"
    case "$1" in
        --bin) bin="$2" ;;
        --data) data="$2" ;;
        --out) out="$2" ;;
        --python) python="$2" ;;
        --device) device="$2" ;;
        --rounds) rounds="$2" ;;
        --epochs) epochs="$2" ;;
        --many) many="$2" ;;
        --minutes) minutes="$2" ;;
        *) fail "unknown argument \`$1\`" ;;
    esac
    shift 2
done
[[ "$device" == cpu || "$device" == cuda || "$device" == cuda:* ]] || fail "\`--device\` must be cuda or cpu, found \`$device\`"
for number in "$rounds" "$epochs" "${many:=$([[ "$device" == cpu ]] && echo 4 || echo 256)}" "$minutes"; do
    [[ "$number" =~ ^[1-9][0-9]*$ ]] || fail "a number must be a positive integer, found \`$number\`"
done
((epochs > 2)) || fail "\`--epochs\` must be at least 3 (the first two are not counted), found $epochs"
[[ -n "$bin" && ( -f "$bin/runner" || -f "$bin/runner.gz" ) ]] || fail "\`--bin\` must be a folder with \`runner\`, found \`$bin\`"
[[ -n "$data" && -d "$data/mnist" ]] || fail "\`--data\` (or RUNNER_DATA_DIR) must be a folder with \`mnist\`, found \`$data\`"
command -v "$python" >/dev/null || fail "\`$python\` was not found"

work="$(mktemp -d)"
sampler=""
child=""
trap 'for process in "$sampler" "$child"; do [[ -z "$process" ]] || kill "$process" 2>/dev/null || true; done; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$out" "$work/bin" "$work/data/mnist" "$work/runs" "$work/steps"
out="$(cd "$out" && pwd)"

# Copies a file, unpacked.
unpack() {
    case "$1" in
        *.gz) gzip -dc "$1" >"$2/$(basename "$1" .gz)" ;;
        *) cp "$1" "$2/" ;;
    esac
}
for file in "$bin"/runner "$bin"/runner.gz "$bin"/runner-engine "$bin"/runner-engine.gz; do
    [[ ! -f "$file" ]] || unpack "$file" "$work/bin"
done
chmod +x "$work"/bin/*
for file in "$data"/mnist/*; do
    [[ ! -f "$file" ]] || unpack "$file" "$work/data/mnist"
done
runner="$work/bin/runner"
export RUNNER_DATA_DIR="$work/data"

# The libtorch of Python's PyTorch, found without importing it, which is slow.
torch="$("$python" -c '
import importlib.util, os
spec = importlib.util.find_spec("torch")
print(os.path.join(os.path.dirname(spec.origin), "lib") if spec else "")')" || fail "\`$python\` does not run"
[[ -d "$torch" ]] || fail "\`$python\` has no PyTorch"
# The variable must not affect Python.
ours=(env LD_LIBRARY_PATH="$torch${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$runner")

steps="$work/steps.tsv"
: >"$steps"
end=$((SECONDS + minutes * 60))

# Prints the GPU memory in use in MiB; nothing on the CPU.
device_memory() {
    [[ "$device" == cpu ]] || nvidia-smi -i "$index" --query-gpu=memory.used --format=csv,noheader,nounits 2>/dev/null || true
}
index="${device#cuda}"
index="${index#:}"
index="${index:-0}"

# step NAME LIMIT COMMAND…: runs a command for at most LIMIT seconds, keeps its output, and records its status, its seconds, and the
# peak of the GPU memory above that before it.
step() {
    local name="$1" limit="$2" left before="" start seconds code=0 peak=""
    shift 2
    left=$((end - SECONDS))
    if ((left < 10)); then
        printf '%s\tno time left\t\t\n' "$name" >>"$steps"
        printf 'gpu.sh: %s: no time left\n' "$name" >&2
        return 0
    fi
    ((limit < left)) || limit=$left
    before="$(device_memory | head -n 1)"
    if [[ "$before" =~ ^[0-9]+$ ]]; then
        nvidia-smi -i "$index" --query-gpu=memory.used --format=csv,noheader,nounits -lms 100 >"$work/memory" 2>/dev/null &
        sampler=$!
    fi
    start="$(date +%s.%N)"
    timeout --kill-after=5 "$limit" "$@" >"$work/steps/$name.out" 2>"$work/steps/$name.err" </dev/null &
    child=$! # in the background, so that this script receives signals
    wait "$child" || code=$?
    child=""
    seconds="$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { printf "%.3f", b - a }')"
    if [[ -n "$sampler" ]]; then
        kill "$sampler" 2>/dev/null || true
        wait "$sampler" 2>/dev/null || true
        sampler=""
        peak="$(awk -v before="$before" '$1 ~ /^[0-9]+$/ && $1 > most { most = $1 } END { if (most > before) print most - before }' "$work/memory")"
    fi
    case "$code" in
        0) code=done ;;
        124 | 137) code="ended after $limit s, its limit" ;;
        *) code="failed with $code" ;;
    esac
    printf '%s\t%s\t%s\t%s\n' "$name" "$code" "$seconds" "$peak" >>"$steps"
    printf 'gpu.sh: %s: %s, %s s\n' "$name" "$code" "$seconds" >&2
    {
        printf '== %s: %s, %s s\n$ %s\n' "$name" "$code" "$seconds" "$*"
        tail -c 20000 "$work/steps/$name.out" "$work/steps/$name.err"
        printf '\n'
    } >>"$out/gpu.log"
}

# exp NAME LIMIT DEVICE EPOCHS SEEDS
exp() {
    step "$1" "$2" "${ours[@]}" exp overfit_mnist --device "$3" --epochs "$4" --seeds "$5" --quiet --out "$work/runs/$1"
}
# peer NAME SCRIPT [FLAG…]
peer() {
    local name="$1" script="$2"
    shift 2
    step "$name" 90 "$python" "$here/peers/$script" --idx-dir "$work/data/mnist" --device "$device" --epochs "$epochs" "$@"
}

: >"$out/gpu.log"
step version 60 "${ours[@]}" --version
step doctor 60 "${ours[@]}" doctor
step machine 60 "$python" "$here/gpu_report.py" --machine "$device"
exp agree-cpu 90 cpu 5 0..0
exp agree-device 90 "$device" 5 0..0
exp one 90 "$device" 6 0..0
exp many 180 "$device" 6 "0..$((many - 1))"
for ((round = 1; round <= rounds; round++)); do
    exp "ours-$round" 90 "$device" "$epochs" 0..0
    peer "indexed-$round" torch_indexed.py
    peer "fused-$round" torch_indexed.py --fused
    peer "dataloader-$round" torch_dataloader.py
done

cp "$steps" "$out/gpu-steps.tsv"
code=0
"$python" "$here/gpu_report.py" "$work" --device "$device" --epochs "$epochs" --many "$many" >"$out/gpu.md" || code=$?
cat "$out/gpu.md"
printf 'gpu.sh: wrote %s/gpu.md, after %s s\n' "$out" "$SECONDS" >&2
exit "$code"
