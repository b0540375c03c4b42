namespace Fusion;

/// <summary>
/// A number of C# that a function uses is a constant of its trace. Two traces of one function that differ in such a number, and not because of a size, tell that
/// it has changed in between: variants made before keep the old one.
/// </summary>
internal static class ConstantChange
{
    private const double Tolerance = 1e-6;

    // What formulas make of sizes: means, variances, scales of attention, and their reciprocals.
    private static readonly Func<double, double>[] s_ofSizes = [static n => n, static n => n - 1, static n => n / (n - 1), Math.Sqrt, static n => 1 / (n * n)];

    /// <summary>The first operator whose number differs between two traces of one program, as text; null when there is none or the programs differ.</summary>
    public static string? Find(FunctionTrace before, FunctionTrace now)
    {
        if (before.Outputs.Length != now.Outputs.Length || before.States.Count != now.States.Count || before.Inputs.Length != now.Inputs.Length) return null;
        return Find(
            before.Outputs.Zip(now.Outputs).Concat(before.States.Zip(now.States, static (a, b) => (a.Value, b.Value))),
            (a, b, x, y) => IsOfSizes(before, now, a, b, x, y));
    }

    /// <summary>The same of values for inputs of the same sizes: where one program is traced again.</summary>
    public static string? Find(IEnumerable<GraphNode> before, IEnumerable<GraphNode> now) => Find(before.Zip(now), static (_, _, _, _) => false);

    private static string? Find(IEnumerable<(GraphNode Before, GraphNode Now)> values, Func<OpNode, OpNode, double, double, bool> isOfSizes)
    {
        (OpNode Node, ConstantNode Before, ConstantNode Now)? first = null;
        HashSet<(GraphNode, GraphNode)> seen = [];
        Stack<(GraphNode Before, GraphNode Now)> open = new(values);
        while (open.TryPop(out (GraphNode Before, GraphNode Now) pair))
        {
            if (!seen.Add(pair) || pair is not (OpNode a, OpNode b)) continue;
            if (a.Op != b.Op || a.Inputs.Length != b.Inputs.Length) return null;
            for (int i = 0; i < a.Inputs.Length; i++)
            {
                if ((a.Inputs[i], b.Inputs[i]) is (ConstantNode x, ConstantNode y))
                {
                    if (!x.Value.Equals(y.Value) && (first is null || b.Id < first.Value.Node.Id) && !isOfSizes(a, b, x.Value, y.Value)) first = (b, x, y);
                }
                else if (a.Inputs[i].GetType() != b.Inputs[i].GetType()) return null;
                else open.Push((a.Inputs[i], b.Inputs[i]));
            }
        }

        return first is not { } found ? null : $"{found.Node.Op.Name} had the operand {found.Before}, now {found.Now}";
    }

    private static bool IsOfSizes(FunctionTrace before, FunctionTrace now, OpNode a, OpNode b, double x, double y)
    {
        IEnumerable<(Shape, Shape)> shapes = before.Inputs.Zip(now.Inputs, static (p, q) => (p.Shape, q.Shape)).Concat(a.Inputs.Zip(b.Inputs, static (p, q) => (p.Shape, q.Shape)));
        foreach ((Shape p, Shape q) in shapes.Append((a.Shape, b.Shape)))
        {
            if (p.Rank != q.Rank) continue;
            foreach ((double m, double n) in Sizes(p, q))
            {
                foreach (Func<double, double> f in s_ofSizes)
                    if ((IsNear(x, f(m)) && IsNear(y, f(n))) || (IsNear(1 / x, f(m)) && IsNear(1 / y, f(n)))) return true;
            }
        }

        return false;
    }

    // The sizes of the same axes in two shapes, for all choices of axes: many have the same, of which there are as few as divisors.
    private static HashSet<(double, double)> Sizes(Shape before, Shape now)
    {
        HashSet<(double, double)> sizes = [(1, 1)];
        for (int i = 0; i < before.Rank; i++)
            foreach ((double m, double n) in sizes.ToArray()) sizes.Add((m * before[i], n * now[i]));
        return sizes;
    }

    // n/(n − 1) of one element is no number that anything is near.
    private static bool IsNear(double a, double b) => double.IsFinite(b) && Math.Abs(a - b) <= Tolerance * Math.Abs(b);
}
