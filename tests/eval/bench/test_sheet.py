"""Tables of cards: trainings of one model share a row, and the interval knows that they differ."""

import numpy as np

from craik.eval.bench.sheet import estimate, rows, sheet
from tests.eval.bench.made_up import card, hand, score


def trained(name, seed, level):
    values = np.random.default_rng(seed).normal(level, 0.1, 24)
    scores = [score("state.err@8:ar", "S", values), score("dec.regret:cl", "D", [level] * 8)]
    return hand(f"{name}-{seed}", card(f"{name}-{seed}", scores, train_seed=seed))


HANDS = [trained("one", 1, 0.2), trained("one", 2, 0.6), trained("other-2", 1, 0.5), hand("frozen", card("frozen", []))]


def test_trainings_share_a_row_and_nobody_else_does():
    (asked,) = HANDS[0].cards
    assert [(row.name, len(row.cards)) for row in rows(HANDS, asked)] == [("one", 2), ("other-2", 1), ("frozen", 1)]


def test_an_interval_over_trainings_is_wider_than_over_moments():
    one, two = (next(iter(h.cards.values()))["state.err@8:ar"] for h in HANDS[:2])
    alone, both = estimate([one]), estimate([one, two])
    assert (alone.n, both.n) == (1, 2)
    assert np.isclose(both.value, (one.mean + two.mean) / 2)
    assert both.low < one.mean + 0.05
    assert both.high > two.mean - 0.05
    assert alone.high - alone.low < 0.2 < both.high - both.low
    assert np.allclose([alone.low, alone.high], [one.interval().low, one.interval().high], atol=0.01)


def test_the_table_tells_every_model_once():
    text = sheet(HANDS, "Cards")
    assert text.startswith("# Cards\n\n## swing")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in lines] == [
        *("| model", "| ---", "| one", "| other-2", "| frozen"),
        *("| copy-last", "| the truth, told"),
    ]
    assert "| one | 2 |" in text
    assert "0.4 (0.2 to 0.6)" in lines[2]
