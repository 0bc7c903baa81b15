"""pip: run it, and explain its errors.

pip's output goes to stderr. Its errors are collected and explained in one message, because pip also reports "No matching
distribution found" without a network.
"""

import os
import re
import subprocess
import sys

NO_SPACE = "No space left on device|Errno 28|Disk quota exceeded|Errno 122"
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSLCertVerificationError"
REFUSED = "40[13] Client Error|407 Proxy|407 Client Error|Proxy Authentication Required"
UNREACHABLE = (
    "[cC]onnection broken|NewConnectionError|ConnectTimeoutError|ConnectionResetError|ReadTimeoutError|timed out|"
    "Max retries exceeded|ProxyError|SSLError|Name or service not known|name resolution|Failed to resolve|"
    "Network is unreachable|Connection refused|IncompleteRead|incomplete-download|Server Error|Could not fetch URL"
)
DAMAGED = "DO NOT MATCH THE HASHES|hash mismatch"
NOT_FOUND = "No matching distribution found|Could not find a version|404 Client Error"
# Innermost reasons, the most specific first.
REASONS = [
    "Name or service not known",
    "Temporary failure in name resolution",
    "nodename nor servname provided",
    "Network is unreachable",
    "No route to host",
    "Connection refused",
    "Connection reset by peer",
    "Cannot connect to proxy",
    "Proxy Authentication Required",
    "Read timed out",
    "timed out",
    "IncompleteRead",
]


# `runner setup` of the Python package uses these scripts under its own name.
PROGRAM = os.environ.get("RUNNER_SETUP_PROGRAM", "xtask")
COMMAND = os.environ.get("RUNNER_SETUP_COMMAND", "cargo xtask setup")


class Failure(Exception):
    """An error for the user, with a hint on its last line."""


def note(line):
    print("%s: %s" % (PROGRAM, line), file=sys.stderr, flush=True)


def main(function):
    """Runs the function with the arguments. A failure goes to stdout, where xtask reads it."""
    try:
        function(*sys.argv[1:])
    except Failure as failure:
        sys.exit(print(failure) or 2)
    except OSError as error:
        sys.exit(print(error) or 2)
    except KeyboardInterrupt:
        sys.exit(130)


def version():
    """The version of pip, such as (23, 2)."""
    done = subprocess.run([sys.executable, "-m", "pip", "--version"], stdout=subprocess.PIPE, universal_newlines=True)
    found = re.match(r"pip (\d+)\.?(\d*)", done.stdout)
    return (int(found.group(1)), int(found.group(2) or 0)) if found else (0, 0)


def need(needed):
    """Fails if pip is older than needed."""
    found = version()
    if found < needed:
        raise Failure(
            "pip %d.%d of `%s` is too old; %d.%d or newer is needed\nhint: run `%s -m pip install --upgrade pip`"
            % (*found, sys.executable, *needed, sys.executable)
        )


def run(arguments, **variables):
    """Runs pip and returns its errors if it fails, else None."""
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_REQUIRE_VIRTUALENV="0", **variables)
    command = [sys.executable, "-m", "pip"] + arguments
    pipe = {"stderr": subprocess.PIPE, "encoding": "utf-8", "errors": "replace"}
    process = subprocess.Popen(command, env=environment, stdout=sys.stderr, **pipe)
    errors = []
    for line in process.stderr:
        errors.append(line)
        if line.startswith("WARNING: Retrying"):
            note("no connection to the package registry; pip tries again")
        elif line.startswith("WARNING: "):
            sys.stderr.write(line)
    return "".join(errors) if process.wait() != 0 else None


def explain(errors, folder, space, other=""):
    """The reason, for after "failed to …: ", and a hint. The order matters: without a network, pip also finds no version."""
    again = "run the same command again; finished downloads are kept"
    reason = next((reason for reason in REASONS if reason in errors), None) or last_error(errors)
    if re.search(NO_SPACE, errors):
        return "no space left on the disk of `%s`\nhint: free about %s and %s" % (folder, space, again)
    if re.search(UNTRUSTED, errors):
        hint = "set `PIP_CERT` to the certificates of your organization (a `.pem` file), then " + again
        return "the certificate of the package registry is not trusted\nhint: " + hint
    if re.search(REFUSED, errors):
        hint = "put name and password into `PIP_INDEX_URL` or `HTTPS_PROXY` (`https://NAME:PASSWORD@HOST/…`), then " + again
        return "the package registry or the proxy refuses: %s\nhint: %s" % (reason, hint)
    if re.search(UNREACHABLE, errors):
        hint = "check the connection and the proxy (`HTTPS_PROXY`), or set `PIP_INDEX_URL` to a mirror, then " + again
        return "the package registry cannot be reached: %s\nhint: %s%s" % (reason, hint, other)
    if re.search(DAMAGED, errors):
        return "the downloaded file is damaged\nhint: run `python3 -m pip cache purge`, then " + again
    if re.search(NOT_FOUND, errors):
        hint = "if `PIP_INDEX_URL` or `pip config list` names a mirror, try another or none" + other
        return "the package registry does not have it\nhint: " + hint
    return "%s\nhint: check that `python3 -m pip --version` works, then %s%s" % (last_error(errors), again, other)


def last_error(errors):
    """pip's last `ERROR: ` line, else its last line, shortened."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    lines = [line[len("ERROR: ") :] for line in lines if line.startswith("ERROR: ")] or lines or ["pip gives no reason"]
    return lines[-1] if len(lines[-1]) <= 240 else lines[-1][:240] + "…"
