"""Players without a model: formulas by slow twins, and that they get somewhere on a world that can be learned."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from craik.core.errors import UnknownName
from craik.eval.card.decisions import Budget, do_at_random
from craik.eval.card.exam import sit
from craik.eval.card.live import act_out
from craik.eval.players.grade import deciding
from craik.eval.players.iql import CLIP, ImplicitQ, expectile_loss
from craik.eval.players.learn import learn
from craik.eval.players.lessons import Lessons
from craik.eval.players.player import Actor, Eye
from craik.worlds import make
from craik.worlds.policies import Mixture, Seek
from craik.worlds.splits import splits
from craik.worlds.tiers import play

BOUNCE, ROOMS = "craik/Bounce-v0", "craik/Rooms-v0"


def test_the_expectile_loss_is_least_at_the_expectile():
    rng = np.random.default_rng(0)
    sample = rng.normal(size=400)
    for level in (0.5, 0.8, 0.95):
        tries = np.linspace(-2, 2, 2001)
        loss = [expectile_loss(torch.as_tensor(sample - x), level).mean().item() for x in tries]
        slow = [np.mean([abs(level - (s - x < 0)) * (s - x) ** 2 for s in sample]) for x in tries[::400]]
        np.testing.assert_allclose(loss[::400], slow)
        best = tries[int(np.argmin(loss))]
        above, below = (sample - best).clip(min=0).sum(), (best - sample).clip(min=0).sum()
        assert level * above == pytest.approx((1 - level) * below, rel=0.01)  # what defines the expectile
    assert expectile_loss(torch.tensor([2.0, -2.0]), 0.5).tolist() == [2.0, 2.0]


def test_the_losses_of_implicit_q_are_those_of_the_paper():
    torch.manual_seed(0)
    lessons = Lessons.of(make(BOUNCE), play(splits(BOUNCE)["train"], 0, rows=2))
    player = ImplicitQ(lessons, temperature=2.0)
    for weight in player.q.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    steps = lessons.steps(np.random.default_rng(0), 16, 0.5)
    found = {k: v.item() for k, v in player.loss(steps).items()}
    features, after = player.eye(steps.seen, steps.goal), player.eye(steps.after, steps.goal)
    action = player.actor.vector(steps.action)
    known = player.q.slow(torch.cat([features, action], 1))[..., 0]
    live = player.q.net(torch.cat([features, action], 1))[..., 0]
    value, later = player.value(features)[:, 0], player.value(after)[:, 0]
    gaps = [min(known[0, i].item(), known[1, i].item()) - value[i].item() for i in range(16)]
    spread = np.std(gaps, ddof=1)
    mean = player.actor.net(features).tanh()
    sums = {"value": 0.0, "q": 0.0, "actor": 0.0}
    for i, gap in enumerate(gaps):
        sums["value"] += (player.expectile if gap > 0 else 1 - player.expectile) * gap**2
        going = 0.0 if steps.terminated[i] else player.discount
        target = (1 - player.discount) * steps.reward[i] + going * later[i]
        sums["q"] += sum((live[k, i] - target).item() ** 2 for k in range(2))
        weight = min(np.exp(2.0 * gap / spread), CLIP)
        sums["actor"] += weight * steps.own[i].item() * 0.5 * (mean[i] - action[i]).square().sum().item()
    assert found == pytest.approx({k: v / 16 for k, v in sums.items()}, rel=1e-4)


def test_actors_know_numbers_and_choices_and_their_likelihood():
    torch.manual_seed(0)
    features = torch.randn(5, 3)
    several = spaces.MultiDiscrete([3, 2])
    actor, done = Actor(3, several), torch.tensor([[2, 1]] * 5)
    logits = actor.net(features)
    slow = [-(x[:3].softmax(0)[2].log() + x[3:].softmax(0)[1].log()).item() for x in logits]
    np.testing.assert_allclose(actor.unlikely(features, done).detach(), slow, rtol=1e-5)
    drawn = torch.stack([actor(features, torch.Generator().manual_seed(i)) for i in range(2000)])
    chance = logits[:, :3].softmax(1)
    often = torch.stack([(drawn[..., 0] == k).float().mean(0) for k in range(3)], 1)
    np.testing.assert_allclose(often, chance.detach(), atol=0.04)
    assert (actor(features, None)[:, 0] == chance.argmax(1)).all()
    numbers = Actor(3, spaces.Box(np.float32([0, -2]), np.float32([1, 2])))
    assert (numbers(features, None) >= torch.tensor([0.0, -2.0])).all()
    one = Actor(3, spaces.Discrete(4, start=2))
    assert set(one(features, torch.Generator().manual_seed(0)).tolist()) <= {2, 3, 4, 5}


def test_whole_numbers_are_seen_by_kind():
    tiles = "craik/Tiles-v0"
    lessons = Lessons.of(make(tiles), play(splits(tiles)["train"], 0, rows=2))
    eye = Eye(lessons)
    seen = torch.as_tensor(lessons.seen[:7])
    told = eye(seen, seen[:, :0])
    assert told.shape == (7, eye.size)
    assert set(told.unique().tolist()) <= {0.0, 1.0}
    assert (told.sum(1) == seen.shape[1]).all()


@pytest.fixture(scope="module")
def piloted():
    """Bounce, played by its pilot alone."""

    class Piloted(type(splits(BOUNCE)["train"])):
        def acting(self, world, seed):
            return Mixture(world, seed, [(1.0, Seek(world, seed, (1.0, 1.0)))])

    train = splits(BOUNCE)["train"]
    return Lessons.of(make(BOUNCE), play(Piloted(train.name, BOUNCE, train.seeds, {}), 0, rows=40))


def test_who_clones_a_perfect_pilot_reaches_goals(piloted):
    exam, budget = sit(BOUNCE, 24, seed=2_000_001, horizon=4, views=("state",)), Budget()
    player, facts = learn("clone", piloted, updates=500)
    done, chance = act_out(exam, budget.steps, deciding(player)), do_at_random(exam, budget)
    assert np.nanmean(done.success) > np.nanmean(chance.success) + 0.3
    assert facts["train_updates"] == 500
    assert facts["flops_train"] == 500 * facts["flops_update"] > 0


@pytest.fixture(scope="module")
def mixed():
    """Rooms, by the usual mixture of players."""
    return Lessons.of(make(ROOMS), (e for i in range(2) for e in play(splits(ROOMS)["train"], i)))


@pytest.mark.parametrize("name", ["clone", "iql"])
def test_each_is_clearly_better_than_chance(mixed, name):
    exam, budget = sit(ROOMS, 32, seed=2_000_001, horizon=4, views=("state",)), Budget()
    chance = do_at_random(exam, budget).value
    for seed in (1, 2):
        player, _ = learn(name, mixed, seed, updates=250)
        gain = act_out(exam, budget.steps, deciding(player)).value - chance
        assert gain.mean() > 2 * gain.std() / np.sqrt(len(gain))


def test_the_same_seed_gives_the_same_player(mixed):
    def weights(seed):
        torch.rand(3)
        return torch.cat([p.flatten() for p in learn("iql", mixed, seed, updates=3)[0].parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))
    with pytest.raises(UnknownName, match="did you mean clone"):
        learn("clon", mixed)
