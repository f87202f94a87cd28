"""Dreams on film: real | dreamed | difference under the same actions."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Mapping
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from craik.core import tree
from craik.core.data import Batch
from craik.core.errors import CraikError, DataError, SpecError
from craik.core.model import WorldModel
from craik.data.episode import Episode

Draw = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""From observations, name -> [T, ...], to pictures [T, h, w, 3] uint8: for models that draw no pixels themselves."""

PAPER, INK, SEEN, DREAMT = (250, 249, 246), (60, 66, 78), (178, 182, 190), (214, 122, 52)
"""Colours: background, words, the border while the model watches, and once it dreams."""

GAP, WORDS = 10, 22
"""Pixels between pictures, and for a line of words."""


@dataclasses.dataclass(frozen=True)
class Film:
    """T pictures of an episode, and of what the model made of it.

    Attributes:
        real: [T, h, w, 3] uint8.
        dreamed: [T, h, w, 3] uint8; up to `context` what the model believed while it watched, and from then on what it
            imagined, told only the actions.
        context: the index of the last picture it saw.
        fps: steps a second.
    """

    real: np.ndarray
    dreamed: np.ndarray
    context: int
    fps: float

    @property
    def difference(self) -> np.ndarray:
        """[T, h, w, 3] uint8: how far the two are apart, black where they agree."""
        return np.abs(self.real.astype(np.int16) - self.dreamed.astype(np.int16)).astype(np.uint8)


@torch.no_grad()
def film(
    model: WorldModel,
    episode: Episode,
    *,
    context: int = 5,
    start: int = 0,
    length: int = 64,
    fps: float = 20,
    draw: Draw | None = None,
    generator: torch.Generator | None = None,
) -> Film:
    """Lets a model watch the beginning of an episode and dream the rest of it under the true actions.

    Args:
        model: a model that reads `obs`.
        episode: what really happened.
        context: steps it watches.
        start: where in the episode to begin.
        length: steps in all; fewer if the episode ends before.
        fps: steps a second, for playing.
        draw: makes pictures of observations, real and imagined alike; by default they must have "pixels".
        generator: of the model's randomness; None for its mode.

    Raises:
        SpecError: if the model has no decoder, or there is nothing to look at.
        DataError: if the episode ends before there is anything to dream.
    """
    if "obs" not in model.spec.reads:
        raise SpecError(
            f"{type(model).__name__} has no decoder: its dreams cannot be filmed", "train a probe to draw it"
        )
    if draw is None and "pixels" not in model.spec.obs.spaces:
        raise SpecError(
            "this model dreams in numbers", "pass draw=, which makes pictures of them, or learn from pixels"
        )
    steps = min(length, episode.num_steps - start)
    if steps <= context:
        raise DataError(
            f"the episode has {episode.num_steps} steps: none is left after {start} and a context of {context}",
            "pass a smaller start= or context=, or a longer episode",
        )
    device, names = model.device, list(model.spec.obs.spaces)
    real = {k: episode.obs[k][start : start + steps + 1] for k in names}
    seen = {k: torch.as_tensor(v[None, : context + 1]).to(device) for k, v in real.items()}
    action = torch.as_tensor(episode.action[None, start : start + steps]).to(device)
    first = torch.zeros(1, context + 1, dtype=torch.bool, device=device)
    first[:, 0] = True
    nothing = torch.zeros(1, context, device=device)
    model.eval()
    watched = model.follow(Batch(seen, action[:, :context], nothing, nothing.bool(), first), generator=generator)
    dreamt = model.rollout(watched[:, -1], action[:, context:], generator=generator)
    read = model.read(tree.merge(tree.cat([watched, dreamt], 1)))["obs"]
    believed = {k: read[k].cpu().numpy() for k in names}
    picture = draw or (lambda obs: obs["pixels"])
    return Film(picture(real), picture(believed), context, fps)


def strip(film: Film, columns: int = 10, scale: int = 2) -> Image.Image:
    """The film at evenly spaced moments: a row each for real, dreamed and difference.

    Args:
        film: what to show.
        columns: moments, at most.
        scale: how much to enlarge, without smoothing.
    """
    length = len(film.real)
    times = np.unique(np.linspace(0, length - 1, min(columns, length)).round().astype(int))
    h, w = (scale * n for n in film.real.shape[1:3])
    margin = 84
    size = (margin + len(times) * (w + GAP), 2 * WORDS + 3 * (h + GAP))
    image = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(image)
    for row, (word, frames) in enumerate(_rows(film)):
        top = WORDS + row * (h + GAP)
        pen.text((4, top + h // 2), word, INK, _font(14), anchor="lm")
        for column, t in enumerate(times):
            _paste(image, frames[t], (margin + column * (w + GAP), top), scale, _border(film, word, t))
    for column, t in enumerate(times):
        x = margin + column * (w + GAP) + w // 2
        pen.text((x, WORDS // 2), _moment(film, t), DREAMT if t > film.context else INK, _font(13), anchor="mm")
    pen.text((margin, size[1] - WORDS // 2 - 4), _legend(film), INK, _font(13), anchor="lm")
    return image


def frames(film: Film, scale: int = 4) -> list[Image.Image]:
    """Every moment as one picture: real, dreamed and difference side by side, labelled; sizes are even."""
    h, w = (scale * n for n in film.real.shape[1:3])
    size = (3 * w + 4 * GAP, h + 2 * WORDS + 2 * GAP)
    pictures = []
    for t in range(len(film.real)):
        image = Image.new("RGB", (size[0] + size[0] % 2, size[1] + size[1] % 2), PAPER)
        pen = ImageDraw.Draw(image)
        for i, (word, row) in enumerate(_rows(film)):
            left = GAP + i * (w + GAP)
            pen.text((left + w // 2, GAP + WORDS // 2), word, INK, _font(15), anchor="mm")
            _paste(image, row[t], (left, GAP + WORDS), scale, _border(film, word, t))
        colour = DREAMT if t > film.context else INK
        words = f"step {t}: " + (_moment(film, t) if t <= film.context else f"dreaming, {t - film.context} ahead")
        pen.text((GAP, size[1] - GAP), words, colour, _font(14), anchor="ls")
        pictures.append(image)
    return pictures


def gif(film: Film, scale: int = 4) -> bytes:
    """The film as an animated GIF that repeats."""
    pictures = [p.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE) for p in frames(film, scale)]
    pause = max(20, round(1000 / film.fps))
    durations = [pause] * (len(pictures) - 1) + [pause + 1000]
    return _saved(pictures[0], "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)


def png(image: Image.Image) -> bytes:
    """A picture as a PNG file."""
    return _saved(image, "PNG", optimize=True)


def mp4(film: Film, scale: int = 4) -> bytes:
    """The film as an H.264 video.

    Raises:
        CraikError: if PyAV is not installed.
    """
    if find_spec("av") is None:
        raise CraikError("writing mp4 needs PyAV, which is not installed", "pip install 'craik[video]'; or write a gif")
    import av

    pictures, buffer = frames(film, scale), io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(film.fps).limit_denominator(1000))
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18"}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _rows(film: Film) -> list[tuple[str, np.ndarray]]:
    return [("real", film.real), ("dreamed", film.dreamed), ("difference", film.difference)]


def _border(film: Film, word: str, t: int) -> tuple[int, int, int]:
    return DREAMT if word != "real" and t > film.context else SEEN


def _moment(film: Film, t: int) -> str:
    return f"+{t - film.context}" if t > film.context else "watching"


def _legend(film: Film) -> str:
    return f"it watches {film.context} steps, then dreams {len(film.real) - 1 - film.context}, told only the actions"


def _paste(
    image: Image.Image, frame: np.ndarray, at: tuple[int, int], scale: int, border: tuple[int, int, int]
) -> None:
    h, w = frame.shape[:2]
    big = Image.fromarray(frame).resize((w * scale, h * scale), Image.Resampling.NEAREST)
    image.paste(big, at)
    box = (at[0] - 2, at[1] - 2, at[0] + w * scale + 1, at[1] + h * scale + 1)
    ImageDraw.Draw(image).rectangle(box, outline=border, width=2)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()
