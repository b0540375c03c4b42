using System.Collections.Concurrent;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The gradient rule of an element-wise row, or of a sum of its results, compiled to one kernel: on large arrays the rule's operators would each pass over
/// memory. The rule is traced once for each way in which it is used; the kernel gives the bits of its operators one by one.
/// </summary>
internal sealed class FusedRule
{
    // Below, a rule's intermediate values stay in the cache and the operators cost little; a kernel takes milliseconds to compile, so it has to be asked for
    // more than once.
    private const long LeastSize = 32 * 1024;
    private const int FirstFused = 3;

    private static readonly ConcurrentDictionary<Use, FusedRule> s_rules = new();

    private readonly KernelSpec? _spec;
    private readonly int[] _operands = []; // 0: the gradient, then the inputs, last the output
    private int _uses;                     // up to FirstFused

    private FusedRule(Use use, GradientRule rule)
    {
        int arity = use.Op.Arity;
        KernelInput[] inputs = new KernelInput[arity + 2];
        for (int i = 0; i < arity; i++) inputs[i + 1] = new KernelInput(use.Op.Element!.IsMaskInput(i), (use.Scalars >> i & 1) != 0);
        inputs[^1] = new KernelInput(use.Op.Element!.IsMask);
        try
        {
            KernelSpec spec = ElementTracer.Trace(use.Is64, inputs, symbols =>
                [rule(new GradientContext(symbols[0], symbols.AsSpan(1, arity), symbols[^1]) { Index = use.Input })]).WithoutUnusedInputs(out _operands);
            int operators = 0, weight = 0;
            foreach (KernelStep step in spec.Steps)
            {
                if (step.Op is null) continue;
                operators++;
                weight += step.Op.Weight;
            }

            if (operators > 1 && weight <= KernelCompiler.MaxOperators && !spec.IsMask(spec.Outputs[0])) _spec = spec;
        }
        catch (InvalidOperationException)
        {
            // It is more than element-wise.
        }
    }

    /// <summary>The gradient of an input, if the rule of the node's row can be one kernel and has been used often enough to be worth compiling.</summary>
    public static NDArray? TryApply(GradientRule rule, TapeNode node, int input, NDArray gradient)
    {
        Op? terms = node.Op.Terms;
        Op row = terms ?? node.Op;
        if (row.Element is null || (terms is null ? gradient.Size : node.Edge(input).Shape.Size) < LeastSize) return null;
        if ((terms is null && node.Attributes is not null) || node.IsTraced || !KernelCompiler.IsAvailable) return null;
        if (ExecutionState.Current.Tracer is not null || gradient.IsOnGpu || gradient.DType is not (DType.Float32 or DType.Float64)) return null;
        int scalars = 0;
        for (int i = 0; i < node.InputCount; i++)
            if (node.Edge(i).Shape.Size == 1) scalars |= 1 << i;
        Use use = new(row, input, gradient.DType == DType.Float64, scalars);
        if (terms is not null) (rule, gradient) = (row.GradientFor(input)!, Reductions.Spread(node, gradient));
        if (!s_rules.TryGetValue(use, out FusedRule? fused)) fused = s_rules.GetOrAdd(use, new FusedRule(use, rule));
        return fused._spec is { } spec && fused.IsWorthIt() ? fused.Run(spec, node, gradient) : null;
    }

    private bool IsWorthIt() => Volatile.Read(ref _uses) >= FirstFused || Interlocked.Increment(ref _uses) >= FirstFused;

    private NDArray? Run(KernelSpec spec, TapeNode node, NDArray gradient)
    {
        NDArray[] operands = new NDArray[_operands.Length];
        int mask = 0;
        for (int i = 0; i < operands.Length; i++)
        {
            int operand = _operands[i];
            NDArray array = operand == 0 ? gradient : operand <= node.InputCount ? node.SavedInput(operand - 1) : node.SavedOutput;
            if (array.IsOnGpu || array.DType != (spec.Inputs[i].IsMask ? DType.Bool : gradient.DType)) return null;
            if (spec.Inputs[i].IsScalar) mask |= 1 << i;
            operands[i] = array;
        }

        if (KernelCompiler.TryCompile(spec) is not { } kernel) return null;
        NDArray result = NDArray.Allocate(gradient.DType, gradient.Shape);
        ElementExecution.Run(kernel, mask, operands, new ReadOnlySpan<NDArray>(in result), gradient.Shape);
        ExecutionState state = ExecutionState.Current;
        if (state.TemporaryScopes > 0) Temporaries.Add(state, result);
        return result;
    }

    /// <summary>One way in which a rule is used. Bit i of <paramref name="Scalars"/>: input i has one element.</summary>
    private readonly record struct Use(Op Op, int Input, bool Is64, int Scalars);
}
