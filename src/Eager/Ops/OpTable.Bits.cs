using Fusion.Kernels;

namespace Fusion;

// Rows on the bits of integers.
internal static partial class OpTable
{
    public static readonly Op BitwiseAnd = BitRow("BitwiseAnd", BitOperation.And);

    public static readonly Op BitwiseOr = BitRow("BitwiseOr", BitOperation.Or);

    public static readonly Op BitwiseXor = BitRow("BitwiseXor", BitOperation.Xor);

    public static readonly Op ShiftLeft = BitRow("ShiftLeft", BitOperation.ShiftLeft);

    public static readonly Op ShiftRight = BitRow("ShiftRight", BitOperation.ShiftRight);

    private static Op BitRow(string name, BitOperation operation) => Row(new Op
    {
        Name = name,
        Arity = 2,
        Infer = (x, _, y) =>
        {
            foreach (TensorType type in x)
                if (type.DType.IsFloat) throw new DTypeException($"{name}: {type.DType} has no bits to work on. Convert with AsType(DType.Int32).");
            if (x[0].DType != x[1].DType) throw new DTypeException($"{name}: {x[0].DType} and {x[1].DType}. Convert one with AsType.");
            y[0] = x[0] with { Shape = Broadcasting.Infer(name, x[0].Shape, x[1].Shape) };
        },
        Run = (x, _, y) => RunBits(operation, x[0], x[1], y[0]),
        Gradient = [null, null],
        Cost = Cost.MemoryBound,
    });

    private static unsafe void RunBits(BitOperation operation, NDArray a, NDArray b, NDArray y)
    {
        NDArray x = Spread(a), z = Spread(b);
        fixed (byte* px = &x.Data, pz = &z.Data, py = &y.Data) BitLoops.Run(operation, y.DType, (nint)px, (nint)pz, (nint)py, y.Size);
        GC.KeepAlive(x);
        GC.KeepAlive(z);

        NDArray Spread(NDArray operand) => operand.Shape == y.Shape ? operand.Contiguous() : Views.Broadcast(operand, y.Shape).Contiguous();
    }
}
