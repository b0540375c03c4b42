using System.Numerics;

namespace Fusion.Kernels;

/// <summary>
/// Conversion between element types, contiguous to contiguous. To Bool: 1 where the element is not 0 (NaN is not). From a floating-point type to an
/// integer: toward zero; what is out of range becomes the nearest integer in range, NaN becomes 0. Between integers: the low bits. To a
/// floating-point type: rounded to nearest, ties to even, once.
/// </summary>
internal static unsafe class Cast
{
    private const long SplitElements = 32 * 1024;

    /// <summary>Converts <paramref name="count"/> elements. Exact: nothing past the end is read or written.</summary>
    public static void Run(DType from, DType to, nint source, nint destination, long count)
    {
        var job = new Job { Loop = Select(from, to), Source = source, Destination = destination, Count = count, FromSize = from.Size, ToSize = to.Size };
        if (count < SplitElements || WorkerPool.Threads == 1)
        {
            job.Loop(source, destination, count);
            return;
        }
        job.Pieces = 4 * WorkerPool.Threads;
        WorkerPool.Run(job.Pieces, &RunPiece, &job);
    }

    private static void RunPiece(void* context, int index)
    {
        ref Job job = ref *(Job*)context;
        long length = ((job.Count / job.Pieces) + 64) & ~63L;
        long start = Math.Min(job.Count, length * index), end = Math.Min(job.Count, start + length);
        job.Loop(job.Source + (nint)(start * job.FromSize), job.Destination + (nint)(end == start ? 0 : start * job.ToSize), end - start);
    }

    private static delegate*<nint, nint, long, void> Select(DType from, DType to) => from switch
    {
        DType.Float32 => From<float>(to),
        DType.Float64 => From<double>(to),
        DType.Int32 => From<int>(to),
        DType.Int64 => From<long>(to),
        DType.UInt8 => From<byte>(to),
        DType.Float16 => FromHalf<Float16Format>(from, to),
        DType.BFloat16 => FromHalf<BFloat16Format>(from, to),
        _ => to switch
        {
            DType.Float32 => &CastLoops.FromBool<float>,
            DType.Float64 => &CastLoops.FromBool<double>,
            DType.Int32 => &CastLoops.FromBool<int>,
            DType.Int64 => &CastLoops.FromBool<long>,
            DType.Float16 => &HalfLoops.FromBool<Float16Format>,
            DType.BFloat16 => &HalfLoops.FromBool<BFloat16Format>,
            _ => &CastLoops.FromBool<byte>,
        },
    };

    private static delegate*<nint, nint, long, void> From<T>(DType to)
        where T : unmanaged, INumber<T> => to switch
        {
            DType.Float32 => &CastLoops.Number<T, float>,
            DType.Float64 => &CastLoops.Number<T, double>,
            DType.Int32 => &CastLoops.Number<T, int>,
            DType.Int64 => &CastLoops.Number<T, long>,
            DType.UInt8 => &CastLoops.Number<T, byte>,
            DType.Float16 => ToHalf<T, Float16Format>(),
            DType.BFloat16 => ToHalf<T, BFloat16Format>(),
            _ => &CastLoops.ToBool<T>,
        };

    private static delegate*<nint, nint, long, void> ToHalf<T, THalf>()
        where T : unmanaged, INumber<T>
        where THalf : IHalfFormat => typeof(T) == typeof(float) ? &HalfLoops.Narrow<THalf> : &HalfLoops.FromNumber<T, THalf>;

    private static delegate*<nint, nint, long, void> FromHalf<THalf>(DType from, DType to)
        where THalf : IHalfFormat => to switch
        {
            DType.Float32 => &HalfLoops.Widen<THalf>,
            DType.Float64 => &HalfLoops.ToNumber<THalf, double>,
            DType.Int32 => &HalfLoops.ToNumber<THalf, int>,
            DType.Int64 => &HalfLoops.ToNumber<THalf, long>,
            DType.UInt8 => &HalfLoops.ToNumber<THalf, byte>,
            DType.Float16 or DType.BFloat16 when from == to => &HalfLoops.Copy,
            DType.Float16 => &HalfLoops.Between<THalf, Float16Format>,
            DType.BFloat16 => &HalfLoops.Between<THalf, BFloat16Format>,
            _ => &HalfLoops.ToBool<THalf>,
        };

    private struct Job
    {
        public delegate*<nint, nint, long, void> Loop;
        public nint Source;
        public nint Destination;
        public long Count;
        public int FromSize;
        public int ToSize;
        public int Pieces;
    }
}
