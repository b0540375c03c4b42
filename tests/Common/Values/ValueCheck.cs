namespace Fusion.Tests.Values;

/// <summary>
/// A random function of views and writes in place, called several times, eagerly or hybridized, with arrays that are captured, passed, passed twice or were results
/// before, while its caller writes and takes views in between: all arrays that anybody holds are what arrays that share nothing would be.
/// </summary>
internal static class ValueCheck
{
    private static readonly int[][] s_shapes = [[3], [2, 3], [4, 1], [2, 3, 2], [3, 3], [3, 40]];

    private static readonly DType[] s_types = [DType.Float32, DType.Float64, DType.Float16, DType.Int32, DType.Int64];

    /// <summary>What differs first, or null.</summary>
    public static string? Difference(int seed)
    {
        Random random = new(seed);
        DType type = s_types[seed % s_types.Length];
        List<(NDArray Array, PlainArray Plain)> captured = [New(), New()], held = [];
        ValueStatement[] body = [.. Enumerable.Range(0, 1 + random.Next(8)).Select(_ => Next(0))];
        int[] results = [.. Enumerable.Range(0, 1 + random.Next(3)).Select(_ => random.Next(100))];
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f = x =>
        {
            List<NDArray> pool = [.. captured.Select(static c => c.Array), .. x];
            foreach (ValueStatement statement in body) ValueStatements.Run(pool, statement);
            return [.. results.Select(i => pool[i % pool.Count])];
        };
        if (seed % 3 > 0) f = f.Hybridize(new HybridOptions { FallbackToEager = false }).Invoke;
        (NDArray Array, PlainArray Plain)[] given = [New(), New()];
        for (int call = 0; call < 4; call++)
        {
            if (call > 0) given[random.Next(2)] = random.Next(4) switch { 0 => captured[0], 1 => held[random.Next(held.Count)], 2 => given[0], _ => New() };
            List<PlainArray> pool = [.. captured.Select(static c => c.Plain), .. given.Select(static g => g.Plain)];
            foreach (ValueStatement statement in body) ValueStatements.Run(pool, statement);
            IReadOnlyList<NDArray> y = f([.. given.Select(static g => g.Array)]);
            for (int i = 0; i < y.Count; i++)
            {
                // Eagerly a result may be an array that somebody has, compiled it is one of its own.
                PlainArray plain = pool[results[i] % pool.Count];
                bool same = captured.Concat(given).Concat(held).All(h => ReferenceEquals(h.Plain, plain) == ReferenceEquals(h.Array, y[i]));
                held.Add((y[i], same ? plain : plain.Copy()));
            }

            if (Wrong() is { } wrong) return $"{type}, call {call}, {wrong}\n{string.Join('\n', body)}";
            for (int k = random.Next(4); k > 0; k--)
            {
                (NDArray Array, PlainArray Plain)[] all = [.. captured, .. given, .. held];
                (NDArray array, PlainArray plain) = all[random.Next(all.Length)];
                ValueStatement statement = Next(random.Next(2) * ValueStatements.Writes);
                List<NDArray> arrays = [array];
                List<PlainArray> plains = [plain];
                ValueStatements.Run(arrays, statement);
                ValueStatements.Run(plains, statement);
                if (arrays.Count > 1) held.Add((arrays[1], plains[1]));
            }

            if (Wrong() is { } later) return $"{type}, after call {call}, {later}\n{string.Join('\n', body)}";
        }

        return null;

        string? Wrong() => captured.Concat(given).Concat(held).Select(static (h, i) => Compare(h.Array, h.Plain) is { } d ? $"array {i}: {d}" : null).FirstOrDefault(static d => d is not null);

        ValueStatement Next(int least) => new(random.Next(least, ValueStatements.Kinds), random.Next(100), random.Next(100), random.Next(100), random.Next(100));

        (NDArray, PlainArray) New()
        {
            int[] shape = s_shapes[random.Next(s_shapes.Length)];
            PlainArray plain = new([.. Enumerable.Range(0, shape.Aggregate(1, static (a, b) => a * b)).Select(_ => (double)random.Next(-8, 9))], shape);
            return (Nd.Array(plain.Values, Shape.Create(shape)).AsType(type), plain);
        }
    }

    private static string? Compare(NDArray array, PlainArray plain)
    {
        if (!array.Shape.Dimensions.SequenceEqual(plain.Shape)) return $"the shape is {array.Shape}, expected ({string.Join(", ", plain.Shape)})";
        double[] values = array.AsType(DType.Float64).ToArray<double>();
        int first = Enumerable.Range(0, values.Length).FirstOrDefault(i => values[i] != plain.Values[i], -1);
        return first < 0 ? null : $"[{first}] of {array.Shape} is {values[first]}, expected {plain.Values[first]}";
    }
}
