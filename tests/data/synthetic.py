import numpy as np
from gymnasium import spaces

from craik.core.spec import Spec
from craik.data.episode import Episode


def box(*shape):
    return spaces.Box(-np.inf, np.inf, shape, np.float32)


def make_spec(action=None, **obs):
    return Spec.of(spaces.Dict(obs or {"state": box(3)}), action or spaces.Box(-1, 1, (2,), np.float32))


def make_episode(spec, steps, seed=0, terminated=True, **meta):
    """An episode of random values that fits the spec."""
    rng = np.random.default_rng(seed)

    def draw(space, n):
        if isinstance(space, spaces.Box):
            if space.dtype == np.uint8:
                return rng.integers(0, 256, (n, *space.shape), dtype=np.uint8)
            return rng.standard_normal((n, *space.shape))
        if isinstance(space, spaces.Discrete):
            return rng.integers(space.start, space.start + space.n, n)
        return rng.integers(0, space.nvec, (n, *space.shape))

    end = np.arange(steps) == steps - 1
    obs = {k: draw(s, steps + 1) for k, s in spec.obs.spaces.items()}
    action, reward = draw(spec.action, steps), rng.standard_normal(steps)
    return Episode.of(spec, obs, action, reward, end & terminated, end & (not terminated), meta)


def same(a, b):
    """Whether two episodes are equal to the last bit."""
    x, y = a.arrays(), b.arrays()
    return (
        x.keys() == y.keys()
        and all(x[k].dtype == y[k].dtype and x[k].tobytes() == y[k].tobytes() and x[k].shape == y[k].shape for k in x)
        and a.meta == b.meta
    )
