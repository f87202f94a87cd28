"""A CHECK whose trials do what their names say."""

import os
import signal

from craik.core.card import Card
from craik.eval.check import Check, Claim, Trial

CARD = Card("toy", "Toy", "A. Body", 2020, "none", "", "none", "none", (), "implicit")


def good(seed):
    return {"score": 10.0 + seed % 10, "base": 1.0}


def crash(seed):
    if seed == 102:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"score": 1.0}


def error(seed):
    raise ValueError("no such luck")


def endless(seed):
    while True:
        pass


def claim(over, **settings):
    return Claim("score", over, "the score beats it", **settings)


CHECK = Check(
    (
        Trial("good", "none", good, (claim("base", margin=5.0),), 1.0),
        Trial("poor", "none", good, (claim(100.0),), 1.0),
        Trial("crash", "none", crash, (claim(0.0),), 1.0),
        Trial("error", "none", error, (claim(0.0),), 1.0),
        Trial("endless", "none", endless, (claim(0.0),), 0.005),
    ),
    seeds=(101, 102),
)
