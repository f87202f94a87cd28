"""Decoding video files, with limits: a file of some kilobytes can decode to gigabytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from craik.core.errors import DataError
from craik.data.extra import need

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi"}
"""Suffix -> the demuxer that may read it. No other is tried: playlists and the like name further files to open."""

CODECS = ("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mjpeg", "ffv1", "rawvideo")
"""Codecs that may be decoded."""

MAX_PIXELS = 16_000_000
"""Pixels of a frame, checked in the header and again on each frame."""

MAX_FRAMES = 108_000
"""Frames of a file: an hour at 30 a second."""

MAX_BYTES = 4 << 30
"""Bytes of the frames that are kept from a file."""

FIX = "re-encode it: ffmpeg -i FILE -vf scale=64:64 -c:v libx264 OUT.mp4, or leave it out"


@dataclasses.dataclass(frozen=True)
class Clip:
    """What a video file's header says: width and height in pixels, frames a second."""

    width: int
    height: int
    fps: float


def probe(path: Path) -> Clip:
    """Reads and checks a header; decodes nothing.

    Raises:
        DataError: if it is no video, of a kind that is not allowed, or its frames are too large.
    """
    with _open(path) as container:
        stream = _stream(container, path)
        rate = stream.average_rate or stream.guessed_rate
        if not rate:
            raise DataError(f"{path} does not say how many frames a second it has", FIX)
        return Clip(stream.codec_context.width, stream.codec_context.height, float(rate))


def decode(
    path: Path, height: int, width: int, start: float = 0.0, stop: float = float("inf"), slack: float = 0.0
) -> Iterator[tuple[float, np.ndarray]]:
    """Frames of a file, scaled.

    Args:
        path: the file.
        height: pixels of what comes out.
        width: pixels of what comes out.
        start: seconds from which on frames are wanted.
        stop: seconds before which they are.
        slack: seconds by which the file's clock may be early; both ends move by it.

    Yields:
        When it is shown, in seconds, and the frame, [height, width, 3] uint8.

    Raises:
        DataError: if it cannot be decoded, or goes over a limit.
    """
    av = need("av", "video")
    kept = 0
    with _open(path) as container:
        stream = _stream(container, path)
        try:
            if start > 0:
                container.seek(int(start / stream.time_base), stream=stream)
            for number, frame in enumerate(container.decode(stream)):
                if number >= MAX_FRAMES:
                    raise DataError(f"{path} has more than {MAX_FRAMES:,} frames", "cut it into shorter files")
                _check_size(frame.width, frame.height, path)
                time = frame.time if frame.time is not None else number / float(stream.average_rate)
                if time < start - slack:
                    continue
                if time >= stop - slack:
                    return
                kept += height * width * 3
                if kept > MAX_BYTES:
                    raise DataError(f"{path} decodes to more than {MAX_BYTES:,} bytes", "ask for smaller frames")
                yield time, frame.reformat(width, height, "rgb24").to_ndarray()
        except (av.error.FFmpegError, ValueError) as error:
            raise DataError(f"{path} cannot be decoded: {error}", FIX) from error


def _open(path: Path) -> Any:
    av = need("av", "video")
    if path.suffix.lower() not in CONTAINERS:
        raise DataError(f"{path} is not one of {', '.join(CONTAINERS)}", FIX)
    try:
        return av.open(str(path.resolve()), format=CONTAINERS[path.suffix.lower()])
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise DataError(f"{path} cannot be opened as a video: {error}", FIX) from error


def _stream(container: Any, path: Path) -> Any:
    if not container.streams.video:
        raise DataError(f"{path} has no video in it", FIX)
    stream = container.streams.video[0]
    codec = stream.codec_context.codec.canonical_name
    if codec not in CODECS:
        raise DataError(f"{path} is coded in {codec}; allowed are {', '.join(CODECS)}", FIX)
    _check_size(stream.codec_context.width, stream.codec_context.height, path)
    if stream.frames > MAX_FRAMES:
        raise DataError(f"{path} has {stream.frames:,} frames, at most {MAX_FRAMES:,}", "cut it into shorter files")
    stream.codec_context.thread_count = 1
    return stream


def _check_size(width: int, height: int, path: Path) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise DataError(f"{path} has frames of {width} x {height}; at most {MAX_PIXELS:,} pixels", FIX)
