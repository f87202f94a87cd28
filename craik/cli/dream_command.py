"""`craik dream`: film what a run's model imagines beside what happens."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import tyro

from craik.behave.agent import Player, Random
from craik.core.errors import CraikError
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.data.collect import Collector
from craik.data.episode import Episode
from craik.eval.drawn import learn_to_draw
from craik.eval.film import film, gif, mp4, png, strip
from craik.train.run import Run, load
from craik.worlds import make


def run(argv: list[str]) -> None:
    """Parses the command line and films."""
    tyro.cli(dream, args=argv, prog="craik dream")


def dream(
    path: tyro.conf.Positional[Path],
    context: int = 5,
    length: int = 64,
    seed: int = 1_000,
    drawing: int = 600,
) -> None:
    """Films a real episode, the model's dream of it under the same actions, and the difference.

    A model that draws nothing, or dreams in numbers, gets a small decoder first, learned on its latent.

    Args:
        path: the run's folder.
        context: steps the model watches before it is told only the actions.
        length: steps of the film.
        seed: of the episode.
        drawing: updates for such a decoder.
    """
    trained = load(path)
    if not trained.world:
        raise CraikError(f"{path} was trained from a data set: there is no world to film", "train one in a world")
    model: WorldModel = trained.model
    if "obs" in model.spec.reads and "pixels" in model.spec.obs.spaces:
        episode = record(trained, 1, seed, trained.config.obs)[0]
    else:
        print(f"{type(model).__name__} draws no pictures: teaching a small decoder to draw its latent ...")
        episodes = record(trained, 1_500, seed, "both")
        model, episode = learn_to_draw(model, episodes[1:], both(trained), updates=drawing, seed=seed), episodes[0]
    shown = film(model, episode, context=context, length=length)
    places = {"dream.png": png(strip(shown)), "dream.gif": gif(shown)}
    if find_spec("av"):
        places["dream.mp4"] = mp4(shown)
    for name, data in places.items():
        (path / name).write_bytes(data)
        print(f"filmed: {path / name}")


def both(trained: Run) -> Spec:
    """The spec of the run's world, shown as numbers and as pictures."""
    env = make(trained.world, 1, obs="both", size=trained.config.image_size)
    return Spec.of(env.single_observation_space, env.single_action_space)


def record(trained: Run, steps: int, seed: int, obs: str) -> list[Episode]:
    """At least `steps` steps of whole episodes in the run's world, half of them by its agent, half at random."""
    import torch

    env = make(trained.world, 2, obs=obs, size=trained.config.image_size)
    spec = Spec.of(env.single_observation_space, env.single_action_space)
    episodes: list[Episode] = []
    for agent in (trained.agent, Random(trained.spec)):
        generator = torch.Generator(trained.model.device).manual_seed(seed)
        player = Player(trained.model, agent, 2, generator=generator)
        collector = Collector(env, spec, player.act, seed)
        while sum(e.num_steps for e in episodes) < steps or not episodes:
            episodes += collector.collect(100)
        steps *= 2
    return episodes
