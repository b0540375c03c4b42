namespace Fusion;

/// <summary>The element type of an <c>NDArray</c>.</summary>
public enum DType
{
    /// <summary>IEEE 754 binary32, C# <see cref="float"/>; the default.</summary>
    Float32,

    /// <summary>IEEE 754 binary64, C# <see cref="double"/>.</summary>
    Float64,

    /// <summary>Signed 32-bit integer, C# <see cref="int"/>.</summary>
    Int32,

    /// <summary>Signed 64-bit integer, C# <see cref="long"/>.</summary>
    Int64,

    /// <summary>Unsigned 8-bit integer, C# <see cref="byte"/>.</summary>
    UInt8,

    /// <summary>One byte, 0 or 1, C# <see cref="bool"/>; the result of comparisons.</summary>
    Bool,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    extension(DType dtype)
    {
        /// <summary>Bytes of one element.</summary>
        public int Size => dtype switch
        {
            DType.Float32 or DType.Int32 => 4,
            DType.Float64 or DType.Int64 => 8,
            _ => 1,
        };

        /// <summary><see langword="true"/> for Float32 and Float64: the types that can carry a gradient.</summary>
        public bool IsFloat => dtype <= DType.Float64;

        /// <summary><see langword="true"/> for Int32, Int64 and UInt8.</summary>
        public bool IsInteger => dtype is DType.Int32 or DType.Int64 or DType.UInt8;
    }

    /// <summary>The element type that stores the C# type <typeparamref name="T"/>.</summary>
    /// <exception cref="DTypeException"><typeparamref name="T"/> has no element type.</exception>
    public static DType Of<T>()
    {
        if (typeof(T) == typeof(float)) return DType.Float32;
        if (typeof(T) == typeof(double)) return DType.Float64;
        if (typeof(T) == typeof(int)) return DType.Int32;
        if (typeof(T) == typeof(long)) return DType.Int64;
        if (typeof(T) == typeof(byte)) return DType.UInt8;
        if (typeof(T) == typeof(bool)) return DType.Bool;
        throw new DTypeException($"{typeof(T).Name} is not an element type. Use float, double, int, long, byte or bool.");
    }

    /// <summary>
    /// The type of the result of arithmetic on two arrays: the larger type of the same kind; with a floating-point array,
    /// Float32 unless one side is Float64 (so Int32 + Float32 gives Float32); UInt8 with Int32 gives Int32; Bool gives way to everything.
    /// </summary>
    public static DType Promote(DType a, DType b)
    {
        if (a == b) return a;
        if (a == DType.Float64 || b == DType.Float64) return DType.Float64;
        if (a == DType.Float32 || b == DType.Float32) return DType.Float32;
        if (a == DType.Int64 || b == DType.Int64) return DType.Int64;
        if (a == DType.Int32 || b == DType.Int32) return DType.Int32;
        return DType.UInt8;
    }
}
