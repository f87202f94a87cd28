"""Impulses of balls and boxes against a slow twin, contact by contact: the same numbers to the last bit."""

import math

import numpy as np

from craik.worlds import bodies, make
from craik.worlds.blocks import matter, unpacked
from craik.worlds.bodies import ROUNDS
from craik.worlds.contacts import NUM, find, matrices


def dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a, b):
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def times(m, x):
    return m[:, 0] * x[0] + m[:, 1] * x[1] + m[:, 2] * x[2]


class Slow:
    """One group of contacts of one scene."""

    def __init__(self, scene, stuff, found):
        self.found, self.bodies = found, [(a, b) for a, b in zip(found.first, found.second)]
        turn = matrices(scene.turn)
        light = ((turn / stuff.inertia()[:, :, None, :]) @ turn.swapaxes(2, 3))[0]
        self.light = [*light, np.zeros((3, 3))]
        self.mass = [np.full(3, 1 / m) for m in stuff.masses()[0]] + [np.zeros(3)]
        self.mass[0][2] = 0
        self.at = [*scene.at[0], None]
        self.count = [sum(b == k for pair in self.bodies for b in pair) for k in range(NUM)] + [0]
        self.heavy = [self.inverse(k, found.normal[k]) for k in range(len(self.bodies))]
        self.pressed, self.rubbed = [0.0] * len(self.bodies), [0.0] * len(self.bodies)

    def arm(self, k, body):
        return np.zeros(3) if body == NUM else self.found.point[k] - self.at[body]

    def inverse(self, k, way):
        total = 0.0
        for body in self.bodies[k]:
            lever = cross(self.arm(k, body), way)
            total += self.count[body] * (dot(self.mass[body] * way, way) + dot(times(self.light[body], lever), lever))
        return max(total, 1e-12)

    def relative(self, k, speed, spin):
        a, b = self.bodies[k]
        past = speed[a] + cross(spin[a], self.arm(k, a))
        return past - speed[b] - cross(spin[b], self.arm(k, b))

    def apply(self, speed, spin, impulses):
        for side, sign in ((0, 1.0), (1, -1.0)):
            pushed, turned = np.zeros((2, NUM + 1, 3))
            for k, impulse in enumerate(impulses):
                body = self.bodies[k][side]
                pushed[body] += self.mass[body] * impulse * sign
                turned[body] += times(self.light[body], cross(self.arm(k, body), impulse)) * sign
            speed += pushed
            spin += turned

    def solve(self, speed, spin, target, rub):
        normal, pushes, holds = self.found.normal, [], []
        for k in range(len(self.bodies)):
            into = dot(self.relative(k, speed, spin), normal[k])
            push = (min(target[k], -into) - into) / self.heavy[k] if into < 0 else 0.0
            self.pressed[k] += push
            pushes.append(push * normal[k])
        self.apply(speed, spin, pushes)
        if not any(rub):
            return
        for k in range(len(self.bodies)):
            slip = self.relative(k, speed, spin)
            slip = slip - dot(slip, normal[k]) * normal[k]
            fast = math.sqrt(dot(slip, slip))
            way = slip / max(fast, 1e-12)
            hold = min(rub[k] * self.pressed[k] - self.rubbed[k], fast / self.inverse(k, way))
            self.rubbed[k] += hold
            holds.append(-hold * way)
        self.apply(speed, spin, holds)


def slow(scene, stuff, found):
    """Speeds [B, 3] and spins after the impulses, before anything is stopped or cut off."""
    speed, spin = (np.concatenate([x[0], np.zeros((1, 3))]) for x in (scene.speed, scene.spin))
    groups = [Slow(scene, stuff, part) for part in bodies._grouped(found, 1)]
    told = []
    for group in groups:
        into = [dot(group.relative(k, speed, spin), group.found.normal[k]) for k in range(len(group.bodies))]
        target = [-stuff.restitution[0] * x if x < -bodies.BOUNCE else 0.0 for x in into]
        told.append((group, target, [0.0 if s else stuff.friction[0] for s in group.found.slippery]))
    for _ in range(ROUNDS):
        for group, target, rub in told:
            group.solve(speed, spin, target, rub)
    return speed[:-1], spin[:-1]


def test_impulses_are_those_of_the_slow_twin(monkeypatch):
    monkeypatch.setattr(bodies, "IDLE", 0.0)
    world = make("craik/Blocks-v0", 6, seed=4, factors={"mass": 2.0})
    world.reset()
    world.action_space.seed(1)
    contacts = changed = 0
    for _ in range(8):
        world.step(world.action_space.sample())
        for row in range(6):
            scene = unpacked(world.state[row : row + 1])
            stuff = matter({k: v[row : row + 1] for k, v in world.factors.items()})
            scene.speed[:, 1:, 2] -= 0.1  # so that what stands presses
            found = find(scene, stuff)
            after, (speed, spin) = bodies._meet(scene, stuff, found), slow(scene, stuff, found)
            np.testing.assert_array_equal(after.speed[0], np.clip(speed, -bodies.TOP, bodies.TOP))
            np.testing.assert_array_equal(after.spin[0], np.clip(spin, -bodies.SPIN, bodies.SPIN))
            contacts, changed = contacts + len(found.first), changed + (speed != scene.speed[0]).any()
    assert contacts > 200
    assert changed == 48
