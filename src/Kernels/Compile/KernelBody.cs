namespace Fusion.Kernels;

/// <summary>The steps of a <see cref="KernelSpec"/> as trees, in the current <see cref="TreeBuilder"/>.</summary>
internal static class KernelBody
{
    /// <summary>
    /// The tree of every value that is used; one used more than once is a variable, and so is one after so many operators since the last variable.
    /// </summary>
    /// <param name="spec">What is computed.</param>
    /// <param name="uses">How often each value is used: see <see cref="CountUses"/>.</param>
    /// <param name="load">The tree of an input.</param>
    /// <param name="statementOperators">The most operators in one statement, about.</param>
    public static TreeLane[] Write(KernelSpec spec, int[] uses, Func<int, TreeLane> load, int statementOperators = int.MaxValue)
    {
        TreeBuilder builder = TreeBuilder.Current;
        TreeLane[] values = new TreeLane[spec.ValueCount];
        int written = 0;
        for (int value = 0; value < values.Length; value++)
        {
            if (uses[value] == 0) continue;
            int step = value - spec.Inputs.Length;
            TreeLane lane = step < 0 ? load(value) : Apply(spec.Steps[step], argument => values[argument]);
            bool keep = uses[value] > 1 || builder.OperatorCount - written >= statementOperators;
            values[value] = keep ? TreeLane.Let(lane) : lane;
            if (keep) written = builder.OperatorCount;
        }

        return values;
    }

    /// <summary>Uses by outputs and by steps that are themselves used.</summary>
    public static int[] CountUses(KernelSpec spec)
    {
        int[] uses = new int[spec.ValueCount];
        foreach (int output in spec.Outputs) uses[output]++;
        for (int k = spec.Steps.Length - 1; k >= 0; k--)
        {
            KernelStep step = spec.Steps[k];
            if (step.Op is null || uses[spec.Inputs.Length + k] == 0) continue;
            for (int i = 0; i < step.Op.Arity; i++) uses[step[i]]++;
        }
        return uses;
    }

    /// <summary>The tree of a step, given those of its arguments.</summary>
    public static TreeLane Apply(KernelStep step, Func<int, TreeLane> argument)
    {
        if (step.Op is not { } op) return TreeLane.Const(step.Constant);
        Span<TreeLane> arguments = new TreeLane[op.Arity];
        for (int i = 0; i < arguments.Length; i++) arguments[i] = argument(step[i]);
        return op.Emit(arguments);
    }
}
