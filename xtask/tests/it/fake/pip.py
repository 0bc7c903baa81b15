"""A pip that "downloads" small wheels and logs its calls. FAKE_PIP selects an error: absent, old, or CAUSE-at-PACKAGE."""

import os, signal, sys, time, zipfile

VERSION = "".join(f"#define TORCH_VERSION_{name} {number}\n" for name, number in [("MAJOR", 2), ("MINOR", 11), ("PATCH", 0)])
FILES = {
    "torch": {
        "torch/include/torch/headeronly/version.h": VERSION,
        "torch/include/torch/csrc/api/include/torch/torch.h": "x",
        **{f"torch/lib/lib{name}.so": "x" for name in ["c10", "torch", "torch_cpu", "torch_cuda", "torch_python"]},
        "torch/nn/module.py": "x",
    },
    "nvidia-cuda-runtime": {"nvidia/cu13/lib/libcudart.so.13": "x"},
    "nvidia-cuda-cupti": {"nvidia/cu13/lib/libcupti.so.13": "x"},
    "nvidia-cublas": {"nvidia/cu13/lib/libcublas.so.13": "x"},
    "nvidia-cudnn-cu13": {"nvidia/cudnn/lib/libcudnn.so.9": "x"},
}
arguments, (cause, _, at) = sys.argv[1:], os.environ.get("FAKE_PIP", "").partition("-at-")

def log(line):
    with open(os.environ["LOG"], "a") as file:
        file.write(line + "\n")

if arguments == ["--version"]:
    if cause == "absent":
        sys.exit("No module named pip")
    print("pip 19.0.3 from /fake (python 3.7)" if cause == "old" else "pip 23.2.1 from /fake (python 3.11)")
elif arguments[0] == "download":
    name, version = arguments[-1].split("==")
    log("download " + arguments[-1])
    file = f"{arguments[arguments.index('--dest') + 1]}/{name.replace('-', '_')}-{version}-py3-none-fake.whl"
    if at == name:
        if cause == "offline":
            print("WARNING: Retrying after connection broken by 'NewConnectionError(...: [Errno -2] Name or service not known)'", file=sys.stderr)
            sys.exit(f"ERROR: No matching distribution found for {name}")
        if cause == "full":
            sys.exit("ERROR: OSError: [Errno 28] No space left on device")
        if cause == "killed":
            open(file, "w").write("half")
            os.kill(os.getppid(), signal.SIGKILL)
        if cause == "broken":
            sys.exit(open(file, "w").write("no zip file") and 0)
        while cause == "waits" and not os.path.exists(os.environ["LOG"] + ".go"):
            time.sleep(0.01)
    with zipfile.ZipFile(file, "w") as wheel:
        for path, text in FILES.get(name, {}).items():
            wheel.writestr(path, text)
    print("Saved", file)
else:
    log("install " + " ".join(os.path.basename(os.path.dirname(file)) for file in arguments[5:] if file != "--requirement"))
    if cause == "offline" and at == "install":
        sys.exit("ERROR: Network is unreachable")
