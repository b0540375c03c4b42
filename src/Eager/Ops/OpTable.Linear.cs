namespace Fusion;

internal static partial class OpTable
{
    /// <summary>op(A)·op(B) over the last two axes, the others broadcast. With u the upstream gradient: dA = u·op(B)ᵀ, dB = op(A)ᵀ·u.</summary>
    public static readonly Op MatMul = Row(new Op
    {
        Name = "MatMul",
        IsTotal = true,
        Arity = 2,
        Infer = MatrixProducts.Infer,
        Run = (x, attributes, y) => MatrixProducts.Run(x[0], x[1], null, (MatMulAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => DeviceProducts.Run(x[0], x[1], null, (MatMulAttributes)attributes!, y[0]),
        DeviceProduct = (x, attributes, y, work) => DeviceProducts.Run(x[0], x[1], null, (MatMulAttributes)attributes!, y, work),
        Product = (x, attributes, y, finish) => MatrixProducts.Run(x[0], x[1], null, (MatMulAttributes)attributes!, y, finish),
        MultiplyAdds = (x, attributes, y) => y.Shape.Size * x[0].Shape[((MatMulAttributes)attributes!).TransposeA ? -2 : -1],
        Gradient = [MatMulGradientA, MatMulGradientB],
        Saves = Saved.Inputs,
        SavesPerInput = [Saved.Input1, Saved.Input0],
    }).Named("matmul", "real");

    /// <summary>x·Wᵀ + b for x (m, in), W (out, in), b (out): the bias is added where the product is written.</summary>
    public static readonly Op FullyConnected = Row(new Op
    {
        Name = "FullyConnected",
        IsTotal = true,
        Arity = 3,
        Infer = MatrixProducts.InferFullyConnected,
        Run = (x, _, y) => MatrixProducts.Run(x[0], x[1], x[2], MatrixProducts.ByRowsOfWeights, y[0]),
        DeviceRun = (x, _, y) => DeviceProducts.Run(x[0], x[1], x[2], MatrixProducts.ByRowsOfWeights, y[0]),
        DeviceProduct = (x, _, y, work) => DeviceProducts.Run(x[0], x[1], x[2], MatrixProducts.ByRowsOfWeights, y, work),
        Product = (x, _, y, finish) => MatrixProducts.Run(x[0], x[1], x[2], MatrixProducts.ByRowsOfWeights, y, finish),
        MultiplyAdds = (x, _, y) => y.Shape.Size * x[0].Shape[-1],
        Gradient = [c => Product(c.G, c.Y, false, false), c => Product(c.G, c.X, true, false), c => c.G],
        Saves = Saved.Input0 | Saved.Input1,
        SavesPerInput = [Saved.Input1, Saved.Input0, Saved.None],
    }).Named("mx.npx.fully_connected, -, torch.nn.functional.linear", "real");

    /// <summary>a × b along an axis of size 3 of two arrays of one shape: ā = b × g, b̄ = g × a. Attributes: <see cref="AxisAttributes"/>.</summary>
    public static readonly Op Cross = Row(new Op
    {
        Name = "Cross",
        IsTotal = true,
        Arity = 2,
        Infer = VectorProducts.InferCross,
        Run = (x, attributes, y) => VectorProducts.RunCross(x[0], x[1], ((AxisAttributes)attributes!).Axis, y[0]),
        DeviceRun = (x, attributes, y) => VectorProducts.RunCrossOnDevice(x[0], x[1], ((AxisAttributes)attributes!).Axis, y[0]),
        Gradient = [c => Cross!.Apply(c.Y, c.G, c.Attributes<AxisAttributes>()), c => Cross!.Apply(c.G, c.X, c.Attributes<AxisAttributes>())],
        Saves = Saved.Inputs,
        SavesPerInput = [Saved.Input1, Saved.Input0],
        Cost = Cost.MemoryBound,
    }).Named("mx.np.cross, np.cross, torch.linalg.cross");

    private static NDArray Product(NDArray a, NDArray b, bool transposeA, bool transposeB) => MatMul.Apply(a, b, new MatMulAttributes(transposeA, transposeB));

    private static NDArray MatMulGradientA(GradientContext c)
    {
        (bool ta, bool tb) = c.Attributes<MatMulAttributes>();
        return ta ? Product(c.Y, c.G, tb, true) : Product(c.G, c.Y, false, !tb);
    }

    private static NDArray MatMulGradientB(GradientContext c)
    {
        (bool ta, bool tb) = c.Attributes<MatMulAttributes>();
        return tb ? Product(c.G, c.X, true, ta) : Product(c.X, c.G, !ta, false);
    }
}
