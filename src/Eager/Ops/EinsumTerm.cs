namespace Fusion;

/// <summary>An operand of an Einstein summation: an array and the distinct labels of its axes.</summary>
internal sealed record EinsumTerm(NDArray Array, string Labels)
{
    /// <summary>An operand as given; a repeated label selects the diagonal.</summary>
    public static EinsumTerm Of(NDArray array, string labels)
    {
        for (int i = 0; i < labels.Length; i++)
        {
            int first = labels.IndexOf(labels[i], StringComparison.Ordinal);
            if (first == i) continue;
            int n = array.Shape[i];
            if (array.Shape[first] != n) throw new ShapeException($"Einsum: the axes '{labels[i]}' of {array.Shape} have the sizes {array.Shape[first]} and {n}.");

            // Both axes to the end, joined, every (n + 1)-th element.
            int[] order = [.. Enumerable.Range(0, array.Rank).Where(axis => axis != first && axis != i), first, i];
            NDArray moved = Nd.Transpose(array, order);
            NDArray diagonal = Nd.Diagonal(moved);
            string rest = labels.Remove(i, 1).Remove(first, 1) + labels[i];
            return Of(diagonal, rest);
        }

        return new EinsumTerm(array, labels);
    }

    /// <summary>The product of two terms, summed over the labels that are not needed any more.</summary>
    /// <param name="a">The first term.</param>
    /// <param name="b">The second term.</param>
    /// <param name="needed">Labels of later operands and of the result.</param>
    /// <param name="output">The labels of the result, in their order.</param>
    public static EinsumTerm Contract(EinsumTerm a, EinsumTerm b, HashSet<char> needed, string output)
    {
        a = a.SumExcept(label => needed.Contains(label) || b.Labels.Contains(label, StringComparison.Ordinal));
        b = b.SumExcept(label => needed.Contains(label) || a.Labels.Contains(label, StringComparison.Ordinal));
        string shared = string.Concat(a.Labels.Where(c => b.Labels.Contains(c, StringComparison.Ordinal)));
        string batch = string.Concat(shared.Where(needed.Contains));
        string summed = string.Concat(shared.Where(c => !needed.Contains(c)));
        string left = string.Concat(a.Labels.Where(c => !shared.Contains(c, StringComparison.Ordinal)));
        string right = string.Concat(b.Labels.Where(c => !shared.Contains(c, StringComparison.Ordinal)));

        if (summed.Length == 0) return Multiply(a, b, string.Concat((batch + left + right).OrderBy(c => output.IndexOf(c, StringComparison.Ordinal))));

        // (batch, left, summed) × (batch, summed, right); axes that broadcast are made equal first.
        (a, b) = Align(a, b, shared);
        int[] batches = a.Sizes(batch);
        NDArray x = a.Arrange(batch + left + summed, [.. batches, Product(a.Sizes(left)), Product(a.Sizes(summed))]);
        NDArray y = b.Arrange(batch + summed + right, [.. batches, Product(b.Sizes(summed)), Product(b.Sizes(right))]);
        NDArray product = Nd.MatMul(x, y);
        return new EinsumTerm(Nd.Reshape(product, [.. batches, .. a.Sizes(left), .. b.Sizes(right)]), batch + left + right);
    }

    /// <summary>The result: other labels summed, axes in the order of <paramref name="output"/>.</summary>
    public NDArray Deliver(string output)
    {
        EinsumTerm kept = SumExcept(label => output.Contains(label, StringComparison.Ordinal));
        return kept.Labels == output ? kept.Array : Nd.Transpose(kept.Array, kept.Order(output));
    }

    // Nothing is summed: a product of elements, its axes in the order of the labels.
    private static EinsumTerm Multiply(EinsumTerm a, EinsumTerm b, string labels)
    {
        (a, b) = Align(a, b, string.Concat(a.Labels.Where(b.Labels.Contains)));
        return new EinsumTerm(a.Spread(labels) * b.Spread(labels), labels);
    }

    private static (EinsumTerm A, EinsumTerm B) Align(EinsumTerm a, EinsumTerm b, string shared)
    {
        foreach (char label in shared)
        {
            int m = a.Size(label), n = b.Size(label);
            if (m == n) continue;
            if (m != 1 && n != 1)
            {
                string name = EinsumEquation.IsEllipsis(label) ? "an ellipsis" : $"'{label}'";
                throw new ShapeException($"Einsum: {a.Array.Shape} and {b.Array.Shape}: the axes of {name} have the sizes {m} and {n}.");
            }

            (a, b) = m == 1 ? (a.Broadcast(label, n), b) : (a, b.Broadcast(label, m));
        }

        return (a, b);
    }

    private EinsumTerm Broadcast(char label, int size)
    {
        int[] sizes = Array.Shape.ToArray();
        sizes[Labels.IndexOf(label, StringComparison.Ordinal)] = size;
        return this with { Array = Nd.BroadcastTo(Array, sizes) };
    }

    private EinsumTerm SumExcept(Func<char, bool> keep)
    {
        int[] axes = [.. Enumerable.Range(0, Labels.Length).Where(i => !keep(Labels[i]))];
        return axes.Length == 0 ? this : new EinsumTerm(Nd.Sum(Array, axes), string.Concat(Labels.Where(keep)));
    }

    private NDArray Arrange(string labels, int[] sizes) => Nd.Reshape(labels == Labels ? Array : Nd.Transpose(Array, Order(labels)), sizes);

    /// <summary>With an axis for each of some labels, of size 1 where the term has none.</summary>
    private NDArray Spread(string labels)
    {
        string own = string.Concat(labels.Where(Labels.Contains));
        return Arrange(own, [.. labels.Select(c => Labels.Contains(c, StringComparison.Ordinal) ? Size(c) : 1)]);
    }

    private int[] Order(string labels) => [.. labels.Select(c => Labels.IndexOf(c, StringComparison.Ordinal))];

    private int Size(char label) => Array.Shape[Labels.IndexOf(label, StringComparison.Ordinal)];

    private int[] Sizes(string labels) => [.. labels.Select(Size)];

    private static int Product(int[] sizes) => sizes.Aggregate(1, static (a, b) => Errors.Extent("Einsum", (long)a * b));
}
