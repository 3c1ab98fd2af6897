"""What worker processes do alike: they end with the process that started them."""

import os
import threading
from multiprocessing import connection, parent_process


def end_with_parent() -> None:
    """End this worker as soon as its parent has, however that ended: nobody reads what it does, and a lock is free."""
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = parent_process()
    assert parent is not None  # a worker has one
    connection.wait([parent.sentinel])
    os._exit(1)
