#!/usr/bin/env bash
# Measures runner on an NVIDIA GPU, in one call of less than ten minutes, without cargo or internet. It needs a copy of the
# programs, MNIST, and a Python with PyTorch 2.11 for CUDA, NumPy and scikit-learn; runner uses the libtorch of that Python.
#
#   - the losses of the GPU and of the CPU over three epochs
#   - a run that is killed after a checkpoint and resumed, with `--deterministic`, and an uninterrupted one
#   - two faults: a network too large for the memory, and `--device cuda` without a visible GPU
#   - one seed, 16 and 256 of `overfit_mnist`
#   - epochs of `overfit_mnist`, a small CNN, a network with 1,024 units in each layer, and an LSTM, against PyTorch eager and
#     `torch.compile`
#
#     benches/gpu.sh --bin DIR [--data DIR] [--out DIR] [--python PYTHON] [--device cuda|cpu]
#                    [--rounds N] [--epochs N] [--many N] [--minutes N]
#
#   --bin      folder with `runner` and `runner-engine`, stripped; may be compressed (`runner.gz`)
#   --data     data cache of runner with the folder `mnist` (default: RUNNER_DATA_DIR); its files may be compressed
#   --out      folder for `gpu.md` (the section of docs/BENCHMARKS.md), `gpu.log` and `gpu-steps.tsv` (default: $OUT, else .)
#   --python   default: python3
#   --device   `cpu` tests the script without a GPU, with fewer seeds, and without `torch.compile` if that does not work
#   --rounds   how often runner and the PyTorch programs run in turn, while time is left (default 3), for --epochs (default 12)
#   --many     number of seeds trained together (default 256; also its square root)
#   --minutes  time limit (default 9)
#
# A step that fails or takes too long is named in `gpu.md`, and the others are run. Exit code: 0 if every step ran, the losses
# agree, and the faults are reported as errors, else 1; 2 if it cannot start.
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
few="$(awk -v many="$many" 'BEGIN { print int(sqrt(many)) }')"
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
export RUNNER_DATA_DIR="$work/data" TORCHINDUCTOR_CACHE_DIR="$work/inductor"

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
# peak of the GPU memory above that before it. Its exit code must be `wanted`, or 0.
step() {
    local name="$1" limit="$2" wanted="${wanted:-0}" left before="" start seconds code=0 peak=""
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
        "$wanted") code=done ;;
        124 | 137) code="ended after $limit s, its limit" ;;
        *) code="ended with exit code $code, not $wanted" ;;
    esac
    printf '%s\t%s\t%s\t%s\n' "$name" "$code" "$seconds" "$peak" >>"$steps"
    printf 'gpu.sh: %s: %s, %s s\n' "$name" "$code" "$seconds" >&2
    {
        printf '== %s: %s, %s s\n$ %s\n' "$name" "$code" "$seconds" "$*"
        tail -c 20000 "$work/steps/$name.out" "$work/steps/$name.err"
        printf '\n'
    } >>"$out/gpu.log"
}

# train NAME LIMIT DEVICE EPOCHS SEEDS [OPTION…]
train() {
    step "$1" "$2" "${ours[@]}" exp overfit_mnist --device "$3" --epochs "$4" --seeds "$5" --quiet --out "$work/runs/$1" "${@:6}"
}
# peer NAME SCRIPT [ARGUMENT…]
peer() {
    step "$1" 120 "$python" "$here/peers/$2" --idx-dir "$work/data/mnist" --device "$device" --epochs "$epochs" "${@:3}"
}

# compare NETWORK ROUND: runner and the PyTorch programs train a network, a case of `peers/torch_layers.py`, in turn.
compare() {
    local network="$1" round="$2" changed=()
    case "$network" in
        cnn)
            changed=(--set data.mnist.flatten=false --set "network.layers=[
                { conv2d = { channels = 8, kernel = 3 } }, 'relu', { max_pool2d = 2 },
                { conv2d = { channels = 16, kernel = 3 } }, 'relu', { max_pool2d = 2 }, 'flatten', { linear = 10 }]")
            ;;
        wide) changed=(--set "network.layers=[{ linear = 1024 }, 'relu', { linear = 1024 }, 'relu', { linear = 10 }]") ;;
        lstm) changed=(--set "network.layers=[{ reshape = [28, 28] }, { lstm = 128 }, { linear = 10 }]") ;;
    esac
    train "runner-$network-$round" 120 "$device" "$epochs" 0..0 "${changed[@]}"
    peer "eager-$network-$round" torch_layers.py "$network"
    [[ -z "$compiles" ]] || peer "compiled-$network-$round" torch_layers.py "$network" --compile
    [[ "$network" == plain ]] || return 0
    peer "fused-plain-$round" torch_layers.py plain --fused
    [[ -z "$compiles" || "$device" == cpu ]] || peer "graphs-plain-$round" torch_layers.py plain --fused --compile reduce-overhead
    peer "dataloader-plain-$round" torch_dataloader.py
}

: >"$out/gpu.log"
step version 60 "${ours[@]}" --version
step doctor 60 "${ours[@]}" doctor
step machine 120 "$python" "$here/gpu_report.py" --machine "$device"
compiles=yes
! grep -q '"no_compile"' "$work/steps/machine.out" || compiles=""

train agree-cpu 90 cpu 3 0..0
train agree-device 90 "$device" 3 0..0

# A run that is killed when its first checkpoint is complete must end like one that is not. The step fails if nothing was killed.
kill_at_file='"${@:2}" & until [[ -f "$1" ]]; do kill -0 $! || exit 1; sleep 0.02; done; kill -9 $!; ! wait $!'
train whole 90 "$device" 12 0..0 --deterministic
step killed 90 bash -c "$kill_at_file" bash "$work/runs/resumed/overfit_mnist/latest/checkpoint.safetensors" \
    "${ours[@]}" exp overfit_mnist --device "$device" --epochs 12 --deterministic --checkpoint 1 --quiet --out "$work/runs/resumed"
step resumed 90 "${ours[@]}" resume overfit_mnist --out "$work/runs/resumed"

# The activations of 42,000 rows, 100,000 units and 31 layers take 520 GB. On the CPU, a limit is below the first layer's 17 GB.
limited=()
[[ "$device" != cpu ]] || limited=(bash -c 'ulimit -v 14000000 && exec "$@"' bash)
wanted=2 step fault-memory 90 "${limited[@]}" "${ours[@]}" exp overfit_mnist --device "$device" --epochs 1 --quiet \
    --out "$work/runs/fault" --set train.batch=42000 \
    --set "network.layers=[{ linear = 100000 }, { repeat = { times = 30, layers = ['gelu'] } }, { linear = 10 }]"
wanted=2 step fault-hidden 60 env CUDA_VISIBLE_DEVICES= "${ours[@]}" exp overfit_mnist --device cuda --epochs 1 --quiet \
    --out "$work/runs/fault"

for seeds in 1 "$few" "$many"; do
    train "seeds-$seeds" 180 "$device" 6 "0..$((seeds - 1))"
done

# A network is trained again if as much time is left as it took before.
declare -A took=()
for ((round = 1; round <= rounds; round++)); do
    for network in plain cnn wide lstm; do
        ((round == 1 || end - SECONDS >= took[$network])) || continue
        start=$SECONDS
        compare "$network" "$round"
        took[$network]=$((SECONDS - start))
    done
done

cp "$steps" "$out/gpu-steps.tsv"
code=0
"$python" "$here/gpu_report.py" "$work" --device "$device" --epochs "$epochs" >"$out/gpu.md" || code=$?
cat "$out/gpu.md"
printf 'gpu.sh: wrote %s/gpu.md, after %s s\n' "$out" "$SECONDS" >&2
exit "$code"
