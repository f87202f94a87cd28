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
from itertools import combinations

import numpy as np

NUM = 6
BALLS, BOXES = (0, 1, 2), (3, 4, 5)
"""Numbers of the bodies; 0 is the pusher."""

RADII = np.array([0.16, 0.16, 0.16])
HALVES = np.array([[0.15, 0.15, 0.15], [0.15, 0.15, 0.15], [0.07, 0.07, 0.3]])
WALL = 1.45
"""Glass walls stand at this distance from the middle, units."""

PUSHER = 4.0
"""Mass of the pusher; the bodies weigh 1, but for body 3."""

SUBSTEPS, ROUNDS, DT = 5, 12, 0.1
"""Substeps of a step of `DT` seconds, and rounds of impulses in each."""

BOUNCE, SLOP, MEND = 0.3, 0.002, 0.5
"""Slower than this nothing bounces, units/s; overlap left alone, units; part of the rest that is mended at once."""

IDLE, IDLE_TURN = 0.02, 0.1
"""A body that touches something and is slower than this, units/s and rad/s, stops."""

STRENGTH = 12.0
"""Of the pusher, units/s^2."""

TOP, SPIN = 6.0, 40.0
"""Nothing is faster, units/s and rad/s."""

_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
_MIDDLES = np.array([p for p in np.ndindex(3, 3, 3) if sum(c == 1 for c in p) == 1], float) - 1
_SPOTS = np.concatenate([_CORNERS, _MIDDLES])
"""Corners and middles of edges of a box, in half sizes."""

_MATCHES = [[(5, r)] + [((r + k) % 5, (r - k) % 5) for k in (1, 2)] for r in range(5)]
_COLOR = np.zeros((NUM, NUM), int)
for _c, _pairs in enumerate(_MATCHES):
    for _a, _b in _pairs:
        _COLOR[_a, _b] = _COLOR[_b, _a] = _c
"""Pairs of bodies in five groups, each body once in a group: the rounds of a tournament."""

_PLANES = np.array([[0, 0, 1], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], float)
_OFFSETS = np.array([0, WALL, WALL, WALL, WALL])


@dataclasses.dataclass(frozen=True)
class Scene:
    """What moves, in N scenes of `NUM` bodies.

    Attributes:
        at: [N, B, 3], units.
        turn: [N, B, 4], unit quaternions, w first.
        speed: [N, B, 3], units/s.
        spin: [N, B, 3], rad/s, about the axes of the world.
    """

    at: np.ndarray
    turn: np.ndarray
    speed: np.ndarray
    spin: np.ndarray


@dataclasses.dataclass(frozen=True)
class Matter:
    """What does not, [N] each.

    Attributes:
        size: of all bodies but the pusher, in parts of the usual.
        mass: of body 3; the other bodies weigh 1.
        friction, restitution: between bodies and with the planes; the pusher has no friction.
        gravity: units/s^2.
    """

    size: np.ndarray
    mass: np.ndarray
    friction: np.ndarray
    restitution: np.ndarray
    gravity: np.ndarray

    def radii(self) -> np.ndarray:
        """Of the balls, [N, 3]."""
        scale = np.repeat(self.size[:, None], 3, 1)
        scale[:, 0] = 1
        return RADII * scale

    def halves(self) -> np.ndarray:
        """Half the sizes of the boxes, [N, 3, 3]."""
        return HALVES * self.size[:, None, None]

    def masses(self) -> np.ndarray:
        """[N, B]."""
        mass = np.ones((len(self.size), NUM))
        mass[:, 0], mass[:, 3] = PUSHER, self.mass
        return mass

    def inertia(self) -> np.ndarray:
        """About the bodies' own axes, [N, B, 3]; the pusher's is infinite."""
        square = self.halves() ** 2
        mass = self.masses()[:, :, None]
        balls = np.repeat(0.4 * self.radii()[:, :, None] ** 2, 3, 2) * mass[:, :3]
        balls[:, 0] = np.inf
        return np.concatenate([balls, (square.sum(2, keepdims=True) - square) / 3 * mass[:, 3:]], 1)


@dataclasses.dataclass(frozen=True)
class Contacts:
    """Where bodies touch, in one list of K for all scenes.

    Attributes:
        first, second: [K], body `row * B + body`; N * B stands for what never moves.
        point: [K, 3].
        normal: [K, 3], from the second to the first.
        depth: [K], units.
        slippery: [K] bool.
    """

    first: np.ndarray
    second: np.ndarray
    point: np.ndarray
    normal: np.ndarray
    depth: np.ndarray
    slippery: np.ndarray


def matrices(turn: np.ndarray) -> np.ndarray:
    """Rotations [..., 3, 3] of quaternions [..., 4]."""
    w, x, y, z = np.moveaxis(turn, -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(r, -1) for r in rows], -2)


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
    return _times(axes, own * _times(axes.swapaxes(1, 2), x))


def turned(turn: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Quaternions [..., 4] turned by vectors [..., 3] (rad, about the world's axes), exactly; by 0, not touched."""
    angle = np.sqrt((by * by).sum(-1, keepdims=True))
    part = np.sinc(angle / (2 * np.pi)) / 2
    w, v = np.cos(angle / 2), by * part
    q0, q = turn[..., :1], turn[..., 1:]
    real = w * q0 - (v * q).sum(-1, keepdims=True)
    new = np.concatenate([real, w * q + q0 * v + _cross(v, q)], -1)
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
        return speed[a] + _cross(spin[a], ra) - speed[b] - _cross(spin[b], rb)

    def inverse(self, way: np.ndarray) -> np.ndarray:
        """[K]: speed along `way` [K, 3] that a unit impulse along it gives, to the parts that meet here."""
        total = np.zeros(len(way))
        for _, _, arm, mass, light, count in self.sides:
            lever = _cross(arm, way)
            total += count * ((mass * way * way).sum(1) + (_times(light, lever) * lever).sum(1))
        return np.maximum(total, 1e-12)

    def apply(self, speed: np.ndarray, spin: np.ndarray, impulse: np.ndarray) -> None:
        """Adds what impulses [K, 3] on the first, and their opposites on the second, do to speeds and spins."""
        for body, sign, arm, mass, light, _ in self.sides:
            given = np.concatenate([mass * impulse, _times(light, _cross(arm, impulse))], 1) * sign
            for k in range(3):
                speed[:, k] += np.bincount(body, given[:, k], self.total)
                spin[:, k] += np.bincount(body, given[:, 3 + k], self.total)


def find(scene: Scene, matter: Matter) -> Contacts:
    """All contacts: with planes, between balls, balls and boxes, boxes."""
    n, turn = len(scene.at), matrices(scene.turn)
    radii, halves = matter.radii(), matter.halves()
    parts = [_on_planes(scene.at, turn, radii, halves)]
    for i, j in combinations(BALLS, 2):
        apart = scene.at[:, j] - scene.at[:, i]
        far = np.sqrt((apart * apart).sum(1))
        rows = np.flatnonzero(far < radii[:, i] + radii[:, j])
        normal = apart[rows] / np.maximum(far[rows], 1e-9)[:, None]
        point = scene.at[rows, i] + radii[rows, i, None] * normal
        parts.append((rows * NUM + j, rows * NUM + i, point, normal, (radii[:, i] + radii[:, j] - far)[rows]))
    reach = np.sqrt((halves**2).sum(2))
    for i in BALLS:
        for k, j in enumerate(BOXES):
            apart = scene.at[:, i] - scene.at[:, j]
            rows = np.flatnonzero((apart * apart).sum(1) < (radii[:, i] + reach[:, k]) ** 2)
            parts.append(_ball_on_box(rows, i, j, apart[rows], turn[rows, j], halves[rows, k], radii[rows, i], scene))
    for (a, i), (b, j) in combinations(enumerate(BOXES), 2):
        apart = scene.at[:, j] - scene.at[:, i]
        rows = np.flatnonzero((apart * apart).sum(1) < (reach[:, a] + reach[:, b]) ** 2)
        parts.append(_boxes(rows, i, j, scene.at[rows], turn[rows, i], turn[rows, j], halves[rows, a], halves[rows, b]))
    first, second, point, normal, depth = (np.concatenate(x) for x in zip(*parts, strict=True))
    second = np.where(second < 0, n * NUM, second)
    slippery = (first % NUM == 0) | ((second % NUM == 0) & (second < n * NUM))
    return Contacts(first, second, point, normal, depth, slippery)


_Part = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _on_planes(at: np.ndarray, turn: np.ndarray, radii: np.ndarray, halves: np.ndarray) -> _Part:
    n = len(at)
    corners = at[:, 3:, None] + (_CORNERS * halves[:, :, None]) @ turn[:, 3:].swapaxes(2, 3)
    spots = np.concatenate([at[:, :3], corners.reshape(n, -1, 3)], 1)
    body = np.array([*BALLS, *np.repeat(BOXES, 8)])
    bulk = np.concatenate([radii, np.zeros((n, 24))], 1)
    gap = np.stack([spots[..., 2], *(WALL + s * spots[..., k] for k in (0, 1) for s in (1, -1))], 2) - bulk[..., None]
    gap[:, 0, 0] = 1  # the pusher is held at its height
    row, spot, plane = np.nonzero(gap < 0)
    normal, depth = _PLANES[plane], -gap[row, spot, plane]
    point = spots[row, spot] - normal * bulk[row, spot, None]
    return row * NUM + body[spot], np.full(len(row), -1), point, normal, depth


def _ball_on_box(
    rows: np.ndarray,
    i: int,
    j: int,
    apart: np.ndarray,
    turn: np.ndarray,
    half: np.ndarray,
    radius: np.ndarray,
    scene: Scene,
) -> _Part:
    local = _times(turn.swapaxes(1, 2), apart)
    near = np.clip(local, -half, half)
    out = local - near
    far = np.sqrt((out * out).sum(1))
    inside = far < 1e-9
    face = np.argmin(half - np.abs(local), 1)
    row = np.arange(len(rows))
    exit_ = np.zeros_like(local)
    exit_[row, face] = np.where(local[row, face] < 0, -1.0, 1.0)
    normal = np.where(inside[:, None], exit_, out / np.maximum(far, 1e-9)[:, None])
    depth = radius - np.where(inside, (np.abs(local) - half)[row, face], far)
    met = depth > 0
    rows, normal, near = rows[met], _times(turn, normal)[met], _times(turn, near)[met]
    return rows * NUM + i, rows * NUM + j, scene.at[rows, j] + near, normal, depth[met]


def _boxes(
    rows: np.ndarray,
    i: int,
    j: int,
    at: np.ndarray,
    ti: np.ndarray,
    tj: np.ndarray,
    hi: np.ndarray,
    hj: np.ndarray,
) -> _Part:
    """The face axis along which two boxes overlap least, and their points beyond that face."""
    apart = at[:, j] - at[:, i]
    between = ti.swapaxes(1, 2) @ tj
    gap_i = np.abs(_times(ti.swapaxes(1, 2), apart)) - hi - _times(np.abs(between), hj)
    gap_j = np.abs(_times(tj.swapaxes(1, 2), apart)) - hj - _times(np.abs(between.swapaxes(1, 2)), hi)
    gap_j = gap_j - 1e-4  # of two that are alike, always the same
    gaps = np.concatenate([gap_i, gap_j], 1)
    best = gaps.argmax(1)
    met = gaps[np.arange(len(rows)), best] < 0
    parts = []
    for own, other, t1, t2, h1, h2, mine in ((i, j, ti, tj, hi, hj, best < 3), (j, i, tj, ti, hj, hi, best >= 3)):
        k = np.flatnonzero(met & mine)
        parts.append(_beyond(rows[k], own, other, at[k], t1[k], t2[k], h1[k], h2[k], best[k] % 3))
    return tuple(np.concatenate(x) for x in zip(*parts, strict=True))  # type: ignore[return-value]


def _beyond(
    rows: np.ndarray,
    own: int,
    other: int,
    at: np.ndarray,
    t1: np.ndarray,
    t2: np.ndarray,
    h1: np.ndarray,
    h2: np.ndarray,
    axis: np.ndarray,
) -> _Part:
    """Points of the other box behind a face of the own one, and points of that face inside the other."""
    row = np.arange(len(rows))
    apart = at[:, other] - at[:, own]
    sign = np.where((apart * t1[row, :, axis]).sum(1) < 0, -1.0, 1.0)
    normal = t1[row, :, axis] * sign[:, None]
    theirs = apart[:, None] + (_SPOTS * h2[:, None]) @ t2.swapaxes(1, 2)
    local = theirs @ t1
    along = local[row, :, axis] * sign[:, None]
    beside = np.abs(local) <= h1[:, None] + SLOP
    depth_theirs = np.where(beside.all(2), h1[row, axis, None] - along, -1)
    mine = (_SPOTS * h1[:, None]) @ t1.swapaxes(1, 2)
    on_face = _SPOTS[:, axis].T * sign[:, None] == 1
    local = (mine - apart[:, None]) @ t2
    way = -_times(t2.swapaxes(1, 2), normal)[:, None]
    steep = np.abs(way) > 1e-6
    leave = np.where(steep, (h2[:, None] - np.sign(way) * local) / np.where(steep, np.abs(way), 1), np.inf).min(2)
    within = (np.abs(local) < h2[:, None] - 1e-9).all(2)
    depth_mine = np.where(within & on_face, leave, -1)
    for found in (depth_theirs, depth_mine):  # where three corners bear, the middles of edges add nothing
        found[:, 8:] = np.where((found[:, :8] > 0).sum(1, keepdims=True) >= 3, -1, found[:, 8:])
    depth = np.concatenate([depth_theirs, depth_mine], 1)
    points = np.concatenate([theirs, mine], 1) + at[:, own, None]
    k, spot = np.nonzero(depth > 0)
    return rows[k] * NUM + other, rows[k] * NUM + own, points[k, spot], normal[k], depth[k, spot]


def _padded(x: np.ndarray) -> np.ndarray:
    """[N, B, 3] as a list with a row of zeros behind, for what never moves."""
    return np.concatenate([x.reshape(-1, 3), np.zeros((1, 3))])


def _times(matrix: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Matrices [..., 3, 3] by vectors [..., 3], term by term: the same for one row as for many."""
    return matrix[..., 0] * x[..., :1] + matrix[..., 1] * x[..., 1:2] + matrix[..., 2] * x[..., 2:]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products [..., 3]."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], -1)
