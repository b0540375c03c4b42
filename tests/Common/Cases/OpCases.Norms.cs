namespace Fusion.Tests;

// Normalizations of the last axis and of channels, and the rows of their gradients. ε is large, so that the functions are smooth.
internal static partial class OpCases
{
    private const double Epsilon = 0.1;

    private static readonly NormAttributes s_centered = new(Epsilon, true);

    private static readonly Shape[][] s_channelShapes = [[[2, 2, 3]], [[5, 3]], [[3, 2, 130]], [[4, 3, 2, 4]], [[1, 2, 3, 70]]];

    internal static readonly OpCase[] Norms =
    [
        Case(OpTable.Standardize, "", static x => Nd.LayerNorm(x[0], epsilon: Epsilon), static x => x[0].Lines(v => Standardize(v, true)),
            s_lineShapes) with { Scale = 4, Large = [[300, 130]] },
        Case(OpTable.Standardize, "not centered", static x => Nd.RmsNorm(x[0], epsilon: Epsilon), static x => x[0].Lines(v => Standardize(v, false)),
            s_lineShapes) with { Scale = 4 },
        Case(OpTable.Standardize, "in groups", static x => Nd.GroupNorm(x[0], 2, epsilon: Epsilon),
            static x => x[0].Reshape(x[0].Shape[0], 2, x[0].Values.Length / 2 / x[0].Shape[0]).Lines(v => Standardize(v, true)).Reshape(x[0].Shape),
            [[[2, 2, 3]], [[3, 4, 9]]]) with { Scale = 4 },
        Case(OpTable.StandardizeGradient, "", static x => OpTable.StandardizeGradient.Apply(x[0], x[1], s_centered),
            static x => Lines2(x, static (v, g) => Backward(v, g, true)), s_linePairs) with { Scale = 40, Large = [[300, 130], [300, 130]] },
        Case(OpTable.StandardizeGradient, "not centered", static x => OpTable.StandardizeGradient.Apply(x[0], x[1], new NormAttributes(Epsilon, false)),
            static x => Lines2(x, static (v, g) => Backward(v, g, false)), s_linePairs) with { Scale = 40 },
        Case(OpTable.LayerNorm, "", static x => Nd.LayerNorm(x[0], x[1], x[2], Epsilon), static x => Affine(x[0].Lines(v => Standardize(v, true)), x[1], x[2]),
            [[[3, 5], [5], [5]], [[2, 2, 130], [130], [130]], [[0, 4], [4], [4]], [[2, 0], [0], [0]]]) with
        {
            Scale = 8,
            Large = [[300, 130], [130], [130]],
            Optional = [1, 2],
            Rejects = [Rejection.Of<ShapeException>("a gamma that does not fit", static () => Nd.LayerNorm(Nd.Ones((2, 4)), Nd.Ones(2), Nd.Ones(4)),
                "LayerNorm", "gamma", "(4,)", "(2,)")],
        },
        Case(OpTable.RmsNorm, "", static x => Nd.RmsNorm(x[0], x[1], Epsilon), static x => Affine(x[0].Lines(v => Standardize(v, false)), x[1], null),
            [[[3, 5], [5]], [[2, 2, 130], [130]], [[0, 4], [4]]]) with
        {
            Scale = 8,
            Optional = [1],
            Rejects = [Rejection.Of<ShapeException>("a gamma that does not fit", static () => Nd.RmsNorm(Nd.Ones((2, 4)), Nd.Ones(2)), "RmsNorm", "gamma",
                "(4,)", "(2,)")],
        },
        Case(OpTable.LayerNormGradient, "", static x => OpTable.LayerNormGradient.Apply([x[0], x[1], x[2]], s_centered),
            static x => Lines2([x[0], Affine(x[1], x[2], null)], static (v, g) => Backward(v, g, true)),
            [[[3, 5], [3, 5], [5]], [[2, 2, 130], [2, 2, 130], [130]]]) with { Scale = 80 },
        Case(OpTable.LayerNormSums, "", static x => OpTable.LayerNormSums.Apply(x[0], x[1], s_centered), static x => RowSums(x),
            [[[3, 5], [3, 5]], [[2, 2, 130], [2, 2, 130]], [[150, 3], [150, 3]], [[0, 4], [0, 4]]]) with { Scale = 200, Large = [[500, 130], [500, 130]] },
        Case(OpTable.ChannelMoments, "", static x => OpTable.ChannelMoments.Apply(x[0]),
            static x => PerChannel(x[0], x[0], static (v, _) => [v.Average(), Variance(v)]), s_channelShapes) with { Scale = 4, Large = [[30, 7, 11, 13]] },
        Case(OpTable.BatchNorm, "", static x => OpTable.BatchNorm.Apply([x[0], x[1], x[2], Moments(x[0])], s_centered),
            static x => AlongChannels(x[0], x[0], x[1], x[2], static (v, _) => Standardize(v, true)), WithVectors(2)) with
        {
            Scale = 8,
            Rejects = [Rejection.Of<ShapeException>("a gamma that does not fit",
                static () => Nd.BatchNorm(Nd.Ones((2, 4)), Nd.Ones(2), Nd.Ones(4), Nd.Zeros(4), Nd.Ones(4)), "BatchNorm", "gamma", "(4,)", "(2,)")],
        },
        Case(OpTable.BatchNormGradient, "",
            static x => OpTable.BatchNormGradient.Apply([x[0], x[1], x[2], Moments(x[0]), Sums(x[0], x[2])], s_centered),
            static x => AlongChannels(x[0], x[2], x[1], null, static (v, g) => Backward(v, g, true)),
            [.. WithVectors(1).Select(static s => (Shape[])[.. s, s[0]])]) with { Scale = 80, Large = [[30, 7, 11, 13], [7], [30, 7, 11, 13]] },
        Case(OpTable.BatchNormSums, "", static x => OpTable.BatchNormSums.Apply([x[0], x[1], Moments(x[0])], s_centered),
            static x => PerChannel(x[0], x[1], static (v, g) => [g.Sum(), Standardize(v, true).Zip(g, static (a, b) => a * b).Sum()]),
            [.. s_channelShapes.Select(static s => (Shape[])[s[0], s[0]])]) with { Scale = 800 },
        Case(OpTable.GroupNorm, "", static x => OpTable.GroupNorm.Apply([x[0], x[1], x[2]], s_groups),
            static x => PerChannelAffine(Grouped(x[0], x[0], static (v, _) => Standardize(v, true)), x[1], x[2]), WithVectors(2, s_groupShapes)) with
        {
            Scale = 8,
            Large = [[30, 6, 11, 20], [6], [6]],
            Rejects =
            [
                Rejection.Of<ShapeException>("a gamma that does not fit", static () => Nd.GroupNorm(Nd.Ones((2, 4, 20)), 2, Nd.Ones(2), Nd.Ones(4)), "GroupNorm", "(4,)", "(2,)"),
                Rejection.Of<ShapeException>("a beta that does not fit", static () => OpTable.GroupNorm.Apply([Nd.Ones((2, 4)), Nd.Ones(4), Nd.Ones(3)], s_groups),
                    "GroupNorm", "beta", "(4,)", "(3,)"),
                Rejection.Of<ShapeException>("groups that do not fit", static () => OpTable.GroupNorm.Apply([Nd.Ones((2, 3)), Nd.Ones(3), Nd.Ones(3)], s_groups),
                    "GroupNorm", "2 groups", "(2, 3)"),
            ],
        },
        Case(OpTable.GroupNorm, "of a function", static x => Nd.GroupNorm(x[0], 2, x[1], x[2], Epsilon),
            static x => PerChannelAffine(Grouped(x[0], x[0], static (v, _) => Standardize(v, true)), x[1], x[2]), [[[1, 2, 16], [2], [2]], [[3, 4, 3], [4], [4]]]) with
        {
            Scale = 8,
            Optional = [1, 2],
        },
        Case(OpTable.GroupNormGradient, "",
            static x => OpTable.GroupNormGradient.Apply([x[0], x[1], x[2], GroupSums(x[0], x[2])], s_groups),
            static x => Grouped(x[0], PerChannelAffine(x[2], x[1], null), static (v, g) => Backward(v, g, true)),
            [.. WithVectors(1, s_groupShapes).Select(static s => (Shape[])[.. s, s[0]])]) with
        {
            Scale = 80,
            Large = [[30, 6, 11, 20], [6], [30, 6, 11, 20]],
            Rejects = [Rejection.Of<ShapeException>("sums that do not fit",
                static () => OpTable.GroupNormGradient.Apply([Nd.Ones((2, 4)), Nd.Ones(4), Nd.Ones((2, 4)), Nd.Ones((2, 4))], s_groups), "GroupNorm", "sums", "(2, 2, 4)", "(2, 4)")],
        },
        Case(OpTable.GroupNormSums, "", static x => OpTable.GroupNormSums.Apply(x[0], x[1], s_groups),
            static x => SampleSums(x[1], Grouped(x[0], x[0], static (v, _) => Standardize(v, true))), [.. s_groupShapes.Select(static s => (Shape[])[s[0], s[0]])]) with
        {
            Scale = 800,
            Large = [[30, 6, 11, 20], [30, 6, 11, 20]],
        },
    ];

    private static readonly GroupNormAttributes s_groups = new(Epsilon, 2);

    private static Shape[][] s_groupShapes => [[[1, 4, 3]], [[2, 2, 3]], [[3, 4, 21]], [[2, 6, 2, 40]], [[3, 2]], [[1, 2, 130]]];

    private static NDArray GroupSums(NDArray x, NDArray g) =>
        Nd.StopGradient(OpTable.GroupNormSums.Apply(Elements.Wide(x), Elements.Wide(g), s_groups));

    /// <summary>A function of the elements of each of two groups of channels of each sample.</summary>
    private static RefArray Grouped(RefArray x, RefArray g, Func<double[], double[], double[]> f)
    {
        int samples = x.Shape[0], size = x.Values.Length / samples / 2;
        return Lines2([x.Reshape(samples, 2, size), g.Reshape(samples, 2, size)], f).Reshape(x.Shape);
    }

    private static RefArray PerChannelAffine(RefArray x, RefArray gamma, RefArray? beta) =>
        RefArray.Build(x.Shape, i => x[i] * gamma[i[1]] + (beta?[i[1]] ?? 0));

    /// <summary>Σ g and Σ g·x̂ of each channel of each sample.</summary>
    private static RefArray SampleSums(RefArray g, RefArray normalized)
    {
        int samples = g.Shape[0], channels = g.Shape[1], size = g.Values.Length / samples / channels;
        RefArray a = g.Reshape(samples, channels, size), b = normalized.Reshape(samples, channels, size);
        return RefArray.Build([2, samples, channels],
            i => Enumerable.Range(0, size).Sum(k => a[i[1], i[2], k] * (i[0] == 0 ? 1 : b[i[1], i[2], k])));
    }

    private static NDArray Moments(NDArray x) => Nd.StopGradient(OpTable.ChannelMoments.Apply(Elements.Wide(x)));

    private static NDArray Sums(NDArray x, NDArray g) =>
        Nd.StopGradient(OpTable.BatchNormSums.Apply([Elements.Wide(x), Elements.Wide(g), Moments(x)], s_centered));

    private static Shape[][] WithVectors(int count, Shape[][]? shapes = null) => [.. (shapes ?? s_channelShapes).Select(s => (Shape[])[s[0], .. Enumerable.Repeat((Shape)s[0][1], count)])];

    private static double Variance(double[] x)
    {
        double mean = x.Average();
        return x.Average(v => (v - mean) * (v - mean));
    }

    private static double[] Standardize(double[] x, bool centered)
    {
        double mean = centered && x.Length > 0 ? x.Average() : 0, square = x.Select(v => (v - mean) * (v - mean)).DefaultIfEmpty().Average();
        return [.. x.Select(v => (v - mean) / Math.Sqrt(square + Epsilon))];
    }

    private static double[] Backward(double[] x, double[] g, bool centered)
    {
        if (x.Length == 0) return [];
        double mean = centered ? x.Average() : 0, r = 1 / Math.Sqrt(x.Average(v => (v - mean) * (v - mean)) + Epsilon);
        double[] normal = Standardize(x, centered);
        double dot = normal.Zip(g, static (a, b) => a * b).Average(), shift = centered ? g.Average() : 0;
        return [.. g.Select((v, i) => r * (v - shift - normal[i] * dot))];
    }

    private static RefArray RowSums(RefArray[] x)
    {
        int n = x[0].Shape[^1], rows = x[0].Values.Length / n;
        RefArray terms = Lines2([x[0].Reshape(rows, n), x[1].Reshape(rows, n)], static (v, g) => [.. Standardize(v, true).Zip(g, static (a, b) => a * b)]);
        RefArray g = x[1].Reshape(rows, n);
        return RefArray.Build([2, n], i => Enumerable.Range(0, rows).Sum(r => (i[0] == 0 ? g : terms)[r, i[1]]));
    }

    private static RefArray Affine(RefArray x, RefArray gamma, RefArray? beta) =>
        RefArray.Zip(beta is null ? [x, gamma] : [x, gamma, beta], static v => v[0] * v[1] + (v.Length > 2 ? v[2] : 0));

    /// <summary>The elements of each channel, joined to some numbers, as (numbers, channels).</summary>
    private static RefArray PerChannel(RefArray x, RefArray g, Func<double[], double[], double[]> f) => ChannelLines(x, g, f).Transpose(1, 0);

    private static RefArray ChannelLines(RefArray x, RefArray g, Func<double[], double[], double[]> f)
    {
        int[] order = [1, 0, .. Enumerable.Range(2, x.Rank - 2)];
        int channels = x.Shape[1], size = x.Values.Length / channels;
        return Lines2([x.Transpose(order).Reshape(channels, size), g.Transpose(order).Reshape(channels, size)], f);
    }

    /// <summary>A function of the elements of each channel, times gamma, plus beta.</summary>
    private static RefArray AlongChannels(RefArray x, RefArray g, RefArray gamma, RefArray? beta, Func<double[], double[], double[]> f)
    {
        int[] swapped = [x.Shape[1], x.Shape[0], .. x.Shape[2..]];
        RefArray result = ChannelLines(x, g, f).Reshape(swapped).Transpose([1, 0, .. Enumerable.Range(2, x.Rank - 2)]);
        return RefArray.Build(x.Shape, i => result[i] * gamma[i[1]] + (beta?[i[1]] ?? 0));
    }
}
