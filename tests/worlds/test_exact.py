"""What every exact world owes: determinism, independence of rows, forks, Gymnasium's manners."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from craik.core.errors import SpecError, UnknownName
from craik.worlds import ExactWorld, make
from craik.worlds.equations import Equations
from craik.worlds.ours import OURS
from craik.worlds.single import Single
from tests.worlds.ids import EXACT


def play(world, steps, seed=0):
    """Random actions [T, N, ...] and what came back: state, reward, terminated, truncated."""
    rng = np.random.default_rng(seed)
    told = []
    for _ in range(steps):
        action = some(world, rng)
        obs, reward, terminated, truncated, _ = world.step(action)
        told.append((obs, reward, terminated, truncated))
    return told


def some(world, rng):
    space = world.single_action_space
    if isinstance(space, gymnasium.spaces.Discrete):
        return rng.integers(0, space.n, world.num_envs)
    return rng.uniform(-1, 1, (world.num_envs, *space.shape)).astype(np.float32)


def same(a, b):
    for (obs, *rest), (obs2, *rest2) in zip(a, b, strict=True):
        for k in obs:
            np.testing.assert_array_equal(obs[k], obs2[k])
        for x, y in zip(rest, rest2, strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("id", [*EXACT, "craik/Counter-v0"])
def test_gymnasium_accepts_it(id):
    for obs in ("state", "both"):
        env = gymnasium.make(id, obs=obs, size=16)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            warnings.filterwarnings("ignore", message=".*(infinity|Casting|normalized|unable to render).*")
            check_env(env.unwrapped, skip_render_check=True)
    shown = gymnasium.make(id, render_mode="rgb_array")
    shown.reset(seed=1)
    assert shown.render().shape == (64, 64, 3)
    assert shown.render().dtype == np.uint8


@pytest.mark.parametrize("id", EXACT)
def test_same_seed_same_numbers_and_another_seed_others(id):
    one, two, other = (make(id, 3, seed=s, obs="both", size=32, max_steps=7) for s in (5, 5, 6))
    first = [w.reset()[0]["state"] for w in (one, two, other)]
    np.testing.assert_array_equal(first[0], first[1])
    assert (first[0] != first[2]).any(1).all()
    assert (first[0][0] != first[0][1]).any()
    same(play(one, 20), play(two, 20))


@pytest.mark.parametrize("id", EXACT)
def test_a_row_among_eight_equals_the_row_alone(id):
    many = make(id, 8, seed=3, obs="both", size=32, max_steps=9)
    many.reset()
    alone = [many.select([i]) for i in range(8)]
    rng = np.random.default_rng(1)
    for _ in range(25):  # over two resets
        action = some(many, rng)
        together = many.step(action)
        for i, world in enumerate(alone):
            by_itself = world.step(action[i : i + 1])
            for k in together[0]:
                np.testing.assert_array_equal(together[0][k][i], by_itself[0][k][0])
            for x, y in zip(together[1:4], by_itself[1:4], strict=True):
                np.testing.assert_array_equal(x[i], y[0])
    np.testing.assert_array_equal(make(id, 2, seed=3).reset()[0]["state"], make(id, 8, seed=3).reset()[0]["state"][:2])


@pytest.mark.parametrize("id", EXACT)
def test_every_view_of_a_row_among_many_is_that_of_the_row_alone(id):
    world = make(id, 5, seed=4, size=32, factors={k: (f.low, f.high) for k, f in make(id).FACTORS.items()})
    world.reset()
    play(world, 6)
    for name in ("pixels", *world.VIEWS):
        together = world.look(name, world.state, world.factors)
        for i in range(5):
            alone = world.look(name, world.state[i : i + 1], {k: v[i : i + 1] for k, v in world.factors.items()})
            np.testing.assert_array_equal(together[i], alone[0])
            if name != "pixels":
                assert world.view_space(name).contains(alone[0])


@pytest.mark.parametrize("id", EXACT)
def test_forks_share_a_past_and_nothing_else(id):
    world = make(id, 2, seed=1, max_steps=30)
    world.reset()
    play(world, 5)
    fork = world.fork(3)
    assert fork.num_envs == 6
    np.testing.assert_array_equal(fork.state, np.repeat(world.state, 3, 0))
    before = world.get_state()
    rng = np.random.default_rng(2)
    for _ in range(40):  # past a reset: the sources of randomness were copied as well
        action = np.repeat(some(world, rng), 3, 0)
        obs, *_ = fork.step(action)
        np.testing.assert_array_equal(obs["state"][::3], obs["state"][1::3])
    np.testing.assert_array_equal(world.get_state().state, before.state)
    assert world.get_state().rng == before.rng
    branch = world.fork(2)
    for _ in range(8 if world.LUCKY else 1):  # where chance has a part, not every choice changes something at once
        branch.step(some(branch, rng))
    assert (branch.state[0] != branch.state[1]).any()


@pytest.mark.parametrize("id", EXACT)
def test_going_back_is_going_on(id):
    world = make(id, 3, seed=4, max_steps=8)
    world.reset()
    play(world, 4)
    point = world.get_state()
    future = play(world, 12, seed=9)
    world.set_state(point)
    same(future, play(world, 12, seed=9))
    other = make(id, 3, max_steps=8)
    other.set_state(point)
    same(future, play(other, 12, seed=9))
    with pytest.raises(SpecError, match="snapshot"):
        make(id, 2).set_state(point)


@pytest.mark.parametrize("id", EXACT)
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_autoreset_is_gymnasiums(id, mode):
    ours = make(id, 3, autoreset=mode, max_steps=4)
    theirs = SyncVectorEnv([lambda: Single(id, max_steps=4)] * 3, autoreset_mode=mode)
    assert ours.metadata["autoreset_mode"] is mode
    seeds = [7, 8, 9]
    np.testing.assert_array_equal(ours.reset(seed=seeds)[0]["state"], theirs.reset(seed=seeds)[0]["state"])
    rng = np.random.default_rng(0)
    for t in range(11):
        if mode is AutoresetMode.DISABLED and t and t % 4 == 0:
            with pytest.raises(SpecError, match="over"):
                ours.step(some(ours, rng))
            mask = {"reset_mask": np.ones(3, bool)}
            a, b = ours.reset(options=dict(mask))[0], theirs.reset(options=dict(mask))[0]
            np.testing.assert_array_equal(a["state"], b["state"])
        action = some(ours, rng)
        a, b = ours.step(action), theirs.step(action)
        np.testing.assert_array_equal(a[0]["state"], b[0]["state"])
        for x, y in zip(a[1:4], b[1:4], strict=True):
            np.testing.assert_allclose(x, y)
        assert ("final_obs" in a[4]) == ("final_obs" in b[4])
        if "final_obs" in a[4]:
            np.testing.assert_array_equal(a[4]["_final_obs"], b[4]["_final_obs"])
            for x, y in zip(a[4]["final_obs"], b[4]["final_obs"], strict=True):
                np.testing.assert_array_equal(x["state"], y["state"])
            for k in b[4]["final_info"]:
                np.testing.assert_array_equal(a[4]["final_info"][k], b[4]["final_info"][k])


@pytest.mark.parametrize("id", EXACT)
def test_only_masked_rows_start_over(id):
    world = make(id, 3, seed=2)
    world.reset()
    play(world, 3)
    before = world.state.copy()
    world.reset(options={"reset_mask": np.array([False, True, False])})
    assert (world.state[1] != before[1]).any()
    np.testing.assert_array_equal(world.state[[0, 2]], before[[0, 2]])
    assert world.steps.tolist() == [3, 0, 3]


@pytest.mark.parametrize("id", EXACT)
def test_numbers_tell_the_state(id):
    world = make(id, 4, seed=2)
    world.reset()
    play(world, 10)
    seen = world.numbers(world.state)
    np.testing.assert_allclose(world.numbers(world.invert(seen)), seen, atol=1e-12)
    assert world.single_observation_space["state"].contains(world.observe()["state"][0])


@pytest.mark.parametrize("id", EXACT)
def test_pixels_and_numbers_are_of_one_state(id):
    seen, drawn, both = (make(id, 2, seed=8, obs=obs) for obs in ("state", "pixels", "both"))
    for world in (seen, drawn, both):
        world.reset()
    a, b, c = (play(world, 3)[-1][0] for world in (seen, drawn, both))
    np.testing.assert_array_equal(a["state"], c["state"])
    np.testing.assert_array_equal(b["pixels"], c["pixels"])
    assert set(a) == {"state"}
    assert set(b) == {"pixels"}
    np.testing.assert_array_equal(both.render(), c["pixels"])


@pytest.mark.parametrize("id", EXACT)
def test_start_and_goal_can_be_chosen(id):
    source = make(id, 2, seed=8, obs="both")
    source.reset()
    play(source, 3)
    world = make(id, 2, obs="both")
    obs, _ = world.reset(options={"state": source.state, "goal": source.state})
    np.testing.assert_array_equal(obs["state"], source.observe()["state"])
    if world.HAS_GOAL:
        for k, v in world.goal_obs().items():
            np.testing.assert_array_equal(v, obs[k])
        assert world.success().all()
    else:
        assert not world.success().any()


@pytest.mark.parametrize("id", EXACT)
def test_factors_are_fixed_or_drawn(id):
    name, factor = next(iter(make(id).FACTORS.items()))
    world = make(id, 6, seed=1, factors={name: (factor.low, factor.high)})
    world.reset()
    assert len(set(world.factors[name])) == 6
    assert ((factor.low <= world.factors[name]) & (world.factors[name] <= factor.high)).all()
    fixed = make(id, 2, factors={name: factor.high})
    fixed.reset()
    assert (fixed.factors[name] == factor.high).all()
    fixed.reset(options={"factors": {name: np.array([factor.low, factor.high])}})
    assert fixed.factors[name].tolist() == [factor.low, factor.high]
    with pytest.raises(UnknownName, match="factor"):
        make(id, factors={"gravty": 1.0})


@pytest.mark.parametrize("id", EXACT)
def test_episodes_are_cut_or_end_and_pay_what_is_said(id):
    world = make(id, 2, seed=0)
    if type(world).proceed is not Equations.proceed:
        pytest.skip("a world whose episodes can end: its own tests say when")
    world.reset()
    low, high = world.PAYS
    for t in range(1, world.max_steps + 1):
        _, reward, terminated, truncated, _ = world.step(np.zeros_like(some(world, np.random.default_rng(0))))
        assert ((reward >= low) & (reward <= high)).all()
        assert truncated.all() == (t == world.max_steps)
        np.testing.assert_array_equal(terminated, ~world.proceed(world.state))
        if terminated.any():
            assert world.ENDS
            break


@pytest.mark.parametrize("id", ["craik/Swing-v0", "craik/SwingBins-v0", "craik/Push-v0"])
def test_wrong_actions_are_refused(id):
    world = make(id, 3, seed=0)
    world.reset()
    good = some(world, np.random.default_rng(0))
    with pytest.raises(SpecError, match="shape"):
        world.step(good[:2])
    if good.dtype == np.float32:
        good[1] = np.nan
        with pytest.raises(SpecError, match=r"worlds \[1\] are not finite"):
            world.step(good)
    else:
        with pytest.raises(SpecError, match=r"not all in 0 \.\. 2"):
            world.step(good * 0 + 3)


def test_exact_worlds_are_exact_worlds():
    assert all(isinstance(make(id), ExactWorld) for id, entry in OURS.items() if entry.exact)
