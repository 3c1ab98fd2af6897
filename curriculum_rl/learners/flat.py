"""All parameters and optimizer moments of N replicas in one flat buffer, with their step counts and seeds."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from math import prod
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from curriculum_rl.durable import naming
from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.learners.base import Snapshot

# Blocks start at multiples of 16 floats (64 bytes): no kernel sees a replica's parameters in a ragged tail.
ALIGNMENT = 16


class FlatParams:
    """Parameters, first and second moments of N replicas, as three rows of one buffer.

    The layout is parameter-major: block `name` is a contiguous (N, *shape) view, which batched products read directly;
    copying, zeroing and restoring everything is one operation.

    Args:
        shapes: shape of each parameter of one replica, in order.
        replicas: N, at least 1.
        device: where the buffer lies.
        undecayed: names of the parameters that weight decay leaves alone.

    Attributes:
        state: (3, size) parameters, first and second moments.
        parameters: (N, *shape) views by name, and so are `first` and `second`.
        steps: (N,) updates since the optimizer of each replica was last reset.
        seeds: (N,) what each replica was last reset with.
        aligned: whether every replica's part of every block is a multiple of `ALIGNMENT`.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        replicas: int,
        device: torch.device,
        undecayed: Sequence[str] = (),
    ) -> None:
        if replicas < 1:
            raise wrong("replicas", replicas, "at least 1")
        self.replicas = replicas
        self.shapes = dict(shapes)
        self.aligned = all(prod(shape) % ALIGNMENT == 0 for shape in self.shapes.values())
        self._undecayed = frozenset(undecayed)
        sizes = [replicas * prod(shape) for shape in self.shapes.values()]
        offsets = [0]
        for size in sizes:
            offsets.append(offsets[-1] + -(-size // ALIGNMENT) * ALIGNMENT)
        self._slices = [slice(start, start + size) for (start, _), size in zip(pairwise(offsets), sizes, strict=True)]
        self.state = torch.zeros(3, offsets[-1], device=device)
        self.steps = np.zeros(replicas, dtype=np.int64)
        self.seeds = np.zeros(replicas, dtype=np.int64)
        self.parameters, self.first, self.second = (self.blocks(row) for row in self.state)

    def blocks(self, row: Tensor) -> dict[str, Tensor]:
        """Views (N, *shape) by name into one flat row of a state."""
        return {
            name: row[part].view(self.replicas, *shape)
            for (name, shape), part in zip(self.shapes.items(), self._slices, strict=True)
        }

    def size(self) -> int:
        """Parameters of one replica."""
        return sum(prod(shape) for shape in self.shapes.values())

    def decay_groups(self) -> Iterator[tuple[bool, list[str]]]:
        """Names of the parameters that are decayed and of those that are not, where there are any."""
        for decayed in (True, False):
            names = [name for name in self.shapes if (name not in self._undecayed) == decayed]
            if names:
                yield decayed, names

    def reset_optimizer(self, rows: Sequence[int] | None = None) -> None:
        """Zero moments and step counts of all replicas or only of those in `rows`."""
        if rows is None:
            self.state[1:].zero_()
            self.steps[:] = 0
            return
        for n in rows:
            for blocks in (self.first, self.second):
                for block in blocks.values():
                    block[n].zero_()
            self.steps[n] = 0

    def snapshot(self) -> Snapshot:
        """A copy of everything that shares no memory with the learner."""
        return Snapshot(state=self.state.clone(), steps=self.steps.copy(), seeds=self.seeds.copy())

    def restore(self, snapshot: Snapshot, rows: Sequence[int] | None = None) -> None:
        """Copy a snapshot back, into all replicas or only those in `rows`.

        Raises:
            ValueError: for a snapshot of another learner shape.
        """
        if snapshot.state.shape != self.state.shape or snapshot.steps.shape != self.steps.shape:
            raise ValueError(f"snapshot of shape {tuple(snapshot.state.shape)} for {tuple(self.state.shape)}")
        chosen = list(range(self.replicas)) if rows is None else list(rows)
        if rows is None:
            self.state.copy_(snapshot.state)
        else:
            index = torch.as_tensor(chosen, dtype=torch.int64, device=self.state.device)
            for mine, theirs in zip(self.state, snapshot.state, strict=True):
                sources = self.blocks(theirs.to(mine.device))
                for name, block in self.blocks(mine).items():
                    block.index_copy_(0, index, sources[name].index_select(0, index))
        self.steps[chosen] = snapshot.steps[chosen]
        self.seeds[chosen] = snapshot.seeds[chosen]

    @contextmanager
    def undone_on_failure(self) -> Iterator[None]:
        """Put everything back where the body ends in an exception: a failed segment leaves no half of itself."""
        before = self.snapshot()
        try:
            yield
        except BaseException:
            self.restore(before)
            raise

    def save(self, directory: Path, *, optimizer: bool) -> None:
        """Write `learner.safetensors` and, if asked, `optimizer.safetensors` into a directory."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "learner.safetensors"
        with naming(path):
            save_file({name: block.cpu() for name, block in self.parameters.items()}, path)
        if optimizer:
            self.save_optimizer(directory)

    def save_optimizer(self, directory: Path) -> None:
        """Write `optimizer.safetensors` (moments, steps, seeds) into a directory that exists."""
        moments = {f"first/{name}": block.cpu() for name, block in self.first.items()}
        moments |= {f"second/{name}": block.cpu() for name, block in self.second.items()}
        counts = {"steps": torch.tensor(self.steps), "seeds": torch.tensor(self.seeds)}
        path = directory / "optimizer.safetensors"
        with naming(path):
            save_file(moments | counts, path)

    def load(self, directory: Path) -> None:
        """Read parameters back, and the optimizer where it was saved (zeroed otherwise).

        Raises:
            ConfigError: where a file is missing or does not fit these shapes.
        """
        shapes = {name: block.shape for name, block in self.parameters.items()}
        saved = read_tensors(directory / "learner.safetensors", shapes)
        for name, block in self.parameters.items():
            block.copy_(saved[name])
        self.load_optimizer(directory)

    def load_optimizer(self, directory: Path) -> None:
        """Read moments, steps and seeds back where they were saved; zero the first two otherwise.

        Raises:
            ConfigError: where the file does not fit these shapes.
        """
        self.reset_optimizer()
        path = directory / "optimizer.safetensors"
        if path.exists():
            moments = {"first/": self.first, "second/": self.second}
            wanted = {p + name: block.shape for p, blocks in moments.items() for name, block in blocks.items()}
            counts = dict.fromkeys(("steps", "seeds"), (self.replicas,))
            saved = read_tensors(path, wanted, whole=counts)
            for prefix, blocks in moments.items():
                for name, block in blocks.items():
                    block.copy_(saved[prefix + name])
            self.steps[:], self.seeds[:] = saved["steps"].numpy(), saved["seeds"].numpy()


def read_tensors(
    path: Path, shapes: Mapping[str, Sequence[int]], *, whole: Mapping[str, Sequence[int]] | None = None
) -> dict[str, Tensor]:
    """The tensors of a safetensors file, which holds these and no others.

    Args:
        path: the file.
        shapes: of numbers with a fraction, by name.
        whole: of whole numbers, by name.

    Raises:
        ConfigError: where the file is missing or damaged, or its tensors have other names, shapes or types.
    """
    if not path.exists():
        raise ConfigError(f"learner file missing: {path}")
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error
    counts = {} if whole is None else whole
    for name, shape in {**shapes, **counts}.items():
        saved = tensors.get(name)
        if saved is None or tuple(saved.shape) != tuple(shape):
            found = "missing" if saved is None else f"of shape {tuple(saved.shape)}"
            raise ConfigError(f"{path}: {name} is {found}, wanted {tuple(shape)}")
        if saved.is_floating_point() == (name in counts):
            raise ConfigError(f"{path}: {name} is of {saved.dtype}, wanted {'int64' if name in counts else 'float32'}")
    beside = sorted(set(tensors) - set(shapes) - set(counts))
    if beside:
        raise ConfigError(f"{path}: {beside[0]} is nothing that this learner has")
    return tensors


class FlatLearner:
    """What learners do alike whose replicas stand in one flat buffer.

    Attributes:
        flat: the buffer.
    """

    flat: FlatParams

    def snapshot(self) -> Snapshot:
        """A real copy of parameters, moments, step counts and seeds."""
        return self.flat.snapshot()

    def restore(self, snapshot: Snapshot, rows: Sequence[int] | None = None) -> None:
        """Put a snapshot back, bit for bit, into all replicas or only those numbered in `rows`."""
        self.flat.restore(snapshot, rows)

    def reset_optimizer(self) -> None:
        """Zero the moments and step counts; the parameters stay."""
        self.flat.reset_optimizer()

    @property
    def size(self) -> int:
        """P, trainable parameters of one replica."""
        return self.flat.size()
