"""World models of TorchRL (0.14) behind craik's interface. Of it only `tensordict` is imported, when a model is used.

There, modules read and write tensordicts by key: a `torchrl.modules.WorldModel` (`of_world_model`), or the parts of a
Dreamer whose dream is a `DreamerEnv` (`of_dreamer`). Whatever else is made of such modules: `Keyed`.

Modules that sample draw from torch's global generator. Around them it is set by the generator given (by 0 without
one) and then put back. So the same seed gives the same numbers; but what an `RSSMPrior` says without a generator is a
draw and not its mode, and depends on the other rows. Wire its mean as the state, `out_keys=["state", "_", "_",
"belief"]`, and it keeps craik's contract. Distributions of tensordict modules do give their mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from craik.core.spec import Spec
from craik.eval.foreign.keyed import Keyed


def of_world_model(model: Any, spec: Spec, size: int, seen: Mapping[str, str], **others: Any) -> Keyed:
    """A `torchrl.modules.WorldModel`: encoder, dynamics, reward head, and done head and decoder if it has them.

    Args:
        model: the model; what its encoder writes is called "latent".
        spec, seen: see `Keyed`.
        size: numbers of the latent.
        others: `drawn`, `prepare` and `restore` of `Keyed`.
    """
    return Keyed(spec, {"latent": size}, model.step_module, model.encoder, seen, decode=model.decoder, **others)


def of_dreamer(env: Any, encoder: Any, prior: Any, posterior: Any, spec: Spec, **others: Any) -> Keyed:
    """A Dreamer of TorchRL, put together as in its `sota-implementations/dreamer`.

    Args:
        env: its `DreamerEnv`; what is dreamt is said by `env.world_model`, and drawn by `env.obs_decoder`.
        encoder: ("next", observation) -> ("next", "encoded_latents").
        prior: "state", "belief", "action" -> ("next", "belief").
        posterior: ("next", "belief"), ("next", "encoded_latents") -> ("next", "state").
        spec: of the world.
        others: `seen`, `drawn`, `prepare` and `restore` of `Keyed`.
    """
    from tensordict.nn import TensorDictSequential

    carried = {"state": env.prior_shape[-1], "belief": env.belief_shape[-1]}
    see, begin = TensorDictSequential(encoder, prior, posterior), TensorDictSequential(encoder, posterior)
    return Keyed(spec, carried, env.world_model, see, begin=begin, decode=env.obs_decoder, **others)
