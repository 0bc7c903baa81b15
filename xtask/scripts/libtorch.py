"""Download libtorch with pip and unpack it.

    libtorch.py fetch HOME cpu|cuda    # wheels to HOME/wheels, libraries and headers to HOME/staging/new
    libtorch.py load FOLDER            # load libtorch_cpu of FOLDER, as the dynamic loader does when `runner` starts

The `torch` wheel for CPython 3.11 contains libtorch; only its libraries and headers are unpacked, so it works with every
Python 3. The versions are those that pip resolves for `torch==2.11.0`, without Python packages such as triton and sympy:

    pip install --dry-run --report - --target x --only-binary=:all: torch==2.11.0
"""

import errno
import fnmatch
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import zipfile
import zlib

import pip_tools
from pip_tools import Failure, note

VERSION = "2.11.0"
# `libtorch_cpu.so` is linked against these two even without a GPU.
LINUX_CPU = {"nvidia-cuda-runtime": "13.0.96", "nvidia-cuda-cupti": "13.0.85"}
LINUX_CUDA = {
    "nvidia-cublas": "13.1.0.3",
    "nvidia-cuda-nvrtc": "13.0.88",
    "nvidia-cudnn-cu13": "9.19.0.56",
    "nvidia-cufft": "12.0.0.61",
    "nvidia-cufile": "1.15.1.6",
    "nvidia-curand": "10.4.0.35",
    "nvidia-cusolver": "12.0.4.66",
    "nvidia-cusparse": "12.6.3.3",
    "nvidia-cusparselt-cu13": "0.8.0",
    "nvidia-nccl-cu13": "2.28.9",
    "nvidia-nvjitlink": "13.0.88",
    "nvidia-nvshmem-cu13": "3.4.5",
    "nvidia-nvtx": "13.0.85",
}
KEEP = ["torch/lib/*", "torch/include/*", "torch/share/*", "torch/version.py"]
LEAVE = ["torch/lib/*torch_python*", "torch/lib/libshm*"]
KEEP_CPU = ["nvidia/*/lib/libcudart.so*", "nvidia/*/lib/libcupti.so*"]
LEAVE_CPU = ["torch/lib/lib%s*" % name for name in ("torch_cuda", "c10_cuda", "caffe2_nvrtc", "torch_nvshmem")]
# Disk space during a set-up, with pip's cache.
SPACE = {"cpu": "2 GB", "cuda": "12 GB"}
OWN = "; or set `LIBTORCH` to the folder of a libtorch %s that you have" % VERSION


def select(system, machine, variant):
    """The packages for a system, and pip's `--platform` tags, newest first."""
    packages = {"torch": VERSION}
    if system == "Linux" and machine in ("x86_64", "aarch64"):
        packages.update(LINUX_CPU)
        packages.update(LINUX_CUDA if variant == "cuda" else {})
        # pip matches a given platform literally, so all glibc versions up to torch's 2.28 are listed.
        names = ["manylinux_2_%d" % minor for minor in range(28, 4, -1)] + ["manylinux2014", "manylinux2010", "manylinux1"]
        return packages, ["%s_%s" % (name, machine) for name in names]
    if system == "Darwin" and machine == "arm64":
        if variant == "cuda":
            raise Failure("CUDA is not available on macOS\nhint: run `%s --cpu`" % pip_tools.COMMAND)
        return packages, ["macosx_11_0_arm64"]
    raise Failure(
        "no libtorch %s package exists for %s on %s\nhint: build libtorch %s from source and set `LIBTORCH` to its folder"
        % (VERSION, system, machine, VERSION)
    )


def find_wheel(folder, name, version):
    """The wheel of a package in a folder, or None."""
    prefix = "%s-%s-" % (name.replace("-", "_"), version)
    found = [file for file in os.listdir(folder) if file.startswith(prefix) and file.endswith(".whl")]
    return os.path.join(folder, found[0]) if found else None


def download(name, version, platforms, incoming, wheels, variant):
    """Downloads a wheel into `incoming` and moves it to `wheels` once it is complete."""
    shutil.rmtree(incoming, ignore_errors=True)
    # pip's temporary files: the system's `/tmp` is often a small disk in memory.
    os.makedirs(os.path.join(incoming, "tmp"))
    requirement = "%s==%s" % (name, version)
    arguments = ["download", "--no-deps", "--only-binary=:all:"]
    arguments += ["--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"]
    for tag in platforms:
        arguments += ["--platform", tag]
    if pip_tools.version() >= (25, 1):
        arguments += ["--resume-retries", "5"]
    errors = pip_tools.run(arguments + ["--dest", incoming, requirement], TMPDIR=os.path.join(incoming, "tmp"))
    if errors is not None:
        raise Failure("failed to download `%s`: %s" % (requirement, pip_tools.explain(errors, wheels, SPACE[variant], OWN)))
    wheel = find_wheel(incoming, name, version)
    if wheel is None:
        raise Failure("failed to download `%s`: pip wrote no wheel\nhint: run the same command again" % requirement)
    os.replace(wheel, os.path.join(wheels, os.path.basename(wheel)))
    shutil.rmtree(incoming, ignore_errors=True)


def unpack(wheel, target, variant):
    """Unpacks libraries and headers; `zipfile` checks the checksums. Removes a broken wheel."""
    keep = KEEP + (KEEP_CPU if variant == "cpu" else ["nvidia/*/lib/*.so*"])
    leave = LEAVE + (LEAVE_CPU if variant == "cpu" else [])
    try:
        with zipfile.ZipFile(wheel) as members:
            for member in members.infolist():
                is_in = lambda patterns: any(fnmatch.fnmatchcase(member.filename, pattern) for pattern in patterns)
                if not member.is_dir() and is_in(keep) and not is_in(leave):
                    members.extract(member, target)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        os.remove(wheel)
        hint = "run the same command again; only this file is downloaded again"
        raise Failure("the download `%s` is incomplete (%s) and was removed\nhint: %s" % (wheel, error, hint))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Failure(pip_tools.explain("Errno 28", target, SPACE[variant]))
        raise Failure("failed to unpack into `%s`: %s\nhint: run the same command with `--force`" % (target, error))


def load(folder):
    """Loads libtorch in another process. This detects a system that is too old before a long build."""
    library = {"Darwin": "libtorch_cpu.dylib"}.get(platform.system(), "libtorch_cpu.so")
    code = "import ctypes, sys\nctypes.CDLL(sys.argv[1])"
    command = [sys.executable, "-c", code, os.path.join(folder, "torch", "lib", library)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode != 0:
        reason = (done.stdout.strip().splitlines() or ["no reason given"])[-1]
        raise Failure(
            "libtorch does not load on this system: %s\nhint: the packages need glibc 2.28 or newer (`ldd --version`); on an "
            "older system build libtorch %s from source and set `LIBTORCH` to its folder. If a file is broken, run "
            "`%s --force`" % (reason, VERSION, pip_tools.COMMAND)
        )


def fetch(home, variant):
    """Downloads the wheels that are missing, unpacks them and loads libtorch."""
    pip_tools.need((20, 3))  # the first pip that accepts several `--platform`
    is_musl = "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or "")
    system = "Linux with musl" if is_musl else platform.system()
    packages, platforms = select(system, platform.machine(), variant)
    wheels, target = os.path.join(home, "wheels"), os.path.join(home, "staging", "new")
    os.makedirs(wheels, exist_ok=True)
    for number, (name, version) in enumerate(packages.items(), 1):
        which = "%s %s (%d of %d)" % (name, version, number, len(packages))
        if find_wheel(wheels, name, version):
            note(which + " is already downloaded")
            continue
        note("downloading " + which)
        # A pip that outlives a killed set-up must not write here.
        incoming = os.path.join(home, "staging", "incoming-%d" % os.getpid())
        download(name, version, platforms, incoming, wheels, variant)
    note("unpacking")
    for name, version in packages.items():
        unpack(find_wheel(wheels, name, version), target, variant)
    load(target)


if __name__ == "__main__":
    commands = {"fetch": fetch, "load": load}
    pip_tools.main(lambda command, *arguments: commands[command](*arguments))
