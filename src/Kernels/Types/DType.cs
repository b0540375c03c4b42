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

    /// <summary>IEEE 754 binary16, C# <see cref="Half"/>: 11 significant bits, at most 65504. Stored in two bytes, computed in Float32.</summary>
    Float16,

    /// <summary>The upper half of a Float32, <see cref="Fusion.BFloat16"/>: 8 significant bits, its range. Stored in two bytes, computed in Float32.</summary>
    BFloat16,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    // Four bits for each type, in the order of the enumeration: asked for at every use of a pointer.
    private const uint Sizes = 0x22_11_84_84;

    extension(DType dtype)
    {
        /// <summary>Bytes of one element.</summary>
        public int Size => (int)(Sizes >> (4 * (int)dtype)) & 0xF;

        /// <summary><see langword="true"/> for the floating-point types, which can carry a gradient: Float16, BFloat16, Float32 and Float64.</summary>
        public bool IsFloat => dtype is DType.Float32 or DType.Float64 or DType.Float16 or DType.BFloat16;

        /// <summary>
        /// <see langword="true"/> for Float16 and BFloat16: types to store numbers in. An operator computes with them in Float32 and rounds its result once.
        /// </summary>
        public bool IsHalf => dtype is DType.Float16 or DType.BFloat16;

        /// <summary><see langword="true"/> for Int32, Int64 and UInt8.</summary>
        public bool IsInteger => dtype is DType.Int32 or DType.Int64 or DType.UInt8;
    }

    /// <summary>The type itself.</summary>
    /// <exception cref="DTypeException">A number that no member of the enumeration has.</exception>
    internal static DType Checked(DType dtype) =>
        (uint)dtype <= (uint)DType.BFloat16 ? dtype : throw new DTypeException($"{(int)dtype} is not an element type. Use a member of DType, such as DType.Float32.");

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
        if (typeof(T) == typeof(Half)) return DType.Float16;
        if (typeof(T) == typeof(BFloat16)) return DType.BFloat16;
        throw new DTypeException($"{typeof(T).Name} is not an element type. Use float, double, Half, BFloat16, int, long, byte or bool.");
    }

    /// <summary>
    /// The type of the result of arithmetic on two arrays: the larger type of the same kind; with a floating-point array
    /// the larger of the floating-point types whatever the size of the integers (so Int64 + Float16 gives Float16), and Float32 for Float16 with BFloat16,
    /// neither of which holds the other; UInt8 with Int32 gives Int32; Bool gives way to everything.
    /// </summary>
    public static DType Promote(DType a, DType b)
    {
        if (a == b) return a;
        if (a == DType.Float64 || b == DType.Float64) return DType.Float64;
        if (a == DType.Float32 || b == DType.Float32 || (a.IsHalf && b.IsHalf)) return DType.Float32;
        if (a.IsHalf || b.IsHalf) return a.IsHalf ? a : b;
        if (a == DType.Int64 || b == DType.Int64) return DType.Int64;
        if (a == DType.Int32 || b == DType.Int32) return DType.Int32;
        return DType.UInt8;
    }
}
