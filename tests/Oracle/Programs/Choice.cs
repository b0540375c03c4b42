namespace Fusion.Oracle.Programs;

/// <summary>What an instruction draws: axes, numbers, indices. The same seed draws alike for another shape.</summary>
internal sealed class Choice(int seed)
{
    private static readonly double[] s_numbers = [0.5, -1, 2, 1.5, -0.25, 3, 0.1, 1];

    private readonly Random _random = new(seed);

    /// <summary>From 0 to <paramref name="count"/> − 1.</summary>
    public int Int(int count) => _random.Next() % count;

    public bool Flag() => Int(2) == 0;

    public T Of<T>(params ReadOnlySpan<T> items) => items[Int(items.Length)];

    /// <summary>A number whose products stay small.</summary>
    public double Number() => Of<double>(s_numbers);

    /// <summary>An axis of an array that has one, sometimes counted from the end.</summary>
    public int Axis(NDArray x)
    {
        int axis = Int(x.Rank);
        return Int(3) == 0 ? axis - x.Rank : axis;
    }

    /// <summary>Some axes, in their order, at least one.</summary>
    public int[] Axes(NDArray x)
    {
        int first = Int(x.Rank);
        return [.. Enumerable.Range(0, x.Rank).Where(i => i == first || Flag())];
    }

    public int[] Permutation(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        _random.Shuffle(order);
        return order;
    }

    /// <summary>Integers from 0 to <paramref name="count"/> − 1.</summary>
    public NDArray Indices(Shape shape, int count) =>
        Nd.Array(Enumerable.Range(0, (int)shape.Size).Select(_ => (long)_random.Next(count)).ToArray(), shape);

    /// <summary>Distinct numbers below 1, to be added where equal ones would be in no order.</summary>
    public NDArray Offsets(NDArray x) => Nd.Array(Permutation((int)x.Size).Select(i => (i + 1.0) / (x.Size + 1)).ToArray(), x.Shape).AsType(x.DType);

    public NDArray Truths(Shape shape) => Nd.Array(Enumerable.Range(0, (int)shape.Size).Select(_ => _random.Next(2) == 0).ToArray(), shape);
}
