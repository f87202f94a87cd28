"""Rigid balls and boxes on a plane, many scenes at once: contacts and impulses in plain numpy.

A pusher (a ball that slides and neither rolls nor rises), two balls and three boxes. Contacts of balls are exact.
Boxes touch planes with their corners, and one another with corners and middles of edges along the face axis of least
overlap, so faces, stacks and edges on faces are right; two edges that cross between these points are not noticed.
Pairs of bodies are solved one after the other, in rounds; the contacts of a pair together, by mass splitting (Tonge,
Benevolenski & Voroshilov 2012): a body is shared out evenly among them, each is solved by itself, the parts are put
together again. So momentum is kept exactly, and a ball that meets one thing follows Newton's law of restitution.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from craik.worlds.contacts import NUM, SLOP, Contacts, Matter, Scene, cross, find, matrices, times

SUBSTEPS, ROUNDS, DT = 5, 12, 0.1
"""Substeps of a step of `DT` seconds, and rounds of impulses in each."""

BOUNCE, MEND = 0.3, 0.5
"""Slower than this nothing bounces, units/s; part of an overlap beyond `SLOP` that is mended at once."""

IDLE, IDLE_TURN = 0.02, 0.1
"""A body that touches something and is slower than this, units/s and rad/s, stops."""

STRENGTH = 12.0
"""Of the pusher, units/s^2."""

TOP, SPIN = 6.0, 40.0
"""Nothing is faster, units/s and rad/s."""

_MATCHES = [[(5, r)] + [((r + k) % 5, (r - k) % 5) for k in (1, 2)] for r in range(5)]
_COLOR = np.zeros((NUM, NUM), int)
for _c, _pairs in enumerate(_MATCHES):
    for _a, _b in _pairs:
        _COLOR[_a, _b] = _COLOR[_b, _a] = _c
"""Pairs of bodies in five groups, each body once in a group: the rounds of a tournament."""


def advance(scene: Scene, matter: Matter, wish: np.ndarray) -> tuple[Scene, np.ndarray, np.ndarray]:
    """One step of `DT`.

    Args:
        scene, matter: see there.
        wish: [N, 2], how fast the pusher is to go, units/s.

    Returns:
        the scene after it; which bodies the pusher touched [N, B]; the deepest overlap left [N], units.
    """
    dt, touched = DT / SUBSTEPS, np.zeros(scene.at.shape[:2], bool)
    for _ in range(SUBSTEPS):
        speed = scene.speed.copy()
        speed[:, 1:, 2] -= matter.gravity[:, None] * dt
        speed[:, 0, :2] += np.clip(wish - speed[:, 0, :2], -STRENGTH * dt, STRENGTH * dt)
        scene = dataclasses.replace(scene, speed=speed)
        contacts = find(scene, matter)
        scene = _mended(_drift(_meet(scene, matter, contacts), matter, dt), matter, contacts)
        by = (contacts.second % NUM == 0) & (contacts.second < touched.size)
        touched.reshape(-1)[contacts.first[by]] = True
    left, deep = find(scene, matter), np.zeros(len(touched))
    np.maximum.at(deep, left.first // NUM, left.depth)
    return scene, touched, deep


def _drift(scene: Scene, matter: Matter, dt: float) -> Scene:
    """Everything goes on as it moves; angular momentum is kept while a body turns."""
    spin, own = scene.spin.copy(), matter.inertia()[:, 5]  # of the others, inertia is the same about all axes
    first, still = scene.turn[:, 5], (spin[:, 5] == 0).all(1, keepdims=True)
    momentum = _spun(first, spin[:, 5], own)
    half = np.where(still, 0, _spun(turned(first, spin[:, 5] * dt / 2), momentum, 1 / own))
    by = spin * dt
    by[:, 5] = half * dt
    turn = turned(scene.turn, by)
    spin[:, 5] = np.where(still, 0, _spun(turn[:, 5], momentum, 1 / own))
    return Scene(scene.at + scene.speed * dt, turn, scene.speed, spin)


def _spun(turn: np.ndarray, x: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Vectors [N, 3] times `own` [N, 3] along the axes of bodies turned by `turn` [N, 4]."""
    axes = matrices(turn)
    return times(axes, own * times(axes.swapaxes(1, 2), x))


def turned(turn: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Quaternions [..., 4] turned by vectors [..., 3] (rad, about the world's axes), exactly; by 0, not touched."""
    angle = np.sqrt((by * by).sum(-1, keepdims=True))
    part = np.sinc(angle / (2 * np.pi)) / 2
    w, v = np.cos(angle / 2), by * part
    q0, q = turn[..., :1], turn[..., 1:]
    real = w * q0 - (v * q).sum(-1, keepdims=True)
    new = np.concatenate([real, w * q + q0 * v + cross(v, q)], -1)
    new = new / np.sqrt((new * new).sum(-1, keepdims=True))
    return np.where(angle == 0, turn, new)


def _meet(scene: Scene, matter: Matter, found: Contacts) -> Scene:
    """Speeds after the impulses of all contacts."""
    n = len(scene.at)
    speed, spin = _padded(scene.speed), _padded(scene.spin)
    groups = [_Group(scene, matter, part) for part in _grouped(found, n)]
    for group in groups:
        into = (group.relative(speed, spin) * group.found.normal).sum(1)
        group.target = np.where(into < -BOUNCE, -matter.restitution[group.row] * into, 0)
        group.rub = np.where(group.found.slippery, 0, matter.friction[group.row])
    for _ in range(ROUNDS):
        for group in groups:
            group.solve(speed, spin)
    speed, spin = (x[:-1].reshape(n, NUM, 3) for x in (speed, spin))
    touching = np.zeros(n * NUM + 1, bool)
    touching[found.first] = touching[found.second] = True
    slow = (speed**2).sum(2, keepdims=True) < IDLE**2
    idle = touching[:-1].reshape(n, NUM, 1) & slow & ((spin**2).sum(2, keepdims=True) < IDLE_TURN**2)
    idle[:, 0] = False
    speed, spin = np.where(idle, 0, speed), np.where(idle, 0, spin)
    return dataclasses.replace(scene, speed=np.clip(speed, -TOP, TOP), spin=np.clip(spin, -SPIN, SPIN))


def _mended(scene: Scene, matter: Matter, found: Contacts) -> Scene:
    """Bodies that overlap are moved apart a little; speeds stay."""
    deep = found.depth > SLOP
    if not deep.any():
        return scene
    n = len(scene.at)
    shift = np.zeros((n * NUM + 1, 3))
    twist = np.zeros_like(shift)
    groups = [_Group(scene, matter, part) for part in _grouped(_some(found, deep), n)]
    for _ in range(2):
        for group in groups:
            done = (group.relative(shift, twist) * group.found.normal).sum(1)
            push = np.maximum(MEND * (group.found.depth - SLOP) - done, 0) / group.heavy
            group.apply(shift, twist, push[:, None] * group.found.normal)
    at = scene.at + shift[:-1].reshape(n, NUM, 3)
    return dataclasses.replace(scene, at=at, turn=turned(scene.turn, twist[:-1].reshape(n, NUM, 3)))


def _some(found: Contacts, which: np.ndarray) -> Contacts:
    return Contacts(*(getattr(found, f.name)[which] for f in dataclasses.fields(found)))


def _grouped(found: Contacts, n: int) -> list[Contacts]:
    """The contacts in six groups, in each of which a body meets one other, or the planes.

    Before each group comes one of the middles of its patches (points that two bodies, or a body and a plane, share):
    pressing there stops a patch at once, which its points by themselves do slowly.
    """
    color = np.where(found.second == n * NUM, NUM - 1, _COLOR[found.first % NUM, found.second % NUM])
    groups = []
    for c in range(NUM):
        if (color == c).any():
            part = _some(found, color == c)
            groups += [*_middles(part), part]
    return groups


def _middles(found: Contacts) -> list[Contacts]:
    """The middles of patches of more than one point, as contacts; none if there are none."""
    plane = np.where(found.normal[:, 2] > 0.9, 0, 1 + (found.normal @ [1.0, 3.0, 0.0] + 3).astype(np.int64))
    pair = found.first * 16 + np.where(found.second % NUM == 0, plane, 8 + found.second % NUM)
    _, start, which, many = np.unique(pair, return_index=True, return_inverse=True, return_counts=True)
    if (many < 2).all():
        return []
    mean = np.stack([np.bincount(which, x) for x in (*found.point.T, found.depth)], 1) / many[:, None]
    keep, first = many > 1, start[many > 1]
    return [
        Contacts(
            found.first[first],
            found.second[first],
            mean[keep, :3],
            found.normal[first],
            mean[keep, 3],
            found.slippery[first],
        )
    ]


class _Group:
    """Contacts that are solved together, each body shared out evenly among those it has here."""

    target: np.ndarray
    rub: np.ndarray

    def __init__(self, scene: Scene, matter: Matter, found: Contacts):
        n = len(scene.at)
        self.total, self.found = n * NUM + 1, found
        turn = matrices(scene.turn)
        mass = np.repeat(1 / matter.masses()[:, :, None], 3, 2)
        mass[:, 0, 2] = 0  # the pusher never rises
        self.mass = _padded(mass)
        light = np.zeros((self.total, 3, 3))
        light[:-1] = ((turn / matter.inertia()[:, :, None, :]) @ turn.swapaxes(2, 3)).reshape(-1, 3, 3)
        self.count = np.bincount(found.first, minlength=self.total) + np.bincount(found.second, minlength=self.total)
        self.count[-1] = 0
        at = _padded(scene.at)
        self.sides = []
        for body, sign in ((found.first, 1.0), (found.second, -1.0)):
            arm = np.where((body == self.total - 1)[:, None], 0, found.point - at[body])
            self.sides.append((body, sign, arm, self.mass[body], light[body], self.count[body]))
        self.row = found.first // NUM
        self.heavy = self.inverse(found.normal)
        self.pressed, self.rubbed = np.zeros((2, len(self.row)))

    def solve(self, speed: np.ndarray, spin: np.ndarray) -> None:
        """One round: impulses along the normals that stop approach, then friction; changes speeds and spins."""
        normal = self.found.normal
        into = (self.relative(speed, spin) * normal).sum(1)
        after = np.minimum(self.target, -into)  # never faster apart than together: no round adds energy
        push = np.where(into < 0, after - into, 0) / self.heavy
        self.pressed = self.pressed + push
        self.apply(speed, spin, push[:, None] * normal)
        if not self.rub.any():
            return
        slip = self.relative(speed, spin)
        slip = slip - (slip * normal).sum(1, keepdims=True) * normal
        fast = np.sqrt((slip * slip).sum(1))
        way = slip / np.maximum(fast, 1e-12)[:, None]
        hold = np.minimum(self.rub * self.pressed - self.rubbed, fast / self.inverse(way))
        self.rubbed = self.rubbed + hold
        self.apply(speed, spin, -hold[:, None] * way)

    def relative(self, speed: np.ndarray, spin: np.ndarray) -> np.ndarray:
        """[K, 3]: how fast the first moves past the second where they touch."""
        (a, _, ra, *_), (b, _, rb, *_) = self.sides
        return speed[a] + cross(spin[a], ra) - speed[b] - cross(spin[b], rb)

    def inverse(self, way: np.ndarray) -> np.ndarray:
        """[K]: speed along `way` [K, 3] that a unit impulse along it gives, to the parts that meet here."""
        total = np.zeros(len(way))
        for _, _, arm, mass, light, count in self.sides:
            lever = cross(arm, way)
            total += count * ((mass * way * way).sum(1) + (times(light, lever) * lever).sum(1))
        return np.maximum(total, 1e-12)

    def apply(self, speed: np.ndarray, spin: np.ndarray, impulse: np.ndarray) -> None:
        """Adds what impulses [K, 3] on the first, and their opposites on the second, do to speeds and spins."""
        for body, sign, arm, mass, light, _ in self.sides:
            given = np.concatenate([mass * impulse, times(light, cross(arm, impulse))], 1) * sign
            for k in range(3):
                speed[:, k] += np.bincount(body, given[:, k], self.total)
                spin[:, k] += np.bincount(body, given[:, 3 + k], self.total)


def _padded(x: np.ndarray) -> np.ndarray:
    """[N, B, 3] as a list with a row of zeros behind, for what never moves."""
    return np.concatenate([x.reshape(-1, 3), np.zeros((1, 3))])
