using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The register-blocked inner loops of the matrix product; the generated files hold one class per element type and vector width.</summary>
internal static unsafe partial class MicroKernels
{
    private static readonly GemmKernels<float> s_float512 =
        new(16, Float512.Packed1, Float512.Packed2, Float512.Strided1, Float512.Strided2, Float512.Gathered1, Float512.Gathered2,
            &GemmEdge<Lane512<float>, float>.Write, &TransposePacker.Float512);

    private static readonly GemmKernels<float> s_float256 =
        new(8, Float256.Packed1, Float256.Packed2, Float256.Strided1, Float256.Strided2, Float256.Gathered1, Float256.Gathered2,
            &GemmEdge<Lane256<float>, float>.Write, &TransposePacker.Float256);

    private static readonly GemmKernels<float> s_float128 =
        new(4, Float128.Packed1, Float128.Packed2, Float128.Strided1, Float128.Strided2, Float128.Gathered1, Float128.Gathered2,
            &GemmEdge<Lane128<float>, float>.Write, &TransposePacker.Fours);

    private static readonly GemmKernels<double> s_double512 =
        new(8, Double512.Packed1, Double512.Packed2, Double512.Strided1, Double512.Strided2, Double512.Gathered1, Double512.Gathered2,
            &GemmEdge<Lane512<double>, double>.Write, &TransposePacker.Double512);

    private static readonly GemmKernels<double> s_double256 =
        new(4, Double256.Packed1, Double256.Packed2, Double256.Strided1, Double256.Strided2, Double256.Gathered1, Double256.Gathered2,
            &GemmEdge<Lane256<double>, double>.Write, &TransposePacker.Fours);

    private static readonly GemmKernels<double> s_double128 =
        new(2, Double128.Packed1, Double128.Packed2, Double128.Strided1, Double128.Strided2, Double128.Gathered1, Double128.Gathered2,
            &GemmEdge<Lane128<double>, double>.Write, &TransposePacker.Portable);

    /// <summary>The kernels of the vector width in use.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GemmKernels<T> For<T>()
        where T : unmanaged
        => ForWidth<T>(SimdWidth.Current);

    /// <summary>The kernels for rows of <paramref name="columns"/> elements: half or a quarter of the width in use when that holds them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GemmKernels<T> For<T>(nint columns)
        where T : unmanaged
    {
        var width = SimdWidth.Current;
        while (width > 128 && columns * sizeof(T) * 16 <= width) width /= 2;
        return ForWidth<T>(width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static GemmKernels<T> ForWidth<T>(int width)
        where T : unmanaged
        => typeof(T) == typeof(float)
            ? Unsafe.As<GemmKernels<T>>(width == 512 ? s_float512 : width == 256 ? s_float256 : s_float128)
            : Unsafe.As<GemmKernels<T>>(width == 512 ? s_double512 : width == 256 ? s_double256 : s_double128);
}

/// <summary>One set of micro-kernels: function pointers by the number of rows.</summary>
internal sealed unsafe class GemmKernels<T>(
    int vectorLength,
    nint[] packed1,
    nint[] packed2,
    nint[] strided1,
    nint[] strided2,
    nint[] gathered1,
    nint[] gathered2,
    delegate*<T*, nint, nint, nint, T*, nint, Epilogue<T>*, void> edge,
    delegate*<T*, nint, nint, nint, T*, nint, void> transpose)
    where T : unmanaged
{
    /// <summary>Room for the largest tile, 14 × 32 floats, with 64 bytes to align it.</summary>
    public const int TileBytes = 14 * 32 * 4 + 64;

    public readonly int VectorLength = vectorLength;

    /// <summary>Rows of the tallest tile.</summary>
    public readonly int MaxRows = packed2.Length - 1;

    /// <summary>Elements between two steps of k in a packed panel of A: MaxRows rounded up to whole vectors of the transposition.</summary>
    public readonly int PackedStride = packed2.Length - 1 > 8 ? 16 : 8;

    /// <summary>Writes the first columns of a tile that was computed aside: (tile, tile stride, rows, columns, c, ldc, epilogue).</summary>
    public readonly delegate*<T*, nint, nint, nint, T*, nint, Epilogue<T>*, void> Edge = edge;

    /// <summary>destination[k·stride + r] = source[r·sourceStride + k] for k &lt; depth: (source, sourceStride, rows, depth, destination, stride).</summary>
    public readonly delegate*<T*, nint, nint, nint, T*, nint, void> Transpose = transpose;

    public delegate*<nint, T*, nint, T*, nint, T*, nint, Epilogue<T>*, void> Kernel(bool packed, int vectors, nint rows)
    {
        var table = packed ? (vectors == 1 ? packed1 : packed2) : (vectors == 1 ? strided1 : strided2);
        return (delegate*<nint, T*, nint, T*, nint, T*, nint, Epilogue<T>*, void>)table[rows];
    }

    /// <summary>As the packed kernels, with the address of one offset (in elements) for every k in the place of B's leading dimension.</summary>
    public delegate*<nint, T*, nint, T*, nint, T*, nint, Epilogue<T>*, void> Gathered(int vectors, nint rows)
        => (delegate*<nint, T*, nint, T*, nint, T*, nint, Epilogue<T>*, void>)(vectors == 1 ? gathered1 : gathered2)[rows];
}
