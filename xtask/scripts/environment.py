"""Create a virtual environment with the packages of requirements files, and print the path of its Python.

    environment.py FOLDER REQUIREMENTS...

A stamp with Python's version and all requirements is written last: the environment is used while these do not change.
"""

import os
import platform
import subprocess
import sys

import pip_tools
from pip_tools import Failure, note


def create(folder, *files):
    if sys.version_info < (3, 11):
        hint = "put a newer `python3` first on PATH"
        raise Failure("`%s` is Python %s; 3.11 or newer is needed\nhint: %s" % (sys.executable, platform.python_version(), hint))
    wanted = "Python %s\n" % platform.python_version()
    for file in files:
        with open(file, encoding="utf-8") as text:
            wanted += text.read()
    python = os.path.join(folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
    stamp = folder + "-READY"
    if not (os.path.exists(python) and os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == wanted):
        names = " and ".join(os.path.relpath(file) for file in files)
        note("installing %s into `%s`" % (names, folder))
        if os.path.exists(stamp):
            os.remove(stamp)
        install(folder, python, names, files)
        with open(stamp, "w", encoding="utf-8") as text:
            text.write(wanted)
    print(python)


def install(folder, python, names, files):
    """Installs into an environment without pip: faster, and without Debian's `ensurepip`."""
    pip_tools.need((22, 3))  # the first pip that installs into another Python's environment
    venv = [sys.executable, "-m", "venv", "--clear", "--without-pip", folder]
    done = subprocess.run(venv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode != 0:
        hint = "install Python's `venv`: on Debian and Ubuntu the package `python3-venv`"
        raise Failure("`%s -m venv` failed: %s\nhint: %s" % (sys.executable, done.stdout.strip(), hint))
    arguments = ["--python", python, "install", "--quiet", "--only-binary=:all:"]
    for file in files:
        arguments += ["--requirement", file]
    errors = pip_tools.run(arguments, PIP_USER="0")
    if errors is not None:
        explanation = pip_tools.explain(errors, folder, "1 GB (8 GB for PyTorch)")
        raise Failure("failed to install %s: %s" % (names, explanation))


if __name__ == "__main__":
    pip_tools.main(create)
