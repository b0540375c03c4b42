using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// An element-wise kernel and reductions of its results to numbers, or of their rows to one, a block at a time: results that nobody else needs are never
/// written to memory. Around it, work on numbers: what the kernel reads, and what is made of the sums.
/// </summary>
internal sealed unsafe class BlocksStep : PlanStep
{
    private readonly LoweredKernel _kernel;
    private readonly ElementKernel _loop;
    private readonly Shape _shape;
    private readonly int[] _arrays;
    private readonly (ReduceKind Kind, int Operand, int Result)[] _folds;
    private readonly NestedStep[] _before;
    private readonly NestedStep[] _after;

    private BlocksStep(
        PlanGroup group, LaunchArrays arrays, LoweredKernel kernel, int[] operands, (ReduceKind, int, int)[] folds, NestedStep[] before, NestedStep[] after)
        : base(group, [.. arrays.Inputs], arrays.Outputs)
    {
        _kernel = kernel;
        _loop = kernel.Compile();
        _shape = group.Blocks!.Kernel.Shape;
        _arrays = operands;
        _folds = folds;
        _before = before;
        _after = after;
    }

    public override IEnumerable<LoweredKernel> Kernels => _before.Concat(_after).SelectMany(static n => n.Step.Kernels).Prepend(_kernel);

    public override bool CannotFail => _before.Concat(_after).All(static n => n.Step.CannotFail);

    public override bool CanOverwrite(GraphNode old, OpNode output, HashSet<GraphNode> leaves) => Array.TrueForAll(Inputs, i => !ReferenceEquals(Placement.Root(i, leaves), old));

    public static BlocksStep Create(PlanGroup group, GraphFunction function, HashSet<GraphNode> written)
    {
        BlockLayout layout = group.Blocks!;
        HashSet<GraphNode> leaves = function.Leaves;
        LaunchArrays arrays = new(group, written);
        OpNode[] folded = [.. layout.Folds.Select(f => (OpNode)Placement.Root(f.Inputs[0], leaves))];
        LoweredKernel kernel = LoweredKernel.Lower(layout.Kernel, m => written.Contains(m) || folded.Contains(m), function: function);
        int[] operands = [.. kernel.Inputs.Select(arrays.Of), .. kernel.Outputs.Select(o => written.Contains(o) ? arrays.Of(o) : -1)];
        (ReduceKind, int, int)[] folds =
            [.. layout.Folds.Select((f, i) => (f.Op.Rows!.Fold!.Value, kernel.Inputs.Length + Array.IndexOf(kernel.Outputs, folded[i]), arrays.Of(f)))];
        NestedStep[] before = [.. layout.Before.Select(p => arrays.Nest(p, function, written))];
        NestedStep[] after = [.. layout.After.Select(p => arrays.Nest(p, function, written))];
        return new BlocksStep(group, arrays, kernel, operands, folds, before, after);
    }

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        foreach (NestedStep nested in _before) nested.Run(inputs, outputs);
        Action action = new() { Step = this, Inputs = inputs, Outputs = outputs };
        ArrayPins.Run(outputs, inputs, ref action);
        foreach (NestedStep nested in _after) nested.Run(inputs, outputs);
    }

    private ref struct Action : IArrayAction
    {
        public BlocksStep Step;
        public ReadOnlySpan<NDArray> Inputs;
        public Span<NDArray> Outputs;

        [SkipLocalsInit]
        public readonly void Invoke(ReadOnlySpan<nint> pointers)
        {
            int count = Step._arrays.Length;
            int rank = Step._shape.Rank;
            int read = Step._kernel.Inputs.Length;
            Operand* operands = stackalloc Operand[count];
            long* strides = stackalloc long[Math.Max(1, count * rank)];
            Span<long> own = stackalloc long[Shape.MaxRank];
            for (int i = 0; i < count; i++)
            {
                operands[i] = default;
                if (i >= read)
                {
                    // Contiguous; without an address where only the reductions read it.
                    operands[i].ElementSize = Step._kernel.Outputs[i - read].DType.Size;
                    if (Step._arrays[i] >= 0) operands[i].Data = pointers[Step._arrays[i]];
                    continue;
                }

                NDArray array = LaunchArrays.Get(Step._arrays[i], Inputs, Outputs);
                array.CopyStrides(own);
                Broadcasting.Strides(own, array.Shape, Step._shape, new Span<long>(strides + i * rank, rank));
                operands[i].Data = pointers[Step._arrays[i]];
                operands[i].Strides = strides + i * rank;
                operands[i].ElementSize = array.DType.Size;
                operands[i].IsScalar = Step._kernel.Spec.Inputs[i].IsScalar;
            }

            (ReduceKind Kind, int Operand, int Result)[] folds = Step._folds;
            long columns = Step.Group.Blocks!.Columns;
            BlockSink* sinks = stackalloc BlockSink[folds.Length];
            for (int i = 0; i < folds.Length; i++)
            {
                BlockFold fold = BlockFold.Of(folds[i].Kind, Step._kernel.Spec.Is64, columns > 1);
                sinks[i] = new BlockSink { Fold = fold, Operand = folds[i].Operand, Result = pointers[folds[i].Result] };
            }

            BlockLoop.Run(Step._loop, count, operands, Step._shape.Dimensions, columns, sinks, folds.Length);
        }
    }
}
