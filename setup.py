"""Maps three folders of the repository to one import package.

Everything else is declared in pyproject.toml. Its ``packages.find`` cannot see a
folder under another name than its own, so the sub-packages of each mapped folder
are found here; a new folder needs an ``__init__.py`` and no entry anywhere.
"""

from setuptools import find_packages, setup

TREES = {"numlint": "numlint", "numlint.rules": "rules", "numlint.runtime": "runtime"}

setup(
    packages=[
        package
        for root, folder in TREES.items()
        for package in (root, *(f"{root}.{name}" for name in find_packages(folder)))
    ],
    package_dir=TREES,
)
