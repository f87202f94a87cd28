"""Cards with scores made up for tests."""

from __future__ import annotations

import numpy as np

from craik.eval.bench.deck import Deck, Exercise
from craik.eval.card.card import VERSION, Card
from craik.eval.card.score import Score


def score(id, axis, values, *, more=False, floor=0.0, null=1.0, **more_of_it):
    nulls = {} if null is None else {"frozen": np.full(1, null)}
    floors = np.zeros(0) if floor is None else np.full(1, floor)
    return Score(id, axis, np.asarray(values, float), more, "made up", floor=floors, nulls=nulls, **more_of_it)


def card(name, scores, world="craik/Swing-v0", seed=1, instrument="told", **facts):
    told = {"evaluator": VERSION, "parameters": 7, "equality": "E1", "asked": {"S": 24}, "done": {"S": 24}}
    told |= {"split": "test-iid", "constants": "usual", "rule": "", "salt": 0} | facts
    return Card(name, world, seed, "smoke", instrument, tuple(scores), told)


def hand(name, *cards):
    return Deck(name, {Exercise.of(c): c for c in cards})
