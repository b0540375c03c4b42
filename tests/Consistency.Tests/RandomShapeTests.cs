using CsCheck;

namespace Fusion.Tests;

/// <summary>Random shapes, broadcasts, layouts and axes against the references; a failure is shrunk to a small one.</summary>
public class RandomShapeTests
{
    // Mostly small; sometimes 0 or 1.
    private static readonly Gen<int> s_size = Gen.Select(Gen.Int[0, 21], Gen.Int[2, 40], static (kind, n) =>
        kind == 0 ? 0 : kind < 5 ? 1 : kind < 20 ? 2 + (n % 6) : n);

    private static readonly Gen<int[]> s_shape = s_size.Array[0, 4];

    private static readonly Gen<Layout> s_layout = Gen.OneOf<Layout>([.. Layout.All]);

    private static readonly Gen<string> s_binary = Gen.OneOf("Add", "Subtract", "Multiply", "Maximum", "Less");

    private static readonly Gen<Reduction> s_reduction = Gen.OneOf(
        new Reduction("Sum", static (x, axes, keep) => x.Sum(axes, keep), static line => line.Sum()),
        new Reduction("Max", static (x, axes, keep) => x.Max(axes, keep), static line => line.Max()),
        new Reduction("Any", static (x, axes, keep) => x.Any(axes, keep), static line => line.Any(static v => v != 0) ? 1 : 0));

    [Fact]
    public void BinaryOperatorsBroadcast() =>
        Gen.Select(s_binary, s_shape, Gen.Bool.Array[4], Gen.Bool.Array[4], Gen.Int[0, 4], Gen.Select(s_layout, s_layout), Gen.Int[0, 1000])
            .Sample(static (title, shape, first, second, dropped, layouts, seed) =>
            {
                OpCase test = OpCases.Find(title);
                int[] x = [.. shape.Select((n, i) => first[i] ? 1 : n)];
                int[] y = [.. shape.Select((n, i) => second[i] ? 1 : n).Skip(dropped)];
                NDArray[] inputs = CaseInputs.Draw(test, [x, y], DType.Float32, seed);
                return Agrees(test, [layouts.Item1.Apply(inputs[0]), layouts.Item2.Apply(inputs[1])]);
            }, iter: 1500, print: static t => $"{t.Item1} of ({string.Join(", ", t.Item2)})");

    [Fact]
    public void ReductionsTakeAnyAxes() =>
        Gen.Select(s_reduction, s_shape, Gen.Bool.Array[4], Gen.Bool, Gen.Bool, s_layout, Gen.Int[0, 1000])
            .Sample(static (reduction, shape, chosen, negative, keepDims, layout, seed) =>
            {
                int[] axes = [.. Enumerable.Range(0, shape.Length).Where(i => chosen[i]).Select(i => negative ? i - shape.Length : i)];
                if (reduction.Title == "Max" && axes.Any(i => shape[i < 0 ? i + shape.Length : i] == 0)) return true;
                OpCase test = OpCases.Find(reduction.Title) with
                {
                    Call = x => reduction.Call(x[0], axes, keepDims),
                    Reference = x => x[0].Reduce(reduction.Reference, axes, keepDims),
                    // What cancels in a sum has been rounded before: the error grows with the magnitudes, not with the result.
                    Scale = shape.Aggregate(4.0, static (product, size) => product * size),
                };
                return Agrees(test, [layout.Apply(CaseInputs.Draw(test, [shape], DType.Float32, seed)[0])]);
            }, iter: 1500, print: static t => $"{t.Item1.Title} of ({string.Join(", ", t.Item2)})");

    [Fact]
    public void MatrixProductsBroadcastTheirStacks() =>
        Gen.Select(s_size, s_size, s_size, s_size.Array[0, 2], Gen.Bool.Array[2], Gen.Bool.Array[2], Gen.Select(s_layout, s_layout, Gen.Int[0, 1000]))
            .Sample(static (m, k, n, batch, first, second, rest) =>
            {
                OpCase test = OpCases.Find("MatMul batched");
                int[] a = [.. batch.Select((size, i) => first[i] ? 1 : size), m, k];
                int[] b = [.. batch.Select((size, i) => second[i] ? 1 : size), k, n];
                NDArray[] inputs = CaseInputs.Draw(test, [a, b], DType.Float32, rest.Item3);
                return Agrees(test, [rest.Item1.Apply(inputs[0]), rest.Item2.Apply(inputs[1])]);
            }, iter: 800, print: static t => $"{t.Item1} {t.Item2} {t.Item3} ({string.Join(", ", t.Item4)})");

    private static bool Agrees(OpCase test, NDArray[] inputs)
    {
        string? difference = Comparison.Difference(test, test.Call(inputs), test.Reference!(Array.ConvertAll(inputs, RefArray.Of)));
        if (difference is null) return true;
        throw new InvalidOperationException($"{test}({string.Join(", ", inputs.Select(static x => x.Shape))}): {difference}");
    }

    private sealed record Reduction(string Title, Func<NDArray, int[], bool, NDArray> Call, Func<double[], double> Reference);
}
