"""The loop: gather and learn, or learn from what there is; report, evaluate, checkpoint, stop, and go on."""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from craik.behave.agent import Player
from craik.core import tree
from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.data.collect import Act, Collector
from craik.data.episode import Episode
from craik.data.replay import Replay
from craik.train import checkpoint, crash
from craik.train.guard import Diverged
from craik.train.learner import Learner
from craik.train.log import JsonLines, Listener, Meter
from craik.train.run import Run
from craik.train.stop import Signals, Stopped

SAVES_MISSED = 3
"""Checkpoints in a row that may fail for want of space before the run stops."""

SOURCES = ("model", "learner", "sampler", "worlds", "player")
"""What draws random numbers in a run; each has a seed of its own, derived from the run's."""

Open = Callable[[Act | None, int], Collector]
"""Opens freshly made worlds and a collector over them, from what acts (None: at random) and a seed."""

Evaluate = Callable[[Run], Mapping[str, float]]
"""Judges a run so far: named figures. It must draw from generators of its own."""


def derive(seed: int, source: str, count: int = 0) -> int:
    """The seed of one of `SOURCES`, for the count-th time it is seeded in a run."""
    entropy = [seed, SOURCES.index(source), count]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint32)[0])


class Loop:
    """Trains a run; online with `worlds`, offline without.

    A run is cut into segments, one between any two checkpoints. A segment begins with worlds, player and collector
    made anew from (seed, number of the segment), whether the process went on or another one resumed; unfinished
    episodes are cut at its end, as truncated. So on a CPU a run that stops at a checkpoint and is resumed equals one
    that was never stopped, bit for bit; offline that holds wherever it stops.

    Args:
        run: what to train; its path says where to keep checkpoints, None for nowhere.
        learner: of the run's model and agent.
        replay: what to sample from.
        worlds: opens a segment's worlds; None to learn from the replay as it is.
        listeners: get a report now and then.
        report_every: updates between two reports.
        evaluate: called at every checkpoint.
    """

    def __init__(
        self,
        run: Run,
        learner: Learner,
        replay: Replay,
        worlds: Open | None = None,
        *,
        listeners: Sequence[Listener] = (),
        report_every: int = 25,
        evaluate: Evaluate | None = None,
    ):
        self.run, self.learner, self.replay, self.worlds = run, learner, replay, worlds
        self.training, self.report_every, self.evaluate = run.training, report_every, evaluate
        self.rng = np.random.default_rng(derive(run.config.seed, "sampler"))
        self.segment = self.saved = self._missed = 0
        self.prefilled: int | None = None  # steps gathered before the first update, once that is over
        self.meter = Meter()
        self.log = JsonLines(run.path / "log.jsonl") if run.path is not None else None
        self.listeners = [*([self.log] if self.log else []), *listeners]
        self._collector: Collector | None = None
        self._modules = [*run.model.modules(), *run.agent.modules()]
        self._learning: bool | None = None
        self._buffers: deque[Batch] = deque(maxlen=3)
        self._drawn: deque[dict[str, Any]] = deque(maxlen=3)
        self._newest = replay.ids[-1] if len(replay) else None

    @property
    def total_updates(self) -> int:
        """Updates this run is to make."""
        return self.training.num_updates(self.worlds is not None, self.prefilled)

    def train(self) -> None:
        """Trains to the end, or until a signal asks to stop.

        Raises:
            Stopped: after a signal, when all is saved.
            Diverged: if training left the finite; a report is in `crash/`.
            CheckpointError: if checkpoints cannot be written.
        """
        signals = Signals()
        with signals if self.run.path is not None else _Deaf() as stop:
            try:
                self._prefill(stop)
                while self.run.updates < self.total_updates:
                    while self._due() > 0:
                        self._update()
                        if self.run.updates % self.run.config.every == 0:
                            self._boundary()
                        self._heed(stop)
                    if self.run.updates < self.total_updates:
                        self._gather(self.training.num_envs)
                        self._heed(stop)
                if self.saved < self.run.updates or self.run.updates == 0:
                    self._boundary()
                self._report("done")
            except Diverged as error:
                crash.write(self.run, error, self._drawn, self._buffers)
                raise
            finally:
                self._close()

    def _due(self) -> int:
        """Updates owed to the environment steps taken so far; none yet while the replay is too short for one row."""
        if self.worlds is None:
            return self.total_updates - self.run.updates
        assert self.prefilled is not None
        if self.replay.num_steps + len(self.replay) <= self.training.length:
            return 0
        earned = int((self.run.steps - self.prefilled) * self.training.ratio + 1e-9)
        return min(earned, self.total_updates) - self.run.updates

    def _prefill(self, stop: Signals) -> None:
        """Gathers at random before anything is learned."""
        if self.worlds is None or self.prefilled is not None:
            return
        goal = min(self.training.prefill, self.training.steps)
        while self.run.steps < goal:
            self._gather(min(256, goal - self.run.steps))
            self._report("prefill")
            self._heed(stop)
        self._cut()
        self.prefilled = self.run.steps

    def _gather(self, num_steps: int) -> None:
        """Takes some steps in the worlds; the episodes that end go to the replay."""
        self._mode(learning=False)
        began = time.perf_counter()
        collector = self._collector or self._open()
        before = collector.num_steps
        for episode in collector.collect(num_steps):
            self._keep(episode)
        taken = collector.num_steps - before
        self.run.steps += taken
        self.meter.gathered(taken, time.perf_counter() - began)

    def _open(self) -> Collector:
        assert self.worlds is not None
        seed, act = self.run.config.seed, None
        if self.prefilled is not None:
            generator = torch.Generator(self.run.model.device).manual_seed(derive(seed, "player", self.segment))
            player = Player(self.run.model, self.run.agent, self.training.num_envs, generator=generator, explore=True)
            act = _where_the_model_is(player, self.run.model)
        self._collector = self.worlds(act, derive(seed, "worlds", self.segment))
        return self._collector

    def _keep(self, episode: Episode) -> None:
        self._newest = self.replay.add(episode)
        self.meter.episode(float(episode.reward.sum()))

    def _cut(self) -> None:
        """Ends the segment: unfinished episodes are kept as far as they went, and the worlds closed."""
        if self._collector is not None:
            for episode in self._collector.flush():
                self._newest = self.replay.add(episode)
        self._close()
        self.segment += 1

    def _close(self) -> None:
        if self._collector is not None:
            self._collector.env.close()
            self._collector = None

    def _update(self) -> None:
        self._mode(learning=True)
        began = time.perf_counter()
        self._drawn.append({"rng": self.rng.bit_generator.state, "of": len(self.replay), "newest": self._newest})
        old = self._buffers.popleft() if len(self._buffers) == self._buffers.maxlen else None
        batch = self.replay.sample(self.training.batch, self.training.length, self.rng, out=old)
        self._buffers.append(batch)
        device = self.run.model.device
        losses = self.learner.update(batch if device.type == "cpu" else batch.to(device))
        self.run.updates += 1
        self.meter.learned(losses, time.perf_counter() - began)
        if self.run.updates % self.report_every == 0:
            self._report("train")

    def _mode(self, *, learning: bool) -> None:
        """Training or evaluation mode for all modules, without walking the tree each time."""
        if self._learning is not learning:
            self._learning = learning
            for module in self._modules:
                module.training = learning

    def _boundary(self) -> None:
        """Ends a segment: cuts, evaluates, checkpoints."""
        self._cut()
        if self.evaluate is not None:
            self._mode(learning=False)
            self._report("train", self.evaluate(self.run))
        self._save()

    def _heed(self, stop: Signals) -> None:
        if stop.noted is None:
            return
        if self.saved < self.run.updates or not self.run.updates:
            self._cut()
            self._save(stopping=True)
        place = f"{self.run.path} at update {self.run.updates}, environment step {self.run.steps}"
        raise Stopped(stop.noted, f"stopped and saved in {place}; the same command goes on from there")

    def _save(self, *, stopping: bool = False) -> None:
        if self.run.path is None:
            return
        bad = self.learner.not_finite()
        if bad is not None:
            raise Diverged(f"{bad} is not finite at update {self.run.updates}", self.learner.guard.bundle())
        folder = self.run.path / "checkpoints"
        try:
            checkpoint.save(folder, self.run.updates, self.learner.tensors(), self.facts())
            self.saved, self._missed = self.run.updates, 0
        except checkpoint.DiskFull as error:
            self._missed += 1
            if stopping or self._missed >= SAVES_MISSED:
                raise
            warnings.warn(f"going on without this checkpoint: {error.what}", stacklevel=2)
            assert self.log is not None
            self.log.event("no space", updates=self.run.updates, what=error.what)

    def _report(self, phase: str, figures: Mapping[str, float] | None = None) -> None:
        steps = (self.run.steps, self.training.steps if self.worlds is not None else 0)
        progress = self.meter.report(phase, steps, (self.run.updates, self.total_updates), figures or {})
        for listener in self.listeners:
            listener(progress)

    def facts(self) -> dict[str, Any]:
        """Everything beside tensors that an exact resume needs, ready for JSON."""
        return {
            "learner": self.learner.facts(),
            "loop": {
                "steps": self.run.steps,
                "updates": self.run.updates,
                "segment": self.segment,
                "prefilled": self.prefilled,
            },
            "meter": self.meter.state_dict(),
            "replay": self.replay.state_dict(),
            "sampler": self.rng.bit_generator.state,
        }

    def resume(self, tensors: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Takes over from a checkpoint.

        Raises:
            CheckpointError: if it is of another model.
            DataError: if episodes of the replay are gone.
        """
        self.learner.load_state_dict({"tensors": tensors, "facts": facts["learner"]})
        self.replay.load_state_dict(facts["replay"])
        self._newest = self.replay.ids[-1] if len(self.replay) else None
        self.rng.bit_generator.state = facts["sampler"]
        self.meter.load_state_dict(facts["meter"])
        loop = facts["loop"]
        self.run.steps, self.run.updates = loop["steps"], loop["updates"]
        self.segment, self.prefilled, self.saved = loop["segment"], loop["prefilled"], loop["updates"]
        if self.log is not None:
            self.log.event("resume", updates=self.run.updates, steps=self.run.steps)


class _Deaf(Signals):
    """Takes no signals: a run in memory has nothing to save."""

    def __enter__(self) -> Signals:
        return self


def _where_the_model_is(player: Player, model: WorldModel) -> Act:
    """`player.act`, with what it sees brought to the model's device."""
    device = model.device
    if device.type == "cpu":
        return player.act
    return lambda obs, first: player.act(tree.to(obs, device), first.to(device))
