using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// All gradients of a normalization of rows in one pass over memory: the bits of <see cref="RowNormalize.Gradient"/> and of <see cref="RowNormalizeSums"/>, which compute
/// the moments of a row again and read it again.
/// </summary>
internal static unsafe class RowNormalizeGradients
{
    /// <summary>dx = r·(h − mean h − x̂·mean(h·x̂)) with h = g·gamma, without centering without mean h; sums: Σ g, then Σ g·x̂, (2, columns).</summary>
    public static void Run(DType dtype, nint x, nint g, nint gamma, nint dx, nint sums, long rows, long columns, double epsilon, bool centered)
    {
        var blocks = RowSums.BlockCount(rows);
        using var scratch = new NativeScratch(blocks * 2 * columns * dtype.Size + PagePlaces.Room);
        var places = PagePlaces.Of([x, g, dx]);
        var partial = (nint)PagePlaces.Next(scratch.Pointer, ref places);
        RowDriver.Run<NormalizeGradientsBlocks>(dtype, new RowJob
        {
            Input = x,
            Second = g,
            Third = gamma,
            Output = dx,
            SecondOutput = partial,
            RowCount = blocks,
            TotalRows = rows,
            Columns = columns,
            Epsilon = epsilon,
            Centered = centered,
        });
        RowSums.Join(dtype, partial, blocks, sums, 2 * columns);
    }
}

/// <summary>Blocks of rows. Input: x; Second: g; Third: gamma; Output: dx, no input; SecondOutput: (2, columns) for each block.</summary>
internal readonly unsafe struct NormalizeGradientsBlocks : IRowKernel
{
    public static long ParallelElements => 32 * 1024 / RowSums.Block;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long n = job->Columns, row = start * RowSums.Block, last = Math.Min(job->TotalRows, end * RowSums.Block);
        var ahead = RowAhead.Distance<T>(n);
        T* x = (T*)job->Input + row * n, g = (T*)job->Second + row * n, dx = (T*)job->Output + row * n, sums = (T*)job->SecondOutput + start * 2 * n;
        using var scratch = new NativeScratch(RowVectors.Room<T>(n, last - row) + PagePlaces.Room);
        var places = PagePlaces.Of([job->Input, job->Second, job->Output, job->SecondOutput]);
        var gamma = RowVectors.Aligned((T*)job->Third, n, last - row, PagePlaces.Next(scratch.Pointer, ref places));
        var whole = n - n % L.Count;
        NativeMemory.Clear(sums, (nuint)((end - start) * 2 * n * sizeof(T)));
        for (; row < last; row++, x += n, g += n, dx += n)
        {
            var (mean, scale, shift, dot) = RowGradientMoments<L, T>.Of(x, g, gamma, dx, job);
            Write<L, T>(x, g, gamma, dx, sums, n, whole, ahead, mean, scale, shift, dot);
            if (whole < n) WriteRest<L, T>(x + whole, g + whole, gamma + whole, dx + whole, sums + whole, n, n - whole, mean, scale, shift, dot);
            if ((row + 1) % RowSums.Block == 0) sums += 2 * n;
        }
    }

    // Whole registers of a row; the next one is asked for.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Write<L, T>(T* x, T* g, T* gamma, T* dx, T* sums, long n, long count, long ahead, T mean, T scale, T shift, T dot)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        L m = L.Broadcast(mean), r = L.Broadcast(scale), u = L.Broadcast(shift), v = L.Broadcast(dot);
        var products = sums + n;
        for (long i = 0; i < count; i += L.Count)
        {
            L upstream = L.Load(g + i), value = (L.Load(x + i) - m) * r;
            L.Store((upstream * L.Load(gamma + i) - u - value * v) * r, dx + i);
            L.Store(L.Load(sums + i) + upstream, sums + i);
            L.Store(L.Load(products + i) + upstream * value, products + i);
            RowAhead.FetchFar(x + i + ahead);
            RowAhead.FetchFar(g + i + ahead);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void WriteRest<L, T>(T* x, T* g, T* gamma, T* dx, T* sums, long n, long count, T mean, T scale, T shift, T dot)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        L r = L.Broadcast(scale), upstream = L.Load(g), value = (L.Load(x) - L.Broadcast(mean)) * r, product = L.Load(sums + n) + upstream * value;
        LaneTail.Store<L, T>((upstream * L.Load(gamma) - L.Broadcast(shift) - value * L.Broadcast(dot)) * r, dx, count);
        LaneTail.Store<L, T>(L.Load(sums) + upstream, sums, count);
        LaneTail.Store<L, T>(product, sums + n, count);
    }
}
