using Fusion.Kernels;

namespace Fusion;

// Rows on the bits of integers.
internal static partial class OpTable
{
    public static readonly Op BitwiseAnd = BitRow("BitwiseAnd", BitOperation.And).Named("bitwise_and", "integer");

    public static readonly Op BitwiseOr = BitRow("BitwiseOr", BitOperation.Or).Named("bitwise_or", "integer");

    public static readonly Op BitwiseXor = BitRow("BitwiseXor", BitOperation.Xor).Named("bitwise_xor", "integer");

    public static readonly Op ShiftLeft = BitRow("ShiftLeft", BitOperation.ShiftLeft).Named("-, np.left_shift, torch.bitwise_left_shift", "integer");

    public static readonly Op ShiftRight = BitRow("ShiftRight", BitOperation.ShiftRight).Named("-, np.right_shift, torch.bitwise_right_shift", "integer");

    private static Op BitRow(string name, BitOperation operation) => Row(new Op
    {
        Name = name,
        Arity = 2,
        Infer = (x, _, y) =>
        {
            foreach (TensorType type in x)
                if (type.DType.IsFloat) throw Errors.NoBits(name, type.DType);
            if (x[0].DType != x[1].DType) throw new DTypeException($"{name}: {x[0].DType} and {x[1].DType}. Convert one with AsType.");
            y[0] = x[0] with { Shape = Broadcasting.Infer(name, x[0].Shape, x[1].Shape) };
        },
        Run = (x, _, y) => RunBits(operation, x, y[0]),
        Gradient = [null, null],
        Cost = Cost.MemoryBound,
    });

    private static void RunBits(BitOperation operation, ReadOnlySpan<NDArray> x, NDArray y)
    {
        if (y.Size == 0) return;
        int scalars = (x[0].Size == 1 ? 1 : 0) | (x[1].Size == 1 ? 2 : 0);
        ElementExecution.Run(BitLoops.Loop(operation, y.DType, scalars), scalars, x, new ReadOnlySpan<NDArray>(in y), y.Shape);
    }
}
