"""The contract: the manners every world model keeps, whatever its family.

Contracts prove manners, not mathematics: that the future does not leak, that episodes end, that what is saved comes
back. A recipe that need not keep a clause says so in its module: `NOT_CLAIMED = {"clause": "reason"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch

from craik.behave.agent import Agent
from craik.core.errors import UnknownName
from craik.core.model import WorldModel
from craik.eval.contract import acting, beliefs, chance, learning, saving, time
from craik.eval.contract.clause import Case, Clause, ContractError, Report, Verdict, judge
from craik.eval.contract.specs import KINDS, case_of, kinds_taken, spec_of

CONTRACT = (
    Clause(saving.builds_as_it_says),
    Clause(learning.losses_have_their_shape),
    Clause(learning.losses_are_finite),
    Clause(learning.losses_are_named),
    Clause(learning.every_parameter_learns),
    Clause(learning.updates_stay_finite),
    Clause(learning.bfloat16_stays_finite),
    Clause(learning.overfits_one_batch, slow=True),
    Clause(beliefs.state_never_grows),
    Clause(beliefs.state_is_a_tree),
    Clause(beliefs.arguments_are_left_alone),
    Clause(beliefs.null_action_is_accepted),
    Clause(beliefs.reads_what_it_claims),
    Clause(beliefs.readings_fit_the_spec),
    Clause(time.future_does_not_leak),
    Clause(time.loss_does_not_look_ahead),
    Clause(time.episodes_are_forgotten),
    Clause(time.rows_do_not_mix),
    Clause(time.action_matters),
    Clause(time.rollout_equals_steps),
    Clause(time.follow_equals_observing),
    Clause(chance.same_seed_same_numbers),
    Clause(chance.modes_without_a_generator),
    Clause(chance.global_generators_are_untouched),
    Clause(saving.saves_bit_by_bit),
    Clause(acting.acts_inside_the_space),
    Clause(acting.actors_do_not_mix),
)
"""Every clause, in the order in which they are best mended."""

__all__ = [
    "CONTRACT",
    "KINDS",
    "Case",
    "Clause",
    "ContractError",
    "Report",
    "Verdict",
    "case_of",
    "check",
    "examine",
    "kinds_taken",
    "spec_of",
]


def check(
    model: WorldModel,
    agent: Agent | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    build: Callable[[], tuple[WorldModel, Agent | None]] | None = None,
    clauses: Iterable[str] | None = None,
    not_claimed: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Report:
    """Puts a model, and its agent if it has one, to the contract. Neither is changed.

    Args:
        model: any world model; a small one is quickest.
        agent: what acts with it; without one the clauses about agents are not asked.
        weights: loss name -> weight, as in `training(cfg).weights`; without it every loss weighs 1.
        build: makes the model and the agent anew; without it nothing can be said about saving.
        clauses: names of the clauses to put; all of them by default.
        not_claimed: clause name -> why this model need not keep it.
        seed: of the made-up experience and of every generator.

    Returns:
        The verdicts, a table when printed; `.require()` raises if any clause is broken.

    Raises:
        UnknownName: if a clause named does not exist.
    """
    return examine(Case(model, agent, weights, build, seed), clauses, not_claimed)


def examine(case: Case, clauses: Iterable[str] | None = None, not_claimed: Mapping[str, str] | None = None) -> Report:
    """`check` for a case that is already made up (`case_of` makes one of a recipe)."""
    known = {clause.name: clause for clause in CONTRACT}
    names, declined = tuple(known if clauses is None else clauses), dict(not_claimed or {})
    for name in (*names, *declined):
        if name not in known:
            raise UnknownName("clause", name, known)
    modules = [m for m in (case.model, case.agent) if m]
    training = [m.training for m in modules]
    try:
        for module in modules:
            module.eval()
        with torch.no_grad():
            return judge(tuple(known[name] for name in names), case, declined)
    finally:
        for module, mode in zip(modules, training, strict=True):
            module.train(mode)
