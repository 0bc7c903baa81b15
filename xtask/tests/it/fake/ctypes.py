"""Loads libraries unless FAKE_LOADER is an error, for paths that contain FAKE_LOADER_AT."""

import os
def CDLL(path):
    error = os.environ.get("FAKE_LOADER")
    if error and os.environ.get("FAKE_LOADER_AT", "") in path:
        raise OSError(error)
