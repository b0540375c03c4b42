using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// The sums of the elements of registers, as <see cref="ReduceTree.FoldRegister"/> adds them to a zero; those of four registers side by side, so that a step
/// of all four is one addition.
/// </summary>
internal static unsafe class PlaneFold
{
    /// <summary>The sum of one register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T One<L, T>(L a)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        => ReduceTree.FoldRegister<SumReduction, L, T>(L.Const(0) + a);

    /// <summary>The sums of four registers, written a step apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four<L, T>(L a, L b, L c, L d, T* sums, long step)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        if (Unsafe.SizeOf<L>() != 64 || !Avx512F.IsSupported)
        {
            sums[0] = One<L, T>(a);
            sums[step] = One<L, T>(b);
            sums[2 * step] = One<L, T>(c);
            sums[3 * step] = One<L, T>(d);
            return;
        }

        // Halves, then quarters: a's quarter in the first 128 bits, b's in the next …
        L ab = Quarters<L>(a, b, 0x44) + Quarters<L>(a, b, 0xEE), cd = Quarters<L>(c, d, 0x44) + Quarters<L>(c, d, 0xEE);
        var all = Quarters<L>(ab, cd, 0x88) + Quarters<L>(ab, cd, 0xDD);
        if (sizeof(T) == 4) all += Unsafe.BitCast<Vector512<double>, L>(Avx512F.Permute2x64(Unsafe.BitCast<L, Vector512<double>>(all), 0x55));
        all += sizeof(T) == 4
            ? Unsafe.BitCast<Vector512<float>, L>(Avx512F.Permute4x32(Unsafe.BitCast<L, Vector512<float>>(all), 0xB1))
            : Unsafe.BitCast<Vector512<double>, L>(Avx512F.Permute2x64(Unsafe.BitCast<L, Vector512<double>>(all), 0x55));

        // A zero at the start makes a difference only to sums that are −0.
        var v = Unsafe.BitCast<L, Vector512<T>>(all + L.Const(0));
        sums[0] = v.ToScalar();
        sums[step] = Avx512F.ExtractVector128(v.AsSingle(), 1).As<float, T>().ToScalar();
        sums[2 * step] = Avx512F.ExtractVector128(v.AsSingle(), 2).As<float, T>().ToScalar();
        sums[3 * step] = Avx512F.ExtractVector128(v.AsSingle(), 3).As<float, T>().ToScalar();
    }

    /// <summary>Two of the four quarters of a, then two of b, as the bits of the control say.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Quarters<L>(L a, L b, [System.Diagnostics.CodeAnalysis.ConstantExpected] byte control)
        where L : struct
        => Unsafe.BitCast<Vector512<long>, L>(Avx512F.Shuffle4x128(Unsafe.BitCast<L, Vector512<long>>(a), Unsafe.BitCast<L, Vector512<long>>(b), control));
}
