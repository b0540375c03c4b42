using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// A matrix product, times a number, plus a number: what a product does with its registers before it writes them, each step rounded by itself. There is no kernel, and
/// the result may lie in rows of wider rows.
/// </summary>
internal sealed class ScaledProductStep : PlanStep
{
    private readonly MatMulAttributes _attributes;
    private readonly double _factor;
    private readonly NDArray? _addend;

    private ScaledProductStep(PlanGroup group, OpNode product, OpNode result, double factor, NDArray? addend)
        : base(group, product.Inputs, [result]) => (_attributes, _factor, _addend) = ((MatMulAttributes)product.Attributes!, factor, addend);

    public override bool CannotFail => true;

    /// <summary>The launch of a product with its kernel, if it is of this form.</summary>
    /// <param name="group">The product and the kernel.</param>
    /// <param name="written">Values that somebody outside reads.</param>
    public static ScaledProductStep? TryCreate(PlanGroup group, HashSet<GraphNode> written)
    {
        OpNode product = group.Parts[0].Members[0];
        if (!ReferenceEquals(product.Op, OpTable.MatMul) || product.Shape != group.Parts[1].Shape || !IsOneBlock(product)) return null;
        OpNode value = product;
        (double factor, double? addend) = (1, null);
        foreach (OpNode member in group.Parts[1].Members)
        {
            if (written.Contains(value) || addend is not null || member.DType != product.DType || NumberBeside(member, value) is not { } number) return null;
            if (ReferenceEquals(member.Op, OpTable.Add)) addend = number;
            else if (ReferenceEquals(member.Op, OpTable.Multiply) && ReferenceEquals(value, product)) factor = number;
            else return null;
            value = member;
        }

        return new ScaledProductStep(group, product, value, factor, addend is { } a ? Repeated(a, product) : null);
    }

    public override bool CanOverwrite(GraphNode old, OpNode output, HashSet<GraphNode> leaves) => Array.TrueForAll(Inputs, i => !ReferenceEquals(Placement.Root(i, leaves), old));

    public override bool Writes(OpNode output, long[] strides) => AreRows(output.Shape, strides);

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs) => MatrixProducts.Run(inputs[0], inputs[1], _addend, _attributes, outputs[0], factor: _factor);

    // For every column, as a bias.
    private static NDArray Repeated(double number, OpNode product)
    {
        NDArray row = NDArray.Allocate(product.DType, product.Shape[-1], null);
        Movement.Fill(row, number);
        return row;
    }

    // The sum is complete when it is scaled.
    private static bool IsOneBlock(OpNode product) =>
        product.Inputs[0].Shape[((MatMulAttributes)product.Attributes!).TransposeA ? -2 : -1] <= (product.DType == DType.Float32 ? GemmProblem<float>.MaxDepth : GemmProblem<double>.MaxDepth);

    private static double? NumberBeside(OpNode call, GraphNode value) => call.Inputs switch
    {
        [var x, ConstantNode number] when ReferenceEquals(x, value) => number.Value,
        [ConstantNode number, var x] when ReferenceEquals(x, value) => number.Value,
        _ => null,
    };
}
