"""Classes of the user's own that a file names: where the module stands, and whether the file may name any.

What somebody types or writes in Python he trusts. A file may come from anywhere: that its classes run has to be said.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from curriculum_rl.errors import ConfigError, cut

TRUST = "CURRICULUM_RL_TRUST"
"""The environment variable that says, where it is 1, that files may name classes; child processes inherit it."""
SPEC = re.compile(r"(?:.*/)?\w[\w.]*:\w+", re.DOTALL)
"""`module:Class`, or `FOLDER/module:Class` for a module that stands in a folder."""


def is_trusted(trust: bool | None = None) -> bool:
    """Whether files may name classes: what was said in Python, else in the environment."""
    return os.environ.get(TRUST) == "1" if trust is None else trust


def check(spec: str, file: Path | str, key: str, trust: bool | None = None) -> None:
    """See that a file may name a class.

    Args:
        spec: the class, `module:Class`.
        file: that names it.
        key: where.
        trust: what was said in Python, if anything.

    Raises:
        ConfigError: where nobody said that the file is trusted.
    """
    if not is_trusted(trust):
        raise ConfigError(
            f"{file}: {key}: {cut(spec)!r} is a class whose code would run; if you trust the file, "
            f"say so with --trust (or {TRUST}=1, or trust=True in Python)"
        )


@dataclass(frozen=True)
class BesideFile:
    """The annotation of `module:Class`: in a file, a module that stands beside it is meant before any other."""

    def against(self, spec: str, folder: Path, *, bare: bool) -> str:
        """The class as seen from a folder.

        Args:
            spec: `module:Class` or `FOLDER/module:Class`.
            folder: of the file.
            bare: whether a name without a folder is looked for there.
        """
        place, _, name = spec.rpartition(":")
        above, slash, module = place.rpartition("/")
        if slash:
            return f"{(folder / above).as_posix()}/{module}:{name}"
        return f"{folder.as_posix()}/{spec}" if bare and _stands(folder, module.partition(".")[0]) else spec


def _stands(folder: Path, name: str) -> bool:
    """Whether a module or package stands in a folder."""
    return (folder / name / "__init__.py").is_file() or (folder / f"{name}.py").is_file()
