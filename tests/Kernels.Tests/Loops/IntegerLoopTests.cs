using System.Numerics;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>The loops over integers that are written by hand, by the contract of <see cref="ElementLoop"/>.</summary>
public sealed unsafe class IntegerLoopTests
{
    private const int Count = 37;

    // Elements of an operand with what a loop may touch behind them.
    private const int Room = 128;
    private const int Grain = 16;

    public static TheoryData<DType, int> Cases
    {
        get
        {
            TheoryData<DType, int> cases = [];
            foreach (DType dtype in (DType[])[DType.Int32, DType.Int64, DType.UInt8])
                for (int scalars = 0; scalars < 4; scalars++) cases.Add(dtype, scalars);
            return cases;
        }
    }

    /// <summary>The pointers are to the first page of memory, which nobody may read; the elements lie far behind them.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void ElementsFarBehindTheirPointersAreRead(DType dtype, int scalars)
    {
        if (dtype == DType.Int32) Check<int>(dtype, scalars);
        else if (dtype == DType.Int64) Check<long>(dtype, scalars);
        else Check<byte>(dtype, scalars);
    }

    private static void Check<T>(DType dtype, int scalars)
        where T : unmanaged, IBinaryInteger<T>
    {
        (string Name, ElementKernel Kernel, Func<T, T, T> Expected)[] loops =
        [
            ("and", BitLoops.Loop(BitOperation.And, dtype, scalars), static (x, y) => x & y),
            ("or", BitLoops.Loop(BitOperation.Or, dtype, scalars), static (x, y) => x | y),
            ("xor", BitLoops.Loop(BitOperation.Xor, dtype, scalars), static (x, y) => x ^ y),
            ("left", BitLoops.Loop(BitOperation.ShiftLeft, dtype, scalars), static (x, y) => x << int.CreateTruncating(y)),
            ("right", BitLoops.Loop(BitOperation.ShiftRight, dtype, scalars), static (x, y) => x >> int.CreateTruncating(y)),
            ("divide", ElementOps.FloorDivide.Loop(dtype, scalars), static (x, y) => x / y),
            ("mod", ElementOps.Mod.Loop(dtype, scalars), static (x, y) => x % y),
        ];
        using GuardedBuffer<T> memory = new(3 * Room);
        T* x = memory.Data, y = x + Room, z = y + Room;
        for (int i = 0; i < Room; i++) (x[i], y[i]) = (T.CreateTruncating((i * 7) + 3), T.CreateTruncating((i % 5) + 1));
        T xScalar = T.CreateTruncating(100), yScalar = T.CreateTruncating(3);
        long start = (nint)x / sizeof(T) & -Grain;
        nint* table = stackalloc nint[3];
        table[0] = (scalars & 1) != 0 ? (nint)(&xScalar) : (nint)(x - start);
        table[1] = (scalars & 2) != 0 ? (nint)(&yScalar) : (nint)(y - start);
        table[2] = (nint)(z - start);
        foreach ((string name, ElementKernel kernel, Func<T, T, T> expected) in loops)
        {
            kernel.Invoke((nint)table, start, start + Count);
            for (int i = 0; i < Count; i++)
                Assert.True(expected((scalars & 1) != 0 ? xScalar : x[i], (scalars & 2) != 0 ? yScalar : y[i]) == z[i], $"{name} {i}");
        }

        memory.AssertIntact();
    }
}
