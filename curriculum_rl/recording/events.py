"""TensorBoard event files, written in batches without a thread: a cheap twin of `SummaryWriter`.

A summary writer starts one thread per run and checks every record in pure Python; with a child run per task that costs
milliseconds a segment. Here records wait in memory and are checksummed together.

Source: the TFRecord framing and CRC-32C masking of TensorFlow's `tensorflow/core/lib/io/record_writer`, and the
messages of `tensorboard.compat.proto`.
"""

import os
import re
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # type: ignore[import-untyped]
from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_SCALAR, Summary, SummaryMetadata  # type: ignore[import-untyped]
from tensorboard.compat.proto.tensor_pb2 import TensorProto  # type: ignore[import-untyped]
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto  # type: ignore[import-untyped]

from curriculum_rl.durable import naming

CASTAGNOLI = 0x82F63B78  # the polynomial of CRC-32C, bits reversed
_STAMP = re.compile(r"events\.out\.tfevents\.(\d+)(?:\.(\d{9})(?=\.))?")
LONG_RECORD = 4096  # bytes above which a record is cheaper to checksum alone than to pad all others for


class EventFile:
    """The events of one TensorBoard run (a directory), kept in memory until `flush`.

    Args:
        directory: the run's directory; it and the file appear at the first `flush` that has something to write.
        purge_step: when a run is continued: drop the events of earlier files at this step and after.
        descriptions: what a chart's information button says, by tag (Markdown).
    """

    def __init__(
        self, directory: str | Path, *, purge_step: int | None = None, descriptions: Mapping[str, str] | None = None
    ):
        # TensorBoard reads the files of a run in the order of their names: the time comes first, to the nanosecond.
        now = max(time.time_ns(), _newest(Path(directory)) + 1)
        stamp = f"{now // 10**9:010d}.{now % 10**9:09d}"
        self.path = Path(directory) / f"events.out.tfevents.{stamp}.{socket.gethostname()}.{os.getpid()}"
        self._records = [Event(wall_time=now / 1e9, file_version="brain.Event:2").SerializeToString()]
        if purge_step is not None:
            log = SessionLog(status=SessionLog.START)
            self._records.append(Event(wall_time=now / 1e9, step=purge_step, session_log=log).SerializeToString())
        self._empty = True
        self._undescribed = dict(descriptions or {})

    def scalars(self, values: Mapping[str, float], *, step: int, wall_time: float) -> None:
        """Add one point to each of some charts; a point that is not finite is left out."""
        kept = [self._scalar(tag, value) for tag, value in values.items() if np.isfinite(value)]
        if kept:
            self.summary(Summary(value=kept), step=step, wall_time=wall_time)

    def _scalar(self, tag: str, value: float) -> Summary.Value:
        description = self._undescribed.pop(tag, None)
        if description is None:
            return Summary.Value(tag=tag, simple_value=value)
        plugin = SummaryMetadata.PluginData(plugin_name="scalars")
        # Without the data class, TensorBoard's fast reader takes the metadata for a blank one and drops the text.
        metadata = SummaryMetadata(summary_description=description, plugin_data=plugin, data_class=DATA_CLASS_SCALAR)
        return Summary.Value(tag=tag, simple_value=value, metadata=metadata)

    def image(self, tag: str, png: bytes, *, size: tuple[int, int], step: int, wall_time: float) -> None:
        """Add a picture, given as an encoded PNG and its (width, height)."""
        image = Summary.Image(width=size[0], height=size[1], colorspace=3, encoded_image_string=png)
        self.summary(Summary(value=[Summary.Value(tag=tag, image=image)]), step=step, wall_time=wall_time)

    def text(self, tag: str, markdown: str, *, step: int, wall_time: float) -> None:
        """Add a text in Markdown."""
        metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
        tensor = TensorProto(dtype="DT_STRING", string_val=[markdown.encode()], tensor_shape=shape)
        value = Summary.Value(tag=f"{tag}/text_summary", metadata=metadata, tensor=tensor)
        self.summary(Summary(value=[value]), step=step, wall_time=wall_time)

    def summary(self, summary: Summary, *, step: int, wall_time: float) -> None:
        """Add any summary."""
        self._records.append(Event(wall_time=wall_time, step=step, summary=summary).SerializeToString())
        self._empty = False

    def take(self) -> list[bytes]:
        """Hand over the records that wait; none before there is an event."""
        if self._empty:
            return []
        records, self._records, self._empty = self._records, [], True
        return records


def flush(files: Sequence[EventFile]) -> None:
    """Write what waits in some event files: checksums are cheapest when many records are done together."""
    waiting = [(file, records) for file in files if (records := file.take())]
    framed = iter(frames([record for _, records in waiting for record in records]))
    for file, records in waiting:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        with naming(file.path), file.path.open("ab") as handle:
            handle.write(b"".join(next(framed) for _ in records))


def _newest(directory: Path) -> int:
    """The latest time in the names of a directory's event files, ns; the clock may have been set back since."""
    found = (_STAMP.match(path.name) for path in directory.glob("events.out.tfevents.*"))
    return max((int(one[1]) * 10**9 + int(one[2] or 0) for one in found if one), default=0)


def frames(records: Sequence[bytes]) -> list[bytes]:
    """Each record in TFRecord framing: length (u64), its checksum, the record, its checksum."""
    heads = [struct.pack("<Q", len(record)) for record in records]
    parts = zip(heads, _masked(crc32c(heads)), records, _masked(crc32c(records)), strict=True)
    return [b"".join(frame) for frame in parts]


def _masked(checksums: npt.NDArray[np.uint32]) -> list[bytes]:
    """Checksums rotated and shifted as TFRecord stores them, four little-endian bytes each."""
    wide = checksums.astype(np.uint64)
    masked = (((wide >> 15) | (wide << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    return [struct.pack("<I", value) for value in masked.tolist()]


def crc32c(records: Sequence[bytes]) -> npt.NDArray[np.uint32]:
    """CRC-32C of each record, (R,): byte by byte, but all short records at once."""
    lengths = np.array([len(record) for record in records], dtype=np.int64)
    out = np.zeros(len(records), dtype=np.uint32)
    for number in np.flatnonzero(lengths > LONG_RECORD).tolist():
        out[number] = _crc32c_of_one(records[number])
    # Longest first, so that the records that still have a byte j are always the first ones.
    short = np.flatnonzero(lengths <= LONG_RECORD)
    order = short[np.argsort(-lengths[short], kind="stable")]
    if len(order):
        out[order] = _crc32c_of_sorted([records[number] for number in order.tolist()], lengths[order])
    return out


def _crc32c_of_sorted(records: Sequence[bytes], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    width = int(lengths[0])
    padded = b"".join(record.ljust(width, b"\0") for record in records)
    columns = np.ascontiguousarray(np.frombuffer(padded, dtype=np.uint8).reshape(len(records), width).T)
    table, crc = _table(), np.full(len(records), 0xFFFFFFFF, dtype=np.uint32)
    active = np.searchsorted(-lengths, -np.arange(width), side="left")  # how many records are longer than j bytes
    for column, count in zip(columns, active.tolist(), strict=True):
        part = crc[:count]
        part[:] = table[(part ^ column[:count]) & 0xFF] ^ (part >> 8)
    return ~crc


def _crc32c_of_one(record: bytes) -> int:
    table, crc = _table().tolist(), 0xFFFFFFFF
    for byte in record:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return int(crc) ^ 0xFFFFFFFF


@cache
def _table() -> npt.NDArray[np.uint32]:
    """The 256 remainders of one byte."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(CASTAGNOLI), table >> 1).astype(np.uint32)
    return table
