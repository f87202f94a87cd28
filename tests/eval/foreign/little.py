"""Little models with the interfaces that stable-worldmodel publishes, written from its files at version 0.1.1."""

from __future__ import annotations

import torch
from torch import nn


class Embedded(nn.Module):
    """`LeWM`, as in stable_worldmodel/wm/lewm/lewm.py: `encode`, `predict` and `action_encoder`.

    Predictors there take at most `num_frames` frames and know their place in the window (`pos_embedding`).
    """

    def __init__(self, side: int, actions: int, width: int = 8, num_frames: int = 3):
        super().__init__()
        self.eye = nn.Linear(3 * side * side, width)
        self.action_encoder = nn.Linear(actions, width)
        self.place = nn.Parameter(torch.randn(1, num_frames, width))
        self.mix = nn.Linear(2 * width, width)

    def encode(self, info):
        info["emb"] = self.eye(info["pixels"].flatten(2))
        if "action" in info:
            info["act_emb"] = self.action_encoder(info["action"])
        return info

    def predict(self, emb, act_emb):
        x = emb + self.place[:, : emb.shape[1]]
        past = x.cumsum(1) / torch.arange(1, x.shape[1] + 1)[:, None]  # every frame sees itself and those before
        return torch.tanh(self.mix(torch.cat([past, act_emb], -1)))


class Tied(nn.Linear):
    """An encoder of what is beside the picture; `PreJEPA` asks for its `emb_dim`."""

    @property
    def emb_dim(self) -> int:
        return self.out_features


class Patched(nn.Module):
    """`PreJEPA`, as in stable_worldmodel/wm/prejepa/prejepa.py: four patches, the action's embedding beside each."""

    def __init__(self, side: int, extra: dict[str, int], width: int = 6):
        super().__init__()
        self.eye = nn.Linear(3 * side * side // 4, width)
        self.extra_encoders = nn.ModuleDict({k: Tied(n, 4) for k, n in extra.items()})
        self.predictor = nn.Linear(width + 4 * len(extra), width + 4 * len(extra))

    def encode(self, info):
        b, t, c, h, w = info["pixels"].shape
        parts = info["pixels"].reshape(b, t, c, 2, h // 2, 2, w // 2).permute(0, 1, 3, 5, 2, 4, 6).reshape(b, t, 4, -1)
        beside = [self.extra_encoders[k](info[k])[:, :, None].expand(-1, -1, 4, -1) for k in self.extra_encoders]
        info["emb"] = torch.cat([self.eye(parts), *beside], -1)
        return info

    def replace_action_in_embedding(self, embedding, act):
        start = embedding.shape[-1] - 4 * len(self.extra_encoders) + 4 * list(self.extra_encoders).index("action")
        told = self.extra_encoders["action"](act)[:, :, :, None].expand(-1, -1, -1, embedding.shape[3], -1)
        return torch.cat([embedding[..., :start], told, embedding[..., start + 4 :]], -1)

    def predict(self, embedding):
        return torch.tanh(self.predictor(embedding.mean(1, keepdim=True) + embedding))


class Valued(nn.Module):
    """`TDMPC2`, as in stable_worldmodel/wm/tdmpc2/tdmpc2.py: `encode(obs_dict)`, `model(z, action)`."""

    def __init__(self, size: int, actions: int, width: int = 8, bins: int = 5):
        super().__init__()
        self.eye, self.dynamics = nn.Linear(size, width), nn.Linear(width + actions, width)
        self.reward = nn.Linear(width + actions, bins)

    def encode(self, obs_dict):
        return self.eye(obs_dict["state"]).softmax(-1)

    def forward(self, z, action):
        both = torch.cat([z, action], -1)
        return self.dynamics(both).softmax(-1), self.reward(both)
