"""A wheel with programs belongs to one platform, and to every Python 3.

`RUNNER_PLATFORM` is its tag, which `build_wheel.py` measures, such as `manylinux_2_35_x86_64`. Without programs the package is that of the
source, for every platform, and uses the `runner` on `PATH`.
"""

import os

from setuptools import Distribution, setup

PLATFORM = os.environ.get("RUNNER_PLATFORM")


class WithPrograms(Distribution):
    def has_ext_modules(self) -> bool:
        return PLATFORM is not None


if PLATFORM:
    from setuptools.command.bdist_wheel import bdist_wheel

    class AnyPython(bdist_wheel):
        """The programs use no Python, so the tag is `py3-none-PLATFORM`."""

        def get_tag(self) -> tuple[str, str, str]:
            return "py3", "none", PLATFORM

    setup(
        distclass=WithPrograms,
        cmdclass={"bdist_wheel": AnyPython},
        entry_points={"console_scripts": ["runner = runner_experiments.programs:main"]},
    )
else:
    setup()
