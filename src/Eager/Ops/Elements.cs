namespace Fusion;

/// <summary>Promotion of operands to one type before an element-wise operator sees them.</summary>
internal static class Elements
{
    [ThreadStatic]
    private static (long Bits, DType DType, NDArray? Array)[]? t_scalars;

    /// <summary>Operators on real numbers: integers and Bool become Float32.</summary>
    public static NDArray Real(Op op, NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return op.Apply(x.DType.IsFloat ? x : x.AsType(DType.Float32));
    }

    /// <summary>Arithmetic and comparison of any numbers; Bool counts as Int32.</summary>
    public static NDArray Number(Op op, NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return op.Apply(x.DType == DType.Bool ? x.AsType(DType.Int32) : x);
    }

    /// <summary>Two arrays: both become the promoted type.</summary>
    public static NDArray Number(Op op, NDArray x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        if (x.DType == y.DType && x.DType != DType.Bool) return op.Apply(x, y);
        DType dtype = NumberType(DTypes.Promote(x.DType, y.DType));
        return op.Apply(To(x, dtype), To(y, dtype));
    }

    /// <summary>An array and a weak scalar: the array's type, unless the scalar does not fit it.</summary>
    public static NDArray Number(Op op, NDArray x, double y)
    {
        ArgumentNullException.ThrowIfNull(x);
        DType dtype = WeakType(x.DType, y);
        return op.Apply(To(x, dtype), Scalar(y, dtype));
    }

    /// <summary>A weak scalar and an array.</summary>
    public static NDArray Number(Op op, double x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(y);
        DType dtype = WeakType(y.DType, x);
        return op.Apply(Scalar(x, dtype), To(y, dtype));
    }

    /// <summary>Two real operands: integers become Float32 (true division, powers of negative exponents).</summary>
    public static NDArray Real(Op op, NDArray x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        if (x.DType == y.DType && x.DType.IsFloat) return op.Apply(x, y);
        DType dtype = RealType(DTypes.Promote(x.DType, y.DType));
        return op.Apply(To(x, dtype), To(y, dtype));
    }

    /// <summary>A real array and a scalar.</summary>
    public static NDArray Real(Op op, NDArray x, double y)
    {
        ArgumentNullException.ThrowIfNull(x);
        DType dtype = RealType(x.DType);
        return op.Apply(To(x, dtype), Scalar(y, dtype));
    }

    /// <summary>A scalar and a real array.</summary>
    public static NDArray Real(Op op, double x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(y);
        DType dtype = RealType(y.DType);
        return op.Apply(Scalar(x, dtype), To(y, dtype));
    }

    /// <summary>Two truth values; anything else counts as ≠ 0.</summary>
    public static NDArray Logical(Op op, NDArray x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        return op.Apply(To(x, DType.Bool), To(y, DType.Bool));
    }

    /// <summary>The array in another type, or itself.</summary>
    public static NDArray To(NDArray x, DType dtype) => x.DType == dtype ? x : x.AsType(dtype);

    public static DType NumberType(DType dtype) => dtype == DType.Bool ? DType.Int32 : dtype;

    public static DType RealType(DType dtype) => dtype.IsFloat ? dtype : DType.Float32;

    /// <summary>The type of an operation with a C# number: weak, so it does not widen the array's type unless its value needs it.</summary>
    public static DType WeakType(DType array, double scalar)
    {
        if (array.IsFloat) return array;
        bool fits = Math.Floor(scalar) == scalar && array switch
        {
            DType.UInt8 => scalar is >= 0 and <= 255,
            DType.Int64 => scalar is >= long.MinValue and < 9223372036854775808.0,
            _ => scalar is >= int.MinValue and <= int.MaxValue,
        };
        if (fits) return NumberType(array);
        return Math.Floor(scalar) == scalar && Math.Abs(scalar) < 9e18 ? (Math.Abs(scalar) <= int.MaxValue ? DType.Int32 : DType.Int64) : DType.Float32;
    }

    /// <summary>A scalar operand. Cached per thread: the same number in a loop costs no allocation. Never handed to users.</summary>
    public static NDArray Scalar(double value, DType dtype)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        (long Bits, DType DType, NDArray? Array)[] cache = t_scalars ??= new (long, DType, NDArray?)[64];
        ulong hash = ((ulong)bits ^ ((ulong)dtype << 58)) * 0x9E3779B97F4A7C15;
        ref (long Bits, DType DType, NDArray? Array) entry = ref cache[(int)(hash >> 58)];
        if (entry.Array is { } hit && entry.Bits == bits && entry.DType == dtype) return hit;
        NDArray array = NDArray.Allocate(dtype, default);
        Movement.Fill(array, value);
        entry = (bits, dtype, array.AsConstant());
        return array;
    }

    /// <summary>target += value, in place and unrecorded: how gradients are added up.</summary>
    public static void AddInto(NDArray target, NDArray value)
    {
        NDArray sum = null!;
        ReadOnlySpan<NDArray> operands = [target, value];
        if (target.IsShared || !target.IsContiguous || !value.IsContiguous || value.Shape != target.Shape)
        {
            Dispatcher.Execute(OpTable.Add, operands, null, new Span<NDArray>(ref sum));
            target.Adopt(sum, sourceDies: true);
            return;
        }

        target.BeginWrite("Add", keepValue: true);
        if (target.IsOnGpu) DeviceElementExecution.Run(OpTable.Add.Element!, operands, target);
        else ElementExecution.Run(OpTable.Add.Element!, operands, target);
    }
}
