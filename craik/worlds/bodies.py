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
    bulk = _Bulk.of(scene, matter)
    groups = [_Group(bulk, part) for part in _grouped(found, n)]
    for group in groups:
        into = _dot(group.relative(speed, spin), group.normal)
        group.target = np.where(into < -BOUNCE, -matter.restitution[group.row] * into, 0)
        group.rub = np.where(group.found.slippery, 0, matter.friction[group.row])
    for _ in range(ROUNDS):
        for group in groups:
            group.solve(speed, spin)
    speed, spin = (_bodies(x, n) for x in (speed, spin))
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
    shift = np.zeros((3, n * NUM + 1))
    twist = np.zeros_like(shift)
    bulk = _Bulk.of(scene, matter)
    groups = [_Group(bulk, part) for part in _grouped(_some(found, deep), n)]
    for _ in range(2):
        for group in groups:
            done = _dot(group.relative(shift, twist), group.normal)
            push = np.maximum(MEND * (group.found.depth - SLOP) - done, 0) / group.heavy
            group.apply(shift, twist, push * group.normal)
    return dataclasses.replace(scene, at=scene.at + _bodies(shift, n), turn=turned(scene.turn, _bodies(twist, n)))


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


@dataclasses.dataclass(frozen=True)
class _Bulk:
    """Bodies in a row, N B of them and one that never moves.

    Attributes:
        at: [3, N B + 1].
        mass: [3, N B + 1] one over it, along the axes of the world.
        light: [3, 3, N B + 1] one over the inertia, about them.
    """

    at: np.ndarray
    mass: np.ndarray
    light: np.ndarray

    @staticmethod
    def of(scene: Scene, matter: Matter) -> _Bulk:
        """That of scenes."""
        turn = matrices(scene.turn)
        mass = np.repeat(1 / matter.masses()[:, :, None], 3, 2)
        mass[:, 0, 2] = 0  # the pusher never rises
        light = np.zeros((3, 3, len(turn) * NUM + 1))
        inverse = (turn / matter.inertia()[:, :, None, :]) @ turn.swapaxes(2, 3)
        light[:, :, :-1] = inverse.reshape(-1, 3, 3).transpose(1, 2, 0)
        return _Bulk(_padded(scene.at), _padded(mass), light)


@dataclasses.dataclass(frozen=True)
class _Side:
    """What an impulse at K contacts does to the bodies on one side of them.

    Attributes:
        body: [K].
        sign: 1 for the first, -1 for the second.
        arm: [3, K] from the body to the contact.
        mass, light: [3, K] and [3, 3, K], see `_Bulk`.
        count: [K] contacts that the body has in the group.
    """

    body: np.ndarray
    sign: float
    arm: np.ndarray
    mass: np.ndarray
    light: np.ndarray
    count: np.ndarray


class _Group:
    """Contacts that are solved together, each body shared out evenly among those it has here.

    Vectors are [3, K], and [3, N B + 1] of bodies: numbers that are computed with together lie together.
    """

    target: np.ndarray
    rub: np.ndarray

    def __init__(self, bulk: _Bulk, found: Contacts):
        self.total, self.found = bulk.at.shape[1], found
        self.count = np.bincount(found.first, minlength=self.total) + np.bincount(found.second, minlength=self.total)
        self.count[-1] = 0
        point = np.ascontiguousarray(found.point.T)
        self.normal = np.ascontiguousarray(found.normal.T)
        self.sides = []
        for body, sign in ((found.first, 1.0), (found.second, -1.0)):
            if (body < self.total - 1).any():  # what never moves takes no part
                arm = np.where(body == self.total - 1, 0, point - bulk.at[:, body])
                lightness = bulk.mass[:, body], bulk.light[:, :, body]
                self.sides.append(_Side(body, sign, arm, *lightness, self.count[body]))
        self.row = found.first // NUM
        self.heavy = self.inverse(self.normal)
        self.pressed, self.rubbed = np.zeros((2, len(self.row)))

    def solve(self, speed: np.ndarray, spin: np.ndarray) -> None:
        """One round: impulses along the normals that stop approach, then friction; changes speeds and spins."""
        normal = self.normal
        into = _dot(self.relative(speed, spin), normal)
        after = np.minimum(self.target, -into)  # never faster apart than together: no round adds energy
        push = np.where(into < 0, after - into, 0) / self.heavy
        self.pressed = self.pressed + push
        self.apply(speed, spin, push * normal)
        if not self.rub.any():
            return
        slip = self.relative(speed, spin)
        slip = slip - _dot(slip, normal) * normal
        fast = np.sqrt(_dot(slip, slip))
        way = slip / np.maximum(fast, 1e-12)
        hold = np.minimum(self.rub * self.pressed - self.rubbed, fast / self.inverse(way))
        self.rubbed = self.rubbed + hold
        self.apply(speed, spin, -hold * way)

    def relative(self, speed: np.ndarray, spin: np.ndarray) -> np.ndarray:
        """[3, K]: how fast the first moves past the second where they touch."""
        first, *second = self.sides
        past = speed[:, first.body] + _cross(spin[:, first.body], first.arm)
        for side in second:
            past = past - speed[:, side.body] - _cross(spin[:, side.body], side.arm)
        return past

    def inverse(self, way: np.ndarray) -> np.ndarray:
        """[K]: speed along `way` [3, K] that a unit impulse along it gives, to the parts that meet here."""
        total = np.zeros(way.shape[1])
        for side in self.sides:
            lever = _cross(side.arm, way)
            total += side.count * (_dot(side.mass * way, way) + _dot(_times(side.light, lever), lever))
        return np.maximum(total, 1e-12)

    def apply(self, speed: np.ndarray, spin: np.ndarray, impulse: np.ndarray) -> None:
        """Adds what impulses [3, K] on the first, and their opposites on the second, do to speeds and spins."""
        for side in self.sides:
            pushed = side.mass * impulse * side.sign
            turned = _times(side.light, _cross(side.arm, impulse)) * side.sign
            for k in range(3):
                speed[k] += np.bincount(side.body, pushed[k], self.total)
                spin[k] += np.bincount(side.body, turned[k], self.total)


def _padded(x: np.ndarray) -> np.ndarray:
    """[N, B, 3] as [3, N B + 1], with a zero behind for what never moves."""
    padded = np.zeros((3, x.shape[0] * x.shape[1] + 1))
    padded[:, :-1] = x.reshape(-1, 3).T
    return padded


def _bodies(x: np.ndarray, n: int) -> np.ndarray:
    """What `_padded` made, as [N, B, 3] again."""
    return np.ascontiguousarray(x[:, :-1].T).reshape(n, NUM, 3)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[3, K] by [3, K]: [K]."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[3, K] by [3, K]: [3, K]."""
    found = np.empty_like(b)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        np.subtract(a[j] * b[k], a[k] * b[j], out=found[i])
    return found


def _times(matrix: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Matrices [3, 3, K] by vectors [3, K]."""
    return matrix[:, 0] * x[0] + matrix[:, 1] * x[1] + matrix[:, 2] * x[2]
