"""Unpacks a wheel into a directory, with the permissions of its programs.

unpack_wheel.py WHEEL DIRECTORY
"""

import sys
import zipfile
from pathlib import Path


def unpack(wheel: str, directory: str) -> None:
    with zipfile.ZipFile(wheel) as members:
        for member in members.infolist():
            file = Path(members.extract(member, directory))
            if mode := member.external_attr >> 16 & 0o777:
                file.chmod(mode)


if __name__ == "__main__":
    unpack(*sys.argv[1:])
