"""The planted problems by name, each drawn anew from a seed: what they are and how they are jittered."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from curriculum_rl.envs.closed_form.planted_problems import Planted

TASKS = 6
SEGMENTS = 120
Draw = Callable[[int, np.random.Generator], Planted]


def base(segments: int, random: np.random.Generator, tasks: int = TASKS) -> Planted:
    """Tasks of about equal use, each with a skill of its own.

    In a stratified run every own skill grows by 1 to 1.6 (so it loses 63 to 80 % of its height), and by up to .2 from
    each other task; heights are 1 to 3 nats, floors 1 to 2, and the weights of the target within a third of even.
    """
    unit = tasks / segments
    teaches = random.uniform(0, 0.2, (tasks, tasks)) * unit
    np.fill_diagonal(teaches, random.uniform(1, 1.6, tasks) * unit)
    weight = random.uniform(2, 4, tasks)
    return Planted(
        teaches=teaches,
        floor=random.uniform(1, 2, tasks),
        height=random.uniform(1, 3, tasks),
        weight=weight / weight.sum(),
        own=np.arange(tasks),
        needs=np.full(tasks, -1),
        delay=np.zeros(tasks, np.int64),
        begins=np.zeros(tasks),
        order=np.arange(tasks),
        special=(),
        segments=segments,
    )


def transfer(segments: int, random: np.random.Generator) -> Planted:
    """Each task teaches its own skill and some others, unevenly, and the target wants few of them."""
    drawn = base(segments, random)
    unit = TASKS / segments
    others = random.uniform(0, 0.8, (TASKS, TASKS)) * (random.random((TASKS, TASKS)) < 0.3)
    np.fill_diagonal(others, random.uniform(0.3, 1.8, TASKS))
    weight = random.dirichlet(np.full(TASKS, 0.5))
    return replace(drawn, teaches=others * unit, weight=weight)


def identical(segments: int, random: np.random.Generator) -> Planted:
    """Every task teaches the same: only what is paid for measurements can be lost."""
    drawn = base(segments, random)
    return replace(drawn, teaches=np.broadcast_to(drawn.teaches.mean(axis=0), drawn.teaches.shape))


def noise(segments: int, random: np.random.Generator) -> Planted:
    """One task moves a skill that nobody wants and whose loss, the highest, does not fall."""
    return _useless(base(segments, random), int(random.integers(TASKS)), 0.0)


def harmful(segments: int, random: np.random.Generator) -> Planted:
    """Such a task, and it takes from every skill, in a stratified run .3 to .5 of each."""
    drawn = base(segments, random)
    return _useless(drawn, int(random.integers(TASKS)), -random.uniform(0.3, 0.5) * TASKS / segments)


def duplicate(segments: int, random: np.random.Generator) -> Planted:
    """The last task is a copy of another: stratified batches give the two twice the share of a task."""
    drawn = base(segments, random, TASKS - 1)
    copied = int(random.integers(TASKS - 1))
    doubled = np.append(np.arange(TASKS - 1), copied)
    return replace(
        drawn,
        teaches=drawn.teaches[doubled],
        own=drawn.own[doubled],
        delay=drawn.delay[doubled],
        begins=drawn.begins[doubled],
        order=np.arange(TASKS),
        special=(copied, TASKS - 1),
    )


def single(segments: int, random: np.random.Generator) -> Planted:
    """`duplicate` without its copy: the same seed draws the same tasks."""
    drawn = base(segments, random, TASKS - 1)
    return replace(drawn, special=(int(random.integers(TASKS - 1)),))


def chain(segments: int, random: np.random.Generator, length: int = 4) -> Planted:
    """Each task teaches one skill, as far as the one before is learned; the target wants the last skill most."""
    drawn = base(segments, random, length)
    place = random.permutation(length)
    needs = np.full(length, -1)
    needs[place[1:]] = place[:-1]
    weight = np.full(length, 0.1)
    weight[place[-1]] = 1 - 0.1 * (length - 1)
    teaches = np.diag(random.uniform(2, 3, length)) * length / segments
    return replace(drawn, teaches=teaches, weight=weight, needs=needs, order=place, special=())


def delayed(segments: int, random: np.random.Generator) -> Planted:
    """One task teaches every skill as well as each skill's own task does, but a quarter of the run later."""
    drawn = base(segments, random)
    task = int(random.integers(TASKS))
    teaches, delay = drawn.teaches.copy(), drawn.delay.copy()
    teaches[task], delay[task] = random.uniform(1, 1.6, TASKS) * TASKS / segments, segments // 4
    return replace(drawn, teaches=teaches, delay=delay, order=_put(task, last=False), special=(task,))


def added(segments: int, random: np.random.Generator) -> Planted:
    """One task teaches nothing in the first half of the run, and then every skill as well as its own task does."""
    drawn = base(segments, random)
    task = int(random.integers(TASKS))
    teaches, begins = drawn.teaches.copy(), drawn.begins.copy()
    teaches[task], begins[task] = random.uniform(1, 1.6, TASKS) * TASKS / segments, 0.5
    return replace(drawn, teaches=teaches, begins=begins, order=_put(task, last=True), special=(task,))


def _useless(drawn: Planted, task: int, harm: float) -> Planted:
    teaches, floor = drawn.teaches.copy(), drawn.floor.copy()
    height, weight = drawn.height.copy(), drawn.weight.copy()
    own = teaches[task, task]
    teaches[task] = harm
    teaches[task, task], floor[task], height[task], weight[task] = own, 7.0, 0.0, 0.0
    return replace(drawn, teaches=teaches, floor=floor, height=height, weight=weight / weight.sum(), special=(task,))


def _put(task: int, *, last: bool) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    others = [other for other in range(TASKS) if other != task]
    return np.array([*others, task] if last else [task, *others])


PROBLEMS: Mapping[str, Draw] = MappingProxyType(
    {draw.__name__: draw for draw in (transfer, identical, noise, harmful, duplicate, single, chain, delayed, added)}
)
