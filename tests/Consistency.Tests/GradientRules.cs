namespace Fusion.Tests;

/// <summary>What the gradient rules of a row do when a case is differentiated.</summary>
internal static class GradientRules
{
    /// <summary>The rules that run. The row is changed meanwhile: only for tests that run alone.</summary>
    public static HashSet<int> Ran(Op row, Action differentiate)
    {
        HashSet<int> ran = [];
        GradientRule?[] rules = row.Gradient!;
        GradientRule?[] kept = [.. rules];
        try
        {
            for (int i = 0; i < rules.Length; i++)
            {
                if (kept[i] is not { } rule) continue;
                int index = i;
                rules[i] = context =>
                {
                    ran.Add(index);
                    return rule(context);
                };
            }

            differentiate();
        }
        finally
        {
            kept.CopyTo(rules, 0);
        }

        return ran;
    }

    /// <summary>What backward of a case reads of the row's call: overwriting it makes backward fail.</summary>
    public static Saved Reads(Op row, OpCase test)
    {
        Saved read = Saved.None;
        foreach (Saved part in Parts(row))
        {
            CaseGradient gradient = new(test, test.Shapes[0], DType.Float64);
            NDArray[] inputs = gradient.Inputs;
            foreach (NDArray variable in gradient.Variables) variable.AttachGrad();
            NDArray head;
            using (Autograd.Record(trainMode: false)) head = test.Call(inputs);
            if (NodeOf(head, row) is not { } node || Part(node, part) is not { } array || array.IsConstant) continue;
            array.Fill(1);
            try
            {
                head.Backward();
            }
            catch (AutogradException e) when (e.Message.Contains(row.Name, StringComparison.Ordinal))
            {
                read |= part;
            }
        }

        return read;
    }

    /// <summary>The parts of what a row saves that its cases can overwrite: not constants of the library.</summary>
    public static Saved Writable(Op row, OpCase[] tests)
    {
        Saved writable = Saved.None;
        foreach (OpCase test in tests)
        {
            CaseGradient gradient = new(test, test.Shapes[0], DType.Float64);
            foreach (NDArray variable in gradient.Variables) variable.AttachGrad();
            using RecordScope scope = Autograd.Record(trainMode: false);
            if (NodeOf(test.Call(gradient.Inputs), row) is not { } node) continue;
            foreach (Saved part in Parts(row))
                if (Part(node, part) is { IsConstant: false }) writable |= part;
        }

        return writable;
    }

    private static IEnumerable<Saved> Parts(Op row) => new[] { Saved.Input0, Saved.Input1, Saved.Input2, Saved.Output }.Where(part => (row.Saves & part) != 0);

    private static NDArray? Part(TapeNode node, Saved part) => part switch
    {
        Saved.Output => node.SavedOutput,
        Saved.Input0 => node.SavedInput(0),
        Saved.Input1 => node.InputCount > 1 ? node.SavedInput(1) : null,
        _ => node.InputCount > 2 ? node.SavedInput(2) : null,
    };

    // The first node of the row on the way from the head to its inputs.
    private static TapeNode? NodeOf(NDArray head, Op row)
    {
        Queue<object?> open = new([head.Source]);
        while (open.TryDequeue(out object? source))
        {
            if (source is not TapeNode node) continue;
            if (ReferenceEquals(node.Op, row)) return node;
            for (int i = 0; i < node.InputCount; i++) open.Enqueue(node.Edge(i).Source);
        }

        return null;
    }
}
