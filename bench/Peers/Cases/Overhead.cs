using TorchSharp;

namespace Fusion.Peers.Cases;

/// <summary>What a call costs when there is nothing to compute: 64 elements.</summary>
internal static class Overhead
{
    private const string Area = "eager overhead";

    public static IEnumerable<PeerCase> All =>
    [
        new(Area, "add, 64", () =>
        {
            (NDArray a, NDArray b) = (FusionSide.Normal(64, 1), FusionSide.Normal(64, 2));
            (torch.Tensor ta, torch.Tensor tb) = (TorchSide.Of(a), TorchSide.Of(b));
            return [FusionSide.Eager(() => a + b), TorchSide.Contender(() => ta + tb)];
        }),
        new(Area, "add, 64, recorded", () =>
        {
            (NDArray a, NDArray b) = (FusionSide.Variable(64, 1), FusionSide.Normal(64, 2));
            (torch.Tensor ta, torch.Tensor tb) = (TorchSide.Of(a, gradient: true), TorchSide.Of(b));
            return [FusionSide.Eager(() => Recorded(() => a + b)), TorchSide.Contender(() => ta + tb)];
        }),
        new(Area, "ten operators, 64, forward and backward", () =>
        {
            (NDArray a, NDArray b) = (FusionSide.Variable(64, 1), FusionSide.Normal(64, 2));
            (torch.Tensor ta, torch.Tensor tb) = (TorchSide.Of(a, gradient: true), TorchSide.Of(b));
            return
            [
                FusionSide.Eager(() =>
                {
                    NDArray y = a;
                    using (Autograd.Record())
                        for (int i = 0; i < 5; i++) y = Nd.Tanh(y * b);
                    y.Backward();
                    return a.Grad!;
                }),
                TorchSide.Contender(() =>
                {
                    torch.Tensor y = ta;
                    for (int i = 0; i < 5; i++) y = torch.tanh(y * tb);
                    ta.grad = null!;
                    y.backward([torch.ones_like(y)]);
                    return ta.grad!;
                }),
            ];
        }),
    ];

    private static NDArray Recorded(Func<NDArray> f)
    {
        using (Autograd.Record()) return f();
    }
}
