namespace Fusion;

internal static partial class OpTable
{
    /// <summary>op(A)·op(B) over the last two axes, the others broadcast. With u the upstream gradient: dA = u·op(B)ᵀ, dB = op(A)ᵀ·u.</summary>
    public static readonly Op MatMul = Product(
        "MatMul",
        2,
        MatrixProducts.Infer,
        (x, attributes, y, finish) => MatrixProducts.Run(x[0], x[1], null, (MatMulAttributes)attributes!, y, finish),
        Saved.Inputs,
        MatMulGradientA,
        MatMulGradientB);

    /// <summary>x·Wᵀ + b for x (m, in), W (out, in), b (out): the bias is added where the product is written.</summary>
    public static readonly Op FullyConnected = Product(
        "FullyConnected",
        3,
        MatrixProducts.InferFullyConnected,
        (x, _, y, finish) => MatrixProducts.Run(x[0], x[1], x[2], new MatMulAttributes(false, true), y, finish),
        Saved.Input0 | Saved.Input1,
        c => Product(c.G, c.Y, false, false),
        c => Product(c.G, c.X, true, false),
        c => c.G);

    private static Op Product(string name, int arity, InferRule infer, ProductRule run, Saved saves, params GradientRule?[] gradient) => Row(new Op
    {
        Name = name,
        Arity = arity,
        Infer = infer,
        Run = (x, attributes, y) => run(x, attributes, y[0], default),
        Product = run,
        Gradient = gradient,
        Saves = saves,
    });

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
