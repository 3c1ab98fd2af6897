"""What worker processes do alike: how they start, and that they end with the process that started them."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection, parent_process, resource_tracker

STOPPING = (signal.SIGINT, signal.SIGTERM)
"""The signals that ask a command to stop."""


@contextmanager
def starting_workers() -> Iterator[None]:
    """Let processes that start here see one thread, before they import anything, and libraries in their place.

    A new interpreter looks into the working directory first, until it has its parent's path: a `pickle.py` there would
    be read for the library. Signals that ask to stop wait: here until the body is over, so that no process is started
    and not known; in the worker until it calls `listen`, so that none falls into its imports.
    """
    settings = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    resource_tracker.ensure_running()  # before signals wait: it lets them through when it starts
    signals = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)


def listen() -> None:
    """Let signals that ask to stop reach this worker; one that has waited does so now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def end_with_parent() -> None:
    """End this worker as soon as its parent has, however that ended: nobody reads what it does, and a lock is free."""
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = parent_process()
    assert parent is not None  # a worker has one
    connection.wait([parent.sentinel])
    os._exit(1)
