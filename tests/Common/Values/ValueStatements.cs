namespace Fusion.Tests.Values;

/// <summary>One statement on a pool of arrays: which, on which of them, and how.</summary>
internal readonly record struct ValueStatement(int Kind, int First, int Second, int Detail, int More);

/// <summary>The same statements on arrays and on <see cref="PlainArray">plain ones</see>: views of all kinds, and writes in place.</summary>
internal static class ValueStatements
{
    /// <summary>From here on statements write, or do nothing but take a view.</summary>
    public const int Writes = 9, Kinds = 15;

    public static void Run(List<NDArray> pool, ValueStatement s)
    {
        NDArray x = pool[s.First % pool.Count], y = pool[s.Second % pool.Count];
        Layout at = new(x.Shape.ToArray(), s);
        switch (s.Kind)
        {
            case 0: pool.Add(x.Slice(at.Axis, at.Start, at.Start + at.Count)); break;
            case 1: pool.Add(x.Slice(at.Axis, null, null, -at.Step)); break;
            case 2: pool.Add(x.Transpose(at.Order)); break;
            case 3: pool.Add(x.Reshape(-1)); break;
            case 4: pool.Add(x.Flip(at.Axis)); break;
            case 5: pool.Add(x.ExpandDims(at.Axis)); break;
            case 6: pool.Add(x.Detach()); break;
            case 7: pool.Add(-x); break;
            case 8: pool.Add(x.Slice(at.Axis, at.Start, null, at.Step)); break;
            case 9: x.Fill(s.Detail % 9); break;
            case 10: if (x.Shape == y.Shape) x.Assign(y); break;
            case 11: x[..at.Head] = x[at.Tail..]; break;
            case 12: x[..] = x.Flip(0); break;
            case 13: x[AxisIndex.Ellipsis, ..1] = x[AxisIndex.Ellipsis, ^1..]; break;
            default: x.SetValue(s.Detail % 9, 0); break;
        }
    }

    public static void Run(List<PlainArray> pool, ValueStatement s)
    {
        PlainArray x = pool[s.First % pool.Count], y = pool[s.Second % pool.Count];
        int[] shape = x.Shape;
        Layout at = new(shape, s);
        int size = shape[at.Axis], last = shape.Length - 1;
        switch (s.Kind)
        {
            case 0: pool.Add(x.Slice(at.Axis, at.Start, at.Count, 1)); break;
            case 1: pool.Add(x.Slice(at.Axis, size - 1, (size + at.Step - 1) / at.Step, -at.Step)); break;
            case 2: pool.Add(x.Transposed(at.Order)); break;
            case 3: pool.Add(x.Reshaped(x.Values.Length)); break;
            case 4: pool.Add(x.Slice(at.Axis, size - 1, size, -1)); break;
            case 5: pool.Add(x.Reshaped([.. shape[..at.Axis], 1, .. shape[at.Axis..]])); break;
            case 6: pool.Add(x.Copy()); break;
            case 7: pool.Add(x.Map(static v => -v)); break;
            case 8: pool.Add(x.Slice(at.Axis, at.Start, (size - at.Start + at.Step - 1) / at.Step, at.Step)); break;
            case 9: Array.Fill(x.Values, s.Detail % 9); break;
            case 10: if (shape.SequenceEqual(y.Shape)) x.Assign(y); break;
            case 11: x.Write(0, 0, x.Slice(0, at.Tail, at.Head, 1)); break;
            case 12: x.Assign(x.Slice(0, shape[0] - 1, shape[0], -1)); break;
            case 13: x.Write(last, 0, x.Slice(last, shape[last] - 1, 1, 1)); break;
            default: x.Write(0, 0, x.Slice(0, 0, 1, 1).Map(_ => s.Detail % 9)); break;
        }
    }

    // What the numbers of a statement mean for a shape without an axis of size 0.
    private sealed class Layout(int[] shape, ValueStatement s)
    {
        public int Axis { get; } = s.Detail % shape.Length;

        public int Start => s.More % shape[Axis];

        public int Count => 1 + (s.Second % (shape[Axis] - Start));

        public int Step => 2 + (s.More % 2);

        public int Head => (shape[0] + 1) / 2;

        public int Tail => shape[0] - Head;

        public int[] Order => [.. Enumerable.Range(0, shape.Length).OrderBy(i => (i * 7 + s.Detail) % (shape.Length + 3))];
    }
}
