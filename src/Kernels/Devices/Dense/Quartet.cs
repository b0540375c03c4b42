using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Four neighbouring elements: 16 bytes of Float32, which a thread of a device moves at once.</summary>
internal struct Quartet<T>(T x, T y, T z, T w)
    where T : unmanaged, INumber<T>
{
    public T X = x;
    public T Y = y;
    public T Z = z;
    public T W = w;

    /// <summary>sums + factor · values.</summary>
    /// <remarks>ILGPU writes mul and add; CUDA's assembler contracts the two to one fused multiply-add.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quartet<T> AddScaled(Quartet<T> sums, T factor, Quartet<T> values) =>
        new(sums.X + factor * values.X, sums.Y + factor * values.Y, sums.Z + factor * values.Z, sums.W + factor * values.W);

    /// <summary>sums + x · y, element by element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quartet<T> AddProduct(Quartet<T> sums, Quartet<T> x, Quartet<T> y) =>
        new(sums.X + x.X * y.X, sums.Y + x.Y * y.Y, sums.Z + x.Z * y.Z, sums.W + x.W * y.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quartet<T> Add(Quartet<T> x, Quartet<T> y) => new(x.X + y.X, x.Y + y.Y, x.Z + y.Z, x.W + y.W);

    /// <summary>(x + z) + (y + w).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Fold(Quartet<T> q) => (q.X + q.Z) + (q.Y + q.W);
}
