"""Unpacks from wheels what the build and the run need.

    unpack.py TARGET N_KEEP KEEP... N_LEAVE LEAVE... WHEEL...

A wheel is a zip file; `zipfile` checks the checksum of all it writes. Exit status: 3 a broken wheel,
4 no space left.
"""

import errno
import fnmatch
import sys
import zipfile
import zlib


def take(args):
    n = int(args.pop(0))
    return [args.pop(0) for _ in range(n)]


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


args = sys.argv[1:]
target, keep, leave, wheels = args.pop(0), take(args), take(args), args
wheel = None
try:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as members:
            for member in members.infolist():
                name = member.filename
                if not member.is_dir() and matches(name, keep) and not matches(name, leave):
                    members.extract(member, target)
except (zipfile.BadZipFile, EOFError, zlib.error) as error:
    print("%s\n%s" % (wheel, error))
    sys.exit(3)
except OSError as error:
    print(error)
    sys.exit(4 if error.errno in (errno.ENOSPC, errno.EDQUOT) else 1)
