using System.Runtime.CompilerServices;

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
        return Promoted(op, x, y, NumberType(DTypes.Promote(x.DType, y.DType)));
    }

    /// <summary>An array and a weak scalar: the array's type, unless the scalar does not fit it.</summary>
    public static NDArray Number(Op op, NDArray x, double y)
    {
        ArgumentNullException.ThrowIfNull(x);
        DType dtype = WeakType(x.DType, y);
        return op.Apply(To(x, dtype), Weak(op, y, dtype));
    }

    /// <summary>A weak scalar and an array.</summary>
    public static NDArray Number(Op op, double x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(y);
        DType dtype = WeakType(y.DType, x);
        return op.Apply(Weak(op, x, dtype), To(y, dtype));
    }

    /// <summary>Two real operands: integers become Float32 (true division, powers of negative exponents).</summary>
    public static NDArray Real(Op op, NDArray x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        if (x.DType == y.DType && x.DType.IsFloat) return op.Apply(x, y);
        return Promoted(op, x, y, RealType(DTypes.Promote(x.DType, y.DType)));
    }

    /// <summary>A real array and a scalar.</summary>
    public static NDArray Real(Op op, NDArray x, double y)
    {
        ArgumentNullException.ThrowIfNull(x);
        DType dtype = RealType(x.DType);
        return op.Apply(To(x, dtype), Weak(op, y, dtype));
    }

    /// <summary>A scalar and a real array.</summary>
    public static NDArray Real(Op op, double x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(y);
        DType dtype = RealType(y.DType);
        return op.Apply(Weak(op, x, dtype), To(y, dtype));
    }

    /// <summary>Two truth values; anything else counts as ≠ 0.</summary>
    public static NDArray Logical(Op op, NDArray x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        return op.Apply(To(x, DType.Bool), To(y, DType.Bool));
    }

    public static NDArray Logical(Op op, NDArray x, double y, [CallerArgumentExpression(nameof(x))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        return op.Apply(To(x, DType.Bool), Scalar(y != 0 ? 1 : 0, DType.Bool));
    }

    /// <summary>The array in another type, or itself.</summary>
    public static NDArray To(NDArray x, DType dtype) => x.DType == dtype ? x : x.AsType(dtype);

    /// <summary>The array in the type that is computed with: Float32 for half precision, else itself.</summary>
    public static NDArray Wide(NDArray x, [CallerArgumentExpression(nameof(x))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        return x.DType.IsHalf ? x.AsType(DType.Float32) : x;
    }

    public static DType WideType(DType dtype) => dtype.IsHalf ? DType.Float32 : dtype;

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

    /// <summary>
    /// A number beside an array of a type. In half precision it takes part in the computation as a Float32: an ε does not vanish. But where numbers are compared
    /// or one of them is the result, it is rounded first, so that <c>x == 0.1</c> finds what was stored as 0.1.
    /// </summary>
    public static NDArray Weak(Op op, double value, DType dtype)
    {
        if (!dtype.IsHalf) return Scalar(value, dtype);
        bool compares = op.Element is { IsMask: true } || op == OpTable.Maximum || op == OpTable.Minimum || op == OpTable.Clip || op == OpTable.Where;
        return Scalar(!compares ? value : dtype == DType.Float16 ? (double)(Half)value : (double)(BFloat16)value, DType.Float32);
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
        if (target.DType.IsHalf)
        {
            Dispatcher.Execute(OpTable.Add, [Movement.Cast(target, DType.Float32), Movement.Cast(value, DType.Float32)], null, new Span<NDArray>(ref sum));
            target.Adopt(Movement.Cast(sum, target.DType), sourceDies: true);
            return;
        }

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

    // Integers beside an array of half precision become Float32, not that: an Int32 of 70000 is no Float16.
    private static NDArray Promoted(Op op, NDArray x, NDArray y, DType dtype)
    {
        if (!dtype.IsHalf) return op.Apply(To(x, dtype), To(y, dtype));
        NDArray result = op.Apply(To(x, DType.Float32), To(y, DType.Float32));
        return result.DType == DType.Float32 ? result.AsType(dtype) : result;
    }
}
