import torch

from craik.ops.returns import lambda_returns, percentiles


def plain(reward, discount, value, lam, t):
    """Equation 7 as it is written: recursively, one row."""
    ahead = value[-1] if t == len(reward) - 1 else plain(reward, discount, value, lam, t + 1)
    return reward[t] + discount[t] * ((1 - lam) * value[t] + lam * ahead)


def test_twin():
    torch.manual_seed(0)
    reward, discount, value = torch.randn(3, 6), torch.rand(3, 6), torch.randn(3, 6)
    got = lambda_returns(reward, discount, value, 0.9)
    for row in range(3):
        lists = [x[row].tolist() for x in (reward, discount, value)]
        want = torch.tensor([plain(*lists, 0.9, t) for t in range(6)])
        assert torch.allclose(got[row], want, atol=1e-5)


def test_its_two_ends():
    torch.manual_seed(0)
    reward, value, discount = torch.randn(2, 5), torch.randn(2, 5), torch.full((2, 5), 0.9)
    assert torch.allclose(lambda_returns(reward, discount, value, 0.0), reward + 0.9 * value)
    powers = 0.9 ** torch.arange(5)
    monte_carlo = (reward * powers).sum(1) + 0.9**5 * value[:, -1]
    assert torch.allclose(lambda_returns(reward, discount, value, 1.0)[:, 0], monte_carlo)


def test_nothing_crosses_where_lambda_is_zero():
    reward, discount, value = torch.ones(1, 3), torch.ones(1, 3), torch.full((1, 3), 10.0)
    lam = torch.tensor([[1.0, 0.0, 1.0]])
    assert lambda_returns(reward, discount, value, lam).tolist() == [[12.0, 11.0, 11.0]]


def test_percentiles():
    x = torch.arange(101.0)[torch.randperm(101, generator=torch.Generator().manual_seed(0))]
    assert percentiles(x, 0.05, 0.95).tolist() == [5.0, 95.0]
