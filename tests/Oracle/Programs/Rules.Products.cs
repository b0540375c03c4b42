using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Oracle.Programs;

// Products, convolutions, pools.
internal static partial class Rules
{
    private static readonly string[] s_equations =
    [
        "ij,jk->ik", "ij,kj->ki", "ji,jk->ik", "ij,ij->i", "ij,ij->", "ij,ik->jk", "bij,bjk->bik", "bij,bkj->bki", "bij,bij->bj", "bij,jk->bik", "bij,kj->bki",
        "ij,j->i", "i,ij->j", "i,j->ij", "ijk,k->ij", "ijk,ikl->jl", "bi,bj->bij", "ii,ij->ij", "ij,kl->ikjl",
    ];

    private static readonly Rule[] Products =
    [
        new("MatMul", 2, static (c, a) =>
        {
            if (!IsFloat(a) || a.Any(static x => x.Rank == 0) || a[0].DType != a[1].DType) return null;
            bool left = a[0].Rank > 1 && c.Flag(), right = a[1].Rank > 1 && c.Flag();
            NDArray p = left ? a[0].SwapAxes(-1, -2) : a[0], q = right ? a[1].SwapAxes(-1, -2) : a[1];
            if (p.Shape[-1] != q.Shape[q.Rank == 1 ? 0 : -2]) return null;
            if (p.Rank > 2 && q.Rank > 2 && !Batches(p, q)) return null;
            return (left, right) switch
            {
                (false, false) => Step.Of(x => x[0].MatMul(x[1]), x => x[0].matmul(x[1])),
                (true, false) => Step.Of(x => x[0].SwapAxes(-1, -2).MatMul(x[1]), x => x[0].transpose(-1, -2).matmul(x[1])),
                (false, true) => Step.Of(x => x[0].MatMul(x[1].SwapAxes(-1, -2)), x => x[0].matmul(x[1].transpose(-1, -2))),
                _ => Step.Of(x => x[0].SwapAxes(-1, -2).MatMul(x[1].SwapAxes(-1, -2)), x => x[0].transpose(-1, -2).matmul(x[1].transpose(-1, -2))),
            };
        }) { Weight = 64 },
        new("Einsum", 2, static (c, a) =>
        {
            if (!IsFloat(a) || a[0].DType != a[1].DType) return null;
            string[] fitting = [.. s_equations.Where(e => Sizes(e, a))];
            if (fitting.Length == 0) return null;
            string equation = c.Of<string>(fitting);
            return Step.Of(x => Nd.Einsum(equation, x[0], x[1]), x => einsum(equation, x[0], x[1]), new { equation });
        }) { Weight = 32 },
        new("Linear", 2, static (c, a) =>
        {
            if (a[0].Rank == 0 || !Values(a)) return null;
            Shape shape = (1 + c.Int(6), a[0].Shape[-1]);
            return Step.Of(x => Nd.FullyConnected(x[0], Fits.To(x[1], shape), flatten: false), x => F.linear(x[0], Fits.To(x[1], shape)), new { shape });
        }) { Weight = 16 },
        new("Outer", 2, static (_, a) => a[0].Rank == 1 && a[1].Rank == 1 && IsFloat(a) && a[0].DType == a[1].DType
            ? Step.Of(x => x[0].Outer(x[1]), x => outer(x[0], x[1])) : null),
    ];

    private static readonly Rule[] Windows =
    [
        new("Conv2D", 2, static (c, a) =>
        {
            if (a[0].Rank < 2 || !Values(a)) return null;
            Shape image = Image(a[0].Shape);
            int groups = image[1] % 2 == 0 && c.Flag() ? 2 : 1, stride = 1 + c.Int(2), padding = c.Int(3), dilation = 1 + c.Int(2);
            Shape weight = (groups * (1 + c.Int(3)), image[1] / groups, 1 + c.Int(3), 1 + c.Int(3));
            if ((dilation * (weight[2] - 1)) + 1 > image[2] + (2 * padding) || (dilation * (weight[3] - 1)) + 1 > image[3] + (2 * padding)) return null;
            return Step.Of(x => x[0].Reshape(image).Conv2D(Fits.To(x[1], weight), null, stride, padding, dilation, groups),
                x => F.conv2d(x[0].reshape(image.Longs()), Fits.To(x[1], weight), null, [stride, stride], [padding, padding], [dilation, dilation], groups),
                new { image, weight, stride, padding, dilation, groups });
        }) { Weight = 24 },
        Pooled("MaxPool2D", static (image, kernel, stride, padding) => Step.Of(x => x[0].Reshape(image).MaxPool2D(kernel, stride, padding),
            x => F.max_pool2d(x[0].reshape(image.Longs()), kernel, stride, padding), new { image, kernel, stride, padding })),
        Pooled("AvgPool2D", static (image, kernel, stride, padding) => Step.Of(x => x[0].Reshape(image).AvgPool2D(kernel, stride, padding),
            x => F.avg_pool2d(x[0].reshape(image.Longs()), kernel, stride, padding), new { image, kernel, stride, padding })),
    ];

    private static Rule Pooled(string name, Func<Shape, int, int, int, Step> step) => new(name, 1, (c, a) =>
    {
        if (a[0].Rank < 2 || !IsFloat(a[0]) || a[0].Size == 0) return null;
        Shape image = Image(a[0].Shape);
        int kernel = 1 + c.Int(3), stride = 1 + c.Int(3), padding = c.Int((kernel / 2) + 1);
        return Math.Min(image[2], image[3]) + (2 * padding) < kernel ? null : step(image, kernel, stride, padding);
    });

    // (batch, channels, height, width): axes in front, or none.
    private static Shape Image(Shape shape) => shape.Rank switch
    {
        2 => (1, 1, shape[0], shape[1]),
        3 => (1, shape[0], shape[1], shape[2]),
        4 => shape,
        _ => (shape[0] * shape[1], shape[2], shape[3], shape[4]),
    };

    private static bool Batches(NDArray p, NDArray q)
    {
        for (int i = 3; i <= Math.Min(p.Rank, q.Rank); i++)
            if (p.Shape[-i] != q.Shape[-i] && p.Shape[-i] != 1 && q.Shape[-i] != 1) return false;
        return true;
    }

    // Whether every letter has one size.
    private static bool Sizes(string equation, NDArray[] a)
    {
        string[] inputs = equation.Split("->")[0].Split(',');
        Dictionary<char, int> sizes = [];
        for (int i = 0; i < 2; i++)
        {
            if (inputs[i].Length != a[i].Rank) return false;
            for (int k = 0; k < a[i].Rank; k++)
                if (!sizes.TryAdd(inputs[i][k], a[i].Shape[k]) && sizes[inputs[i][k]] != a[i].Shape[k]) return false;
        }

        return true;
    }
}
