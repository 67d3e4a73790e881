"""What a function writes, cut into log events as Lambda cuts it.

Standard output and standard error become one event a line. AWS's runtimes may also write frames
(type, length, timestamp, message), each of which is one event whatever it contains; the runtime is
told to write them to standard output too, so that both keep their order.
"""

import os
import time
from dataclasses import dataclass

# Frame types of AWS's runtimes start with these bytes, which no UTF-8 text contains.
_FRAME_MARK = b"\xa5\x5a\x00"
_FRAME_HEADER_BYTES = 16
_READ_BYTES = 64 * 1024
# CloudWatch Logs API reference, PutLogEvents: the largest event is 1 MB, 26 bytes of it overhead.
LARGEST_EVENT_BYTES = 1024 * 1024 - 26


@dataclass(frozen=True)
class LogLine:
    """One log event: when (milliseconds since 1970) and what."""

    timestamp_ms: int
    message: str


class Output:
    """Reads the pipe into which an execution environment's processes write."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._pending = bytearray()
        self._lines: list[LogLine] = []

    def read(self) -> bool:
        """Read one block of what is there; False when there is none now or the pipe is closed."""
        try:
            block = os.read(self.descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        self._pending += block
        self._cut()
        return bool(block)

    def read_all(self) -> None:
        """Read everything that was written before this call."""
        while self.read():
            pass

    def take(self) -> list[LogLine]:
        """The events since the last call; an unfinished last line counts as one."""
        self.read_all()
        if self._pending and not self._pending.startswith(_FRAME_MARK):
            self._add(bytes(self._pending))
            self._pending.clear()
        lines, self._lines = self._lines, []
        return lines

    def _cut(self) -> None:
        position = 0
        while position < len(self._pending):
            end = self._end_of_event(position)
            if end is None:
                break
            position = end
        del self._pending[:position]

    def _end_of_event(self, start: int) -> int | None:
        """Take the event that begins at `start`; None when it is not complete yet."""
        if self._pending.startswith(_FRAME_MARK, start):
            return self._end_of_frame(start)
        newline = self._pending.find(b"\n", start)
        frame = self._pending.find(_FRAME_MARK, start)
        if frame != -1 and (newline == -1 or frame < newline):
            self._add(bytes(self._pending[start:frame]))
            return frame
        if newline == -1:
            return None
        self._add(bytes(self._pending[start:newline]))
        return newline + 1

    def _end_of_frame(self, start: int) -> int | None:
        message_start = start + _FRAME_HEADER_BYTES
        if len(self._pending) < message_start:
            return None
        header = bytes(self._pending[start:message_start])
        end = message_start + int.from_bytes(header[4:8], "big")
        if len(self._pending) < end:
            return None
        timestamp_us = int.from_bytes(header[8:16], "big")
        self._add(bytes(self._pending[message_start:end]).removesuffix(b"\n"), timestamp_us // 1000)
        return end

    def _add(self, data: bytes, timestamp_ms: int | None = None) -> None:
        when = timestamp_ms if timestamp_ms is not None else int(time.time() * 1000)
        if timestamp_ms is not None:
            self._bring_forward(timestamp_ms)
        for start in range(0, max(len(data), 1), LARGEST_EVENT_BYTES):
            message = data[start : start + LARGEST_EVENT_BYTES].decode(errors="replace")
            # CloudWatch Logs has no empty events.
            if message.strip():
                self._lines.append(LogLine(when, message))

    def _bring_forward(self, timestamp_ms: int) -> None:
        """Lines before a frame were written before it, though they were read, and dated, later."""
        for index in range(len(self._lines) - 1, -1, -1):
            line = self._lines[index]
            if line.timestamp_ms <= timestamp_ms:
                break
            self._lines[index] = LogLine(timestamp_ms, line.message)
