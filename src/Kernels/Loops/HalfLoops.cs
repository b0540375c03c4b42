using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>The loops of <see cref="Cast"/> from and to the formats of two bytes; all but those between them and Float32 pass through blocks of Float32.</summary>
internal static unsafe class HalfLoops
{
    private const int Step = 16, Block = 512;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen<THalf>(nint source, nint destination, long count)
        where THalf : IHalfFormat
    {
        ushort* from = (ushort*)source;
        float* to = (float*)destination;
        long i = 0;
        for (; i + Step <= count; i += Step) THalf.Widen(Vector256.Load(from + i)).Store(to + i);
        if (i == count) return;
        ushort* rest = stackalloc ushort[Step];
        float* wide = stackalloc float[Step];
        Unsafe.CopyBlockUnaligned(rest, from + i, (uint)(count - i) * sizeof(ushort));
        THalf.Widen(Vector256.Load(rest)).Store(wide);
        Unsafe.CopyBlockUnaligned(to + i, wide, (uint)(count - i) * sizeof(float));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow<THalf>(nint source, nint destination, long count)
        where THalf : IHalfFormat
    {
        float* from = (float*)source;
        ushort* to = (ushort*)destination;
        long i = 0;
        for (; i + Step <= count; i += Step) THalf.Narrow(Vector512.Load(from + i)).Store(to + i);
        if (i == count) return;
        float* rest = stackalloc float[Step];
        ushort* narrow = stackalloc ushort[Step];
        Unsafe.CopyBlockUnaligned(rest, from + i, (uint)(count - i) * sizeof(float));
        THalf.Narrow(Vector512.Load(rest)).Store(narrow);
        Unsafe.CopyBlockUnaligned(to + i, narrow, (uint)(count - i) * sizeof(ushort));
    }

    public static void Copy(nint source, nint destination, long count) =>
        Buffer.MemoryCopy((void*)source, (void*)destination, count * sizeof(ushort), count * sizeof(ushort));

    /// <summary>From one format to the other: the way is exact, the arrival rounds.</summary>
    public static void Between<TFrom, TTo>(nint source, nint destination, long count)
        where TFrom : IHalfFormat
        where TTo : IHalfFormat
    {
        float* block = stackalloc float[Block];
        for (long i = 0; i < count; i += Block)
        {
            long part = Math.Min(Block, count - i);
            Widen<TFrom>(source + ((nint)i * sizeof(ushort)), (nint)block, part);
            Narrow<TTo>((nint)block, destination + ((nint)i * sizeof(ushort)), part);
        }
    }

    public static void ToNumber<THalf, TTo>(nint source, nint destination, long count)
        where THalf : IHalfFormat
        where TTo : unmanaged, INumber<TTo>
    {
        float* block = stackalloc float[Block];
        for (long i = 0; i < count; i += Block)
        {
            long part = Math.Min(Block, count - i);
            Widen<THalf>(source + ((nint)i * sizeof(ushort)), (nint)block, part);
            CastLoops.Number<float, TTo>((nint)block, destination + ((nint)i * sizeof(TTo)), part);
        }
    }

    public static void ToBool<THalf>(nint source, nint destination, long count)
        where THalf : IHalfFormat
    {
        float* block = stackalloc float[Block];
        for (long i = 0; i < count; i += Block)
        {
            long part = Math.Min(Block, count - i);
            Widen<THalf>(source + ((nint)i * sizeof(ushort)), (nint)block, part);
            CastLoops.ToBool<float>((nint)block, destination + (nint)i, part);
        }
    }

    public static void FromBool<THalf>(nint source, nint destination, long count)
        where THalf : IHalfFormat
    {
        float* block = stackalloc float[Block];
        for (long i = 0; i < count; i += Block)
        {
            long part = Math.Min(Block, count - i);
            CastLoops.FromBool<float>(source + (nint)i, (nint)block, part);
            Narrow<THalf>((nint)block, destination + ((nint)i * sizeof(ushort)), part);
        }
    }

    /// <summary>From wider numbers: rounded to odd on the way, so that rounding twice is rounding once.</summary>
    public static void FromNumber<TFrom, THalf>(nint source, nint destination, long count)
        where TFrom : unmanaged, INumber<TFrom>
        where THalf : IHalfFormat
    {
        float* block = stackalloc float[Block];
        for (long i = 0; i < count; i += Block)
        {
            int part = (int)Math.Min(Block, count - i);
            ToOdd((TFrom*)source + i, block, part);
            Narrow<THalf>((nint)block, destination + ((nint)i * sizeof(ushort)), part);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ToOdd<T>(T* from, float* to, int count)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < count; i++)
            to[i] = typeof(T) == typeof(double) ? BFloat16.RoundToOdd((double)(object)from[i]) : BFloat16.RoundToOdd(long.CreateTruncating(from[i]));
    }
}
