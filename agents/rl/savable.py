"""What stable-baselines3 pickles, its algorithms write and read here as values and arrays: a mixin over its classes."""

from typing import Any, Self

from stable_baselines3.common.base_class import BaseAlgorithm

from curriculum_rl.agents.rl import files, parameters
from curriculum_rl.agents.saving import archive
from curriculum_rl.errors import ConfigError


class Savable(BaseAlgorithm):
    """Goes before one of stable-baselines3's algorithms among the bases of an agent."""

    def save(self, path: Any, exclude: Any = None, include: Any = None) -> None:
        """Write spaces, options, counters, networks and optimizers as one file (`curriculum_rl.agents.saving`).

        Args:
            path: the file; ".zip" is added where it has no suffix.
            exclude: taken because stable-baselines3's callbacks may pass it; nothing is left out.
            include: likewise.

        Raises:
            ConfigError: naming a member, of a class of your own, that no file can hold.
        """
        files.save(self, path)

    @classmethod
    def check_file(cls, path: Any) -> None:
        """See that a file is whole and of this class, without making an agent of it.

        Raises:
            ConfigError: where it is not.
        """
        archive.check_agent(archive.read(path), cls.__name__)

    @classmethod
    def load(cls, path: Any, env: Any = None, device: Any = "cpu", **kwargs: Any) -> Self:  # type: ignore[override]
        """Read what `save` wrote; no code of the file is run. Also for another number of tasks.

        Args:
            path: the file, with or without ".zip".
            env: where to go on; a number of tasks other than the saved one needs an equivariant policy.
            device: "cpu" or another of torch's.
            **kwargs: none is known.

        Raises:
            ConfigError: where the file is no such agent, or where the env has other spaces; where the number of tasks
                or of features is the reason, both are named.
        """
        if kwargs:
            raise ConfigError(f"{next(iter(kwargs))}: load has no such option")
        agent: Self = files.load(cls, path, env, device)
        return agent

    def set_parameters(self, load_path_or_dict: Any, exact_match: bool = True, device: Any = "auto") -> None:
        """As stable-baselines3's, of a dict; of a file that `save` wrote, every network and optimizer.

        Args:
            load_path_or_dict: states by name, as `get_parameters` gives them, or the file.
            exact_match: for a dict, whether it must hold all; a file must.
            device: for a dict, as stable-baselines3's.

        Raises:
            ConfigError: where the file is no such agent, or of other networks.
        """
        if isinstance(load_path_or_dict, dict):
            super().set_parameters(load_path_or_dict, exact_match, device)
            return
        saved = archive.read(load_path_or_dict)
        archive.check_agent(saved, type(self).__name__)
        with archive.reading(saved.path):
            parameters.restore(self, saved.content["parameters"])
