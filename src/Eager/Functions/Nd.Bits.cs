namespace Fusion;

// Operations on the bits of integers (two's complement). Bool operands of and, or, xor, not are logical; a C# number takes the array's type.
public static partial class Nd
{
    /// <summary>Bits set in both.</summary>
    /// <exception cref="DTypeException">An operand is floating point.</exception>
    public static NDArray BitwiseAnd(this NDArray x, NDArray y) => Bits(OpTable.BitwiseAnd, x, y);

    /// <summary>Bits set in both.</summary>
    public static NDArray BitwiseAnd(this NDArray x, long y) => Bits(OpTable.BitwiseAnd, x, Number(x, y));

    /// <summary>Bits set in one or both.</summary>
    /// <exception cref="DTypeException">An operand is floating point.</exception>
    public static NDArray BitwiseOr(this NDArray x, NDArray y) => Bits(OpTable.BitwiseOr, x, y);

    /// <summary>Bits set in one or both.</summary>
    public static NDArray BitwiseOr(this NDArray x, long y) => Bits(OpTable.BitwiseOr, x, Number(x, y));

    /// <summary>Bits set in exactly one.</summary>
    /// <exception cref="DTypeException">An operand is floating point.</exception>
    public static NDArray BitwiseXor(this NDArray x, NDArray y) => Bits(OpTable.BitwiseXor, x, y);

    /// <summary>Bits set in exactly one.</summary>
    public static NDArray BitwiseXor(this NDArray x, long y) => Bits(OpTable.BitwiseXor, x, Number(x, y));

    /// <summary>Every bit changed.</summary>
    /// <exception cref="DTypeException">The operand is floating point.</exception>
    public static NDArray BitwiseNot(this NDArray x) => Checked(x).DType switch
    {
        DType.Bool => LogicalNot(x),
        { IsFloat: true } dtype => throw Errors.NoBits("BitwiseNot", dtype),
        _ => Bits(OpTable.BitwiseXor, x, Number(x, -1)),
    };

    /// <summary>x·2ʸ without the bits that leave the type; 0 from the type's width on.</summary>
    /// <exception cref="DTypeException">An operand is floating point.</exception>
    public static NDArray ShiftLeft(this NDArray x, NDArray y) => Bits(OpTable.ShiftLeft, x, y);

    /// <summary>x·2ʸ without the bits that leave the type; 0 from the type's width on.</summary>
    public static NDArray ShiftLeft(this NDArray x, int y) => Bits(OpTable.ShiftLeft, x, Number(x, y));

    /// <summary>⌊x/2ʸ⌋; the sign alone remains from the type's width on.</summary>
    /// <exception cref="DTypeException">An operand is floating point.</exception>
    public static NDArray ShiftRight(this NDArray x, NDArray y) => Bits(OpTable.ShiftRight, x, y);

    /// <summary>⌊x/2ʸ⌋; the sign alone remains from the type's width on.</summary>
    public static NDArray ShiftRight(this NDArray x, int y) => Bits(OpTable.ShiftRight, x, Number(x, y));

    private static NDArray Bits(Op op, NDArray x, NDArray y)
    {
        DType dtype = DTypes.Promote(Checked(x).DType, Checked(y).DType);
        bool logical = ReferenceEquals(op, OpTable.BitwiseAnd) || ReferenceEquals(op, OpTable.BitwiseOr) || ReferenceEquals(op, OpTable.BitwiseXor);
        if (dtype == DType.Bool && !logical) dtype = DType.Int32;
        return op.Apply(Elements.To(x, dtype), Elements.To(y, dtype));
    }

    private static NDArray Number(NDArray x, long value)
    {
        DType dtype = Elements.NumberType(Checked(x).DType);
        return dtype == DType.UInt8 && value == -1 ? Full(default, 255, DType.UInt8) : Table([value], default, Device.Cpu).AsType(dtype);
    }
}
