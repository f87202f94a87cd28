"""The cards in `evidence/cards`: the page shows them as they are, and three trainings of every model."""

from pathlib import Path

import numpy as np
import pytest

from craik.eval.bench.deck import Deck, decks
from craik.eval.bench.sheet import family, sheet

HERE = Path(__file__).parents[3]
PAGE, CARDS = HERE / "docs" / "first-cards.md", HERE / "evidence" / "cards"


@pytest.fixture(scope="module")
def found() -> list[Deck]:
    return decks([CARDS])


@pytest.mark.slow
def test_the_page_shows_what_the_cards_say(found):
    text = PAGE.read_text()
    shown = text[text.index("<!-- cards") : text.index("<!-- /cards")].partition("-->\n")[2]
    assert shown.strip() == sheet(found, "").removeprefix("# ").strip()


def test_every_model_was_trained_three_times_on_one_tier_and_asked_the_same(found):
    told: dict[tuple[str, str], list[dict]] = {}
    for deck in found:
        for exercise, card in deck.cards.items():
            told.setdefault((family(card), exercise.world), []).append(dict(card.facts))
    assert {world for _, world in told} == {
        "craik/Bounce-v0",
        "craik/Push-v0",
        "craik/Tiles-v0",
        "craik/RayFind-v0",
    }
    for facts in told.values():
        assert sorted(f["train_seed"] for f in facts) == [1, 2, 3]
        assert len({f["train_updates"] for f in facts}) == 1
        assert {(f["split"], f["equality"]) for f in facts} == {("test-iid", "E1")}
        assert len({f["data"] for f in facts}) == 1
    models = {name for name, _ in told}
    assert models == {"dreamer_v3", "td_mpc2", "le_wm", "clone", "iql"}
    assert len(told) == 4 * len(models)


def test_who_ignores_actions_looks_good_nowhere_that_matters(found):
    """The null that hears no action has the truth's own laws, and still gets nothing for actions and decisions."""
    for deck in found:
        for card in deck.cards.values():
            for score in card.scores:
                if score.id in ("act.effect_r2@8:ar", "dec.policy_r:ar"):
                    assert np.allclose(score.nulls["ignored"], 0, atol=1e-9)
                if score.id == "dec.regret:cl":
                    null, random = (np.nanmean(score.nulls[k]) for k in ("ignored", "random"))
                    assert null > 0.5 * random
