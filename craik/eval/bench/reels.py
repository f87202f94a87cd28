"""Film strips on the page of cards: truth, and beneath it what every model imagines, future by future."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from PIL import Image

from craik.eval.bench.deck import Deck, Exercise
from craik.eval.card.strips import Strips
from craik.eval.film import png
from craik.eval.report import inline, note, section

APART = 4
"""Pixels between pictures, in those of the pictures."""

WRONG = (201, 64, 48)
"""The colour of what differs; it is the stronger, the more does."""

AGREED = np.array([128, 128, 128, 24])
"""The colour, hardly there, of what does not differ."""

NAMES = "ABCDEFGH"
"""Of futures."""

TALL = 22
"""Height of the drawing of what is done, in its own units; its width is that of the pictures."""

Reel = tuple[str, str, Strips]
"""A model's name, its CSS class, and its strips."""


def reels(decks: Sequence[Deck], styles: Sequence[str], exercises: Sequence[Exercise], unfolded: bool) -> str:
    """The section; "" if no card was filmed.

    Args:
        decks: the models.
        styles: the CSS class of each.
        exercises: what they were asked.
        unfolded: whether every exercise is shown at once, or only the first.
    """
    parts: list[str] = []
    for exercise in exercises:
        here = [
            (deck.name, style, strips)
            for deck, style in zip(decks, styles)
            if exercise in deck.cards and (strips := deck.cards[exercise].film) is not None
        ]
        shown = "".join(_moment(same) for same in _together(here).values())
        if shown:
            state = "open" if unfolded or not parts else ""
            parts.append(f"<details {state}><summary>{escape(str(exercise))}</summary>{shown}</details>")
    if not parts:
        return ""
    words = (
        "One and the same moment, and what follows when different things are done: the truth, and beneath it what each "
        "model imagines when it is told the actions and nothing else. A model that hears them tells the futures apart "
        "as the truth does; one that does not draws the same row again and again. Red is where it differs from the "
        "truth. The moment is chosen by the truth alone: it is one at which what is done matters much."
    )
    return section("What follows from what is done", note(words), *parts)


def _together(here: Sequence[Reel]) -> Mapping[tuple, list[Reel]]:
    """Those that show the same moment in pictures of the same size."""
    found: dict[tuple, list[Reel]] = {}
    for reel in here:
        strips = reel[2]
        found.setdefault((strips.moment, strips.steps, strips.true.shape), []).append(reel)
    return found


def _moment(reels: Sequence[Reel]) -> str:
    """All futures of one moment, by all models that show it."""
    strips = reels[0][2]
    k, n, _, side = strips.true.shape[:4]
    heads = "".join(f"<span>{w}</span>" for w in ("now", *(f"+{h}" for h in strips.steps)))
    futures = []
    for i in range(k):
        rows = [_row("truth", "", film_strip(strips.true[i]), f"what truly follows in future {NAMES[i]}", strips)]
        for name, style, own in reels:
            if len(own.ours):
                says = f"what {name} imagines in future {NAMES[i]}"
                rows.append(_row(name, style, film_strip(own.ours[i]), says, own, own.says))
                rows.append(_row("", f"gap {style}", red_strip(own.difference[i]), f"{says} less the truth", own))
            elif not i:
                rows.append(f'<p class="who">{_key(style)}{escape(name)}<small>{escape(own.says)}</small></p>')
        last = f"<small>what is done, steps 1 to {strips.steps[-1]}</small>"
        done = f'<div class="done"><b>{NAMES[i]}</b>{_done(strips.actions[i], strips.steps)}{last}</div>'
        futures.append(f'<div class="future">{done}<div class="when">{heads}</div>{"".join(rows)}</div>')
    wide = n * side + (n - 1) * APART
    size = f"--wide:{wide};--side:{side};--apart:{APART}"
    words = (
        f"Moment {strips.moment} of the exam; +4 is four steps later. What is done is drawn over each future, "
        f"{_kind(strips.actions)}."
    )
    return f'<div class="reel" style="{size}">{"".join(futures)}</div>{note(words)}'


def film_strip(pictures: np.ndarray) -> bytes:
    """Pictures [T, h, w, 3] side by side as a PNG file, nothing between them."""
    opaque = np.concatenate([pictures, np.full_like(pictures[..., :1], 255)], -1)
    return png(Image.fromarray(_beside(opaque)))


def red_strip(gaps: np.ndarray) -> bytes:
    """How far pictures are apart, [T, h, w] in [0, 1], as a PNG file: a shade of grey where they agree."""
    share = np.sqrt(gaps)[..., None]  # small differences are to be seen, too
    drawn = (share * [*WRONG, 255] + (1 - share) * AGREED).round().astype(np.uint8)
    return png(Image.fromarray(_beside(drawn)))


def _beside(pictures: np.ndarray) -> np.ndarray:
    """[T, h, w, 4] as [h, T w + (T - 1) APART, 4], clear between."""
    wide = np.pad(pictures, ((0, 0), (0, 0), (0, APART), (0, 0)))
    return np.concatenate(list(wide), 1)[:, :-APART]


def _row(name: str, style: str, strip: bytes, says: str, strips: Strips, small: str = "") -> str:
    after = ", ".join(map(str, strips.steps))
    image = f'<img alt="{escape(says)}, now and after {after} steps" src="{inline("png", strip)}">'
    who = f'<p class="who">{_key(style)}{escape(name)}<small>{escape(small)}</small></p>' if name else ""
    return f'{who}<div class="strip {style}">{image}</div>'


def _key(style: str) -> str:
    return f'<span class="key"><i class="{style}"></i></span>' if style else ""


def _kind(actions: np.ndarray) -> str:
    """What an action vector is, in words."""
    if _choices(actions):
        return "one row a choice"
    return "one line a number, from its least to its most" if actions.shape[-1] > 1 else "from its least to its most"


def _choices(actions: np.ndarray) -> bool:
    return bool(np.isin(actions, (0, 1)).all())


def _done(actions: np.ndarray, steps: Sequence[int]) -> str:
    """Action vectors [H, A] over time, as inline SVG: lines of numbers, or bars of choices."""
    shown = actions[: steps[-1]]
    wide, num = 10 * len(shown), shown.shape[1]
    if _choices(actions):
        each = TALL / num
        marks = "".join(
            f'<rect x="{10 * t}" y="{each * a:.2f}" width="10" height="{each:.2f}"/>'
            for t, a in np.argwhere(shown > 0).tolist()
        )
    else:
        high = TALL / 2 - 1.5
        y = TALL / 2 - high * np.clip(shown, -1, 1)
        marks = f'<path class="zero" d="M0 {TALL / 2}H{wide}"/>'
        for a in range(num):
            path = "".join(f"V{v:.1f}h10" for v in y[:, a].tolist())
            marks += f'<path class="a{a % 3}" d="M0 {y[0, a]:.1f}{path}"/>'
    head = f'<svg viewBox="0 0 {wide} {TALL}" preserveAspectRatio="none" role="img" aria-label="what is done">'
    return f"{head}{marks}</svg>"
