import torch

from craik.ops.choice import mixed, one_hot_draw, uniforms


def test_a_share_is_uniform():
    logits = torch.tensor([[100.0, 0.0, 0.0, 0.0]])
    assert torch.allclose(mixed(logits, 0.01), torch.tensor([[0.9925, 0.0025, 0.0025, 0.0025]]))


def test_draws_have_the_chances_they_should():
    generator = torch.Generator().manual_seed(0)
    chances = torch.tensor([0.1, 0.0, 0.6, 0.3]).expand(20_000, 4)
    hot = one_hot_draw(chances, uniforms((20_000,), generator))
    assert torch.equal(hot.sum(-1), torch.ones(20_000))
    assert torch.allclose(hot.mean(0), chances[0], atol=0.02)
    assert hot[:, 1].sum() == 0


def test_the_ends_of_the_unit_interval():
    chances = torch.tensor([[0.5, 0.5], [0.5, 0.5]])
    assert one_hot_draw(chances, torch.tensor([0.0, 0.9999999])).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_gradients_go_straight_through():
    chances = torch.tensor([[0.2, 0.8]], requires_grad=True)
    hot = one_hot_draw(chances, None)
    assert hot.tolist() == [[0.0, 1.0]]
    (hot * torch.tensor([[3.0, 5.0]])).sum().backward()
    assert chances.grad.tolist() == [[3.0, 5.0]]
