"""Logs its calls; `FAKE_WHEEL` is the exit code."""

import os, sys

with open(os.environ["LOG"], "a") as file:
    file.write("check_wheel " + " ".join(sys.argv[1:]) + "\n")
sys.exit(int(os.environ.get("FAKE_WHEEL", "0")))
