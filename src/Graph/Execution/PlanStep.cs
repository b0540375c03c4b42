using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>One launch of a plan.</summary>
internal abstract class PlanStep(PlanGroup group, GraphNode[] inputs, OpNode[] outputs)
{
    public PlanGroup Group => group;

    public GraphNode[] Inputs => inputs;

    public OpNode[] Outputs => outputs;

    /// <summary>The compiled kernels in it.</summary>
    public virtual IEnumerable<LoweredKernel> Kernels => [];

    /// <summary>The launch of a group; none for a view.</summary>
    public static PlanStep? Of(PlanGroup group, GraphFunction function, HashSet<GraphNode> written, bool onDevice = false) => group.Kind switch
    {
        GroupKind.View => null,
        GroupKind.Library when group.Members[0].Op.Draw is not null => new DrawStep(group, function.BlocksBefore(group.Members[0])),
        GroupKind.Library when group.Members.Count > 1 => new CompanionStep(group),
        GroupKind.Library => new LibraryStep(group, onDevice),
        GroupKind.MatMul when !onDevice && ScaledProductStep.TryCreate(group, written) is { } scaled => scaled,
        GroupKind.MatMul => ProductStep.Create(group, function, written, onDevice),
        GroupKind.Rows when onDevice => DeviceRowsStep.Create(group, function, written),
        GroupKind.Rows => RowsStep.Create(group, function, written),
        GroupKind.Reduce when onDevice => new NormsStep(group),
        GroupKind.Reduce => BlocksStep.Create(group, function, written),
        _ => new FusedStep(group, LoweredKernel.Lower(group, written.Contains, function: function), onDevice),
    };

    /// <summary>Its kernels for rows of the processor, and the operators in each.</summary>
    public virtual IEnumerable<(RowSpec Spec, OpNode[] Members)> RowKernels => [];

    /// <summary>The kernels as NVIDIA's intermediate code.</summary>
    /// <param name="capability">80 or 90.</param>
    public virtual IEnumerable<string> Ptx(int capability = 80) => Kernels.Select(k => DeviceKernelText.ToPtx(k.Spec, capability));

    /// <summary>No values of its inputs make it throw.</summary>
    public virtual bool CannotFail => false;

    /// <summary>The memory of <paramref name="old"/> may be that of <paramref name="output"/>: it is read not at all, or only element by element.</summary>
    public virtual bool CanOverwrite(GraphNode old, OpNode output, HashSet<GraphNode> leaves) => false;

    /// <summary>Its operands may be arrays of the program: it makes no views of them, which would share their memory.</summary>
    public virtual bool TakesArrays => false;

    /// <summary>A result may lie in memory with these strides, between elements of others.</summary>
    public virtual bool Writes(OpNode output, long[] strides) => false;

    public abstract void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs);

    // A matrix product of the processor: it writes the elements of its result and nothing else.
    private protected static bool IsProduct(OpNode node) => ReferenceEquals(node.Op, OpTable.MatMul) || ReferenceEquals(node.Op, OpTable.FullyConnected);

    // Rows without gaps, however far they lie apart.
    private protected static bool AreRows(Shape shape, long[] strides) => shape.Rank >= 2 && shape[-2] > 1 && strides[^1] == 1 && strides[^2] >= shape[-1];
}

/// <summary>A fused kernel.</summary>
internal sealed class FusedStep(PlanGroup group, LoweredKernel kernel, bool onDevice = false) : PlanStep(group, kernel.Inputs, kernel.Outputs)
{
    // On a device the first launch compiles: which kernel it takes depends on where scalars lie.
    private readonly ElementKernel _kernel = onDevice ? default : kernel.Compile();

    // All operands lie as the kernel runs, or are numbers: what a handle sees of its memory is the same in every call. Null: not yet known.
    private bool? _isDirect;

    public override bool TakesArrays => !onDevice;

    public override bool Writes(OpNode output, long[] strides) => !onDevice;

    public KernelSpec Spec => kernel.Spec;

    /// <summary>Its kernel draws random numbers.</summary>
    public bool Draws => kernel.Draws.Length > 0;

    public ElementKernel Kernel => _kernel;

    public int ScalarMask => kernel.ScalarMask;

    public override IEnumerable<LoweredKernel> Kernels => [kernel];

    public override bool CannotFail => true;

    public override bool CanOverwrite(GraphNode old, OpNode output, HashSet<GraphNode> leaves) =>
        Array.TrueForAll(Inputs, i => !ReferenceEquals(Placement.Root(i, leaves), old) || (ReferenceEquals(i, old) && i.Shape == output.Shape));

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        if (Group.Shape.Size == 0) return;
        if (outputs[0].IsOnGpu) DeviceElementExecution.Run(kernel.Spec, inputs, outputs, Group.Shape);
        else if (_isDirect ??= IsDirect(inputs, outputs)) ElementExecution.RunDirect(_kernel, inputs, outputs, Group.Shape.Size);
        else ElementExecution.Run(_kernel, kernel.ScalarMask, inputs, outputs, Group.Shape);
    }

    private bool IsDirect(ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> outputs)
    {
        for (int i = 0; i < inputs.Length; i++)
            if ((kernel.ScalarMask >> i & 1) == 0 && !IsWhole(inputs[i])) return false;
        foreach (NDArray output in outputs)
            if (!IsWhole(output)) return false;
        return true;

        bool IsWhole(NDArray array) => array.IsContiguous && array.Size == Group.Shape.Size;
    }
}

/// <summary>A kernel of the library, the same that eager execution calls.</summary>
internal sealed class LibraryStep(PlanGroup group, bool onDevice = false) : PlanStep(group, [.. group.Members[0].Inputs], [group.Members[0]])
{
    public OpNode Node { get; } = group.Members[0];

    public override bool CannotFail => !onDevice && Node.Op.IsTotal;

    public override bool CanOverwrite(GraphNode old, OpNode output, HashSet<GraphNode> leaves) =>
        CannotFail && Array.TrueForAll(Inputs, i => !ReferenceEquals(Placement.Root(i, leaves), old));

    public override bool Writes(OpNode output, long[] strides) => !onDevice && IsProduct(output) && AreRows(output.Shape, strides);

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs) => Node.Op.Compute(inputs, Node.Attributes, outputs);
}

/// <summary>A whole array of random numbers, from the place in the stream that belongs to it.</summary>
internal sealed class DrawStep(PlanGroup group, ulong blocks) : PlanStep(group, [StreamNode.Place(group.Members[0].Id)], [group.Members[0]])
{
    private readonly OpNode _node = group.Members[0];

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        RandomOrigin start = MemoryMarshal.Read<RandomOrigin>((byte[])inputs[0].Storage);
        ExecutionState state = ExecutionState.Current;
        state.Drawn = start with { Block = unchecked(start.Block + blocks) };
        try
        {
            _node.Op.Compute([], _node.Attributes, outputs);
        }
        finally
        {
            state.Drawn = null;
        }
    }
}
