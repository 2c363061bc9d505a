"""Maps three folders of the repository to one import package.

Everything else is declared in pyproject.toml. Its ``packages.find`` cannot see a
folder under another name than its own, so the sub-packages of each mapped folder
are found here; a new folder needs an ``__init__.py`` and no entry anywhere.
"""

import shutil

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

TREES = {"numlint": "numlint", "numlint.rules": "rules", "numlint.runtime": "runtime"}


class BuildAnew(build_py):
    """Empties ``build/lib`` first.

    setuptools packs whatever lies there. A rule that was renamed since the last build
    would be in the wheel under both names, and both would claim its code.
    """

    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(
    packages=[
        package
        for root, folder in TREES.items()
        for package in (root, *(f"{root}.{name}" for name in find_packages(folder)))
    ],
    package_dir=TREES,
    cmdclass={"build_py": BuildAnew},
)
