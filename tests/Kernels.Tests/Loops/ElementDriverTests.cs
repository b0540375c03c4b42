using System.Runtime.Intrinsics;
using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(nameof(ProcessState))]
public sealed unsafe class ElementDriverTests : IDisposable
{
    private readonly int _threads = WorkerPool.Threads;

    public void Dispose() => WorkerPool.Threads = _threads;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void RandomViewsGiveWhatIndexingGives(int threads)
    {
        WorkerPool.Threads = threads;
        for (int seed = 0; seed < 1500; seed++)
        {
            var random = new Random(seed);
            Check(random, StridedCase.RandomShape(random), $"seed {seed}");
        }
    }

    // Bias rows and columns, short and long rows, periods around the limits, transposes; some large enough to be split.
    [Theory]
    [InlineData(5000, 10)]
    [InlineData(40, 1000)]
    [InlineData(9, 2048)]
    [InlineData(9, 2049)]
    [InlineData(3, 20_000)]
    [InlineData(7, 5, 999)]
    [InlineData(300, 256)]
    [InlineData(2, 3, 4, 5, 6, 7)]
    [InlineData(16, 32, 7, 7)]
    [InlineData(100_000)]
    public void LargeShapes(params int[] shape)
    {
        for (int seed = 0; seed < 24; seed++)
        {
            WorkerPool.Threads = 1 + (seed % 3);
            Check(new Random(seed), shape, $"seed {seed}");
        }
    }

    [Fact]
    public void RanksUpToSixteen()
    {
        int[] shape = [2, 1, 2, 2, 1, 2, 2, 1, 2, 2, 2, 1, 2, 2, 2, 3];
        for (int seed = 0; seed < 30; seed++) Check(new Random(seed), shape, $"seed {seed}");
    }

    [Fact]
    public void AnEmptyShapeCallsNothing()
    {
        Operand operand = default;
        var kernel = new ElementKernel((_, _, _) => Assert.Fail("called"));
        ElementDriver.Run(kernel, 0, 1, &operand, [3, 0, 2]);
    }

    [Fact]
    public void AScalarOperandIsReadAtItsPointer()
    {
        WorkerPool.Threads = 2;
        using var x = new Block(40_000);
        using var z = new Block(40_000);
        for (int i = 0; i < 40_000; i++) x.Floats[i] = i;
        float scalar = 3;
        Operand* operands = stackalloc Operand[3];
        operands[0] = new Operand { Data = (nint)x.Floats, ElementSize = 4 };
        operands[1] = new Operand { Data = (nint)(&scalar), ElementSize = 4, IsScalar = true };
        operands[2] = new Operand { Data = (nint)z.Floats, ElementSize = 4 };
        ElementDriver.Run(new ElementKernel(&AddScalar, 0, weight: 100), 2, 1, operands, [200, 200]);
        for (int i = 0; i < 40_000; i++) Assert.Equal(i + 3, z.Floats[i]);
    }

    [Fact]
    public void InPlaceWithABroadcastOperand()
    {
        WorkerPool.Threads = 2;
        using var x = new Block(100 * 333);
        using var bias = new Block(333);
        for (int i = 0; i < 100 * 333; i++) x.Floats[i] = i % 1000;
        for (int i = 0; i < 333; i++) bias.Floats[i] = i;
        long* strides = stackalloc long[2] { 0, 1 };
        Operand* operands = stackalloc Operand[3];
        operands[0] = operands[2] = new Operand { Data = (nint)x.Floats, ElementSize = 4 };
        operands[1] = new Operand { Data = (nint)bias.Floats, Strides = strides, ElementSize = 4 };
        ElementDriver.Run(new ElementKernel(&Add, 0, weight: 100), 2, 1, operands, [100, 333]);
        for (int i = 0; i < 100 * 333; i++) Assert.Equal((i % 1000) + (i % 333), x.Floats[i]);
    }

    [Fact]
    public void NothingBehindTheLastRegisterIsWritten()
    {
        const int Size = 6 * 130, Registers = (Size + 15) / 16 * 16;
        using var x = new Block(Size);
        using var y = new Block(2);
        using var z = new Block(Registers + 64);
        new Span<float>(z.Floats, Registers + 64).Fill(-5);
        new Span<float>(x.Floats, Size).Fill(1);
        (y.Floats[0], y.Floats[1]) = (2, 3);
        long* strides = stackalloc long[3] { 0, 1, 0 };
        Operand* operands = stackalloc Operand[3];
        operands[0] = new Operand { Data = (nint)x.Floats, ElementSize = 4 };
        operands[1] = new Operand { Data = (nint)y.Floats, Strides = strides, ElementSize = 4 };
        operands[2] = new Operand { Data = (nint)z.Floats, ElementSize = 4 };
        ElementDriver.Run(new ElementKernel(&Add, 0), 2, 1, operands, [3, 2, 130]);
        for (int i = 0; i < Size; i++) Assert.Equal(i / 130 % 2 == 0 ? 3 : 4, z.Floats[i]);
        Assert.Equal(-1, new Span<float>(z.Floats + Registers, 64).IndexOfAnyExcept(-5));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void OnlyThePartOfALargerArrayIsWritten(int threads)
    {
        WorkerPool.Threads = threads;
        for (int seed = 0; seed < 600; seed++)
        {
            Random random = new(seed);
            CheckPart(random, StridedCase.RandomShape(random), $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(5000, 10)]
    [InlineData(40, 1024)]
    [InlineData(30, 4096)]
    [InlineData(9, 2049)]
    [InlineData(300, 256)]
    [InlineData(16, 32, 7, 7)]
    [InlineData(3, 50_000)]
    public void PartsOfLargeArrays(params int[] shape)
    {
        for (int seed = 0; seed < 12; seed++)
        {
            WorkerPool.Threads = 1 + (seed % 3);
            CheckPart(new Random(seed), shape, $"seed {seed}");
        }
    }

    // z = x + y into some elements of a larger array, and w = x + y as usual.
    private static void CheckPart(Random random, int[] shape, string what)
    {
        int size = shape.Aggregate(1, (a, b) => a * b), rank = shape.Length;
        if (size == 0) return;
        bool whole = random.Next(3) == 0;
        long[] full = new long[rank], strides = new long[rank];
        long origin = 0, all = 1;
        for (int axis = rank - 1; axis >= 0; axis--)
        {
            int step = random.Next(4) == 0 ? 2 : 1, before = whole && axis > 0 ? 0 : random.Next(3), after = whole && axis > 0 ? 0 : 64 * random.Next(2);
            bool reversed = random.Next(6) == 0;
            full[axis] = before + ((shape[axis] - 1) * step) + 1 + after;
            strides[axis] = all * (reversed ? -step : step);
            origin += all * (reversed ? before + ((shape[axis] - 1) * step) : before);
            all *= full[axis];
        }

        if (all > 1 << 24) return;
        StridedCase x = StridedCase.Random(random, shape, 4), y = StridedCase.Random(random, shape, 4);
        using var z = new Block((int)all);
        using var w = new Block(size);
        new Span<float>(z.Floats, (int)all).Fill(-5.5f);
        Operand* operands = stackalloc Operand[4];
        fixed (long* xs = x.Strides, ys = y.Strides, zs = strides)
        {
            operands[0] = new Operand { Data = (nint)x.Data, Strides = xs, ElementSize = 4 };
            operands[1] = new Operand { Data = (nint)y.Data, Strides = ys, ElementSize = 4 };
            operands[2] = new Operand { Data = (nint)w.Floats, ElementSize = 4 };
            operands[3] = new Operand { Data = (nint)(z.Floats + origin), Strides = zs, ElementSize = 4 };
            ElementDriver.Run(new ElementKernel(&AddTwice, 0, random.Next(2) == 0 ? 1 : 1000), 2, 2, operands, shape);
        }

        List<nint> xa = x.Addresses(shape), ya = y.Addresses(shape);
        int[] index = new int[rank];
        for (int i = 0; i < size; i++)
        {
            long at = origin;
            for (int axis = 0; axis < rank; axis++) at += index[axis] * strides[axis];
            float expected = *(float*)xa[i] + *(float*)ya[i];
            if (z.Floats[at] != expected || w.Floats[i] != expected) Assert.Fail($"{what}, shape ({string.Join(", ", shape)}), element {i}");
            z.Floats[at] = -5.5f;
            for (int axis = rank - 1; axis >= 0 && ++index[axis] == shape[axis]; axis--) index[axis] = 0;
        }

        // Of a part without gaps the rest of its last register is free.
        long end = Enumerable.Range(0, rank).All(a => strides[a] == shape[(a + 1)..].Aggregate(1L, (p, q) => p * q) || shape[a] == 1) ? origin + size : all;
        for (long i = 0; i < all; i++)
            if (z.Floats[i] != -5.5f && (i < end || i >= end + 16)) Assert.Fail($"{what}, shape ({string.Join(", ", shape)}), behind or beside the part at {i}");
        GC.KeepAlive((x, y));
    }

    private static void AddTwice(nint table, long start, long end, int scalars)
    {
        nint* p = (nint*)table;
        for (long i = start; i < end; i += 16)
        {
            Vector512<float> sum = Load((float*)p[0], i, scalars, 0) + Load((float*)p[1], i, scalars, 1);
            sum.Store((float*)p[2] + i);
            sum.Store((float*)p[3] + i);
        }
    }

    // z(float64 bits) = x(float32) + y(float32), w(8 bytes) = u(8 bytes), v = t(1 byte), r = q(2 bytes): every element size through one kernel.
    private static void Check(Random random, int[] shape, string what)
    {
        int size = shape.Aggregate(1, (a, b) => a * b);
        StridedCase x = StridedCase.Random(random, shape, 4), y = StridedCase.Random(random, shape, 4);
        StridedCase u = StridedCase.Random(random, shape, 8), t = StridedCase.Random(random, shape, 1), q = StridedCase.Random(random, shape, 2);
        using var z = new Block(size);
        using var w = new Block(2 * size);
        using var v = new Block((size / 4) + 1);
        using var r = new Block((size / 2) + 1);
        Operand* operands = stackalloc Operand[9];
        fixed (long* xs = x.Strides, ys = y.Strides, us = u.Strides, ts = t.Strides, qs = q.Strides)
        {
            operands[0] = new Operand { Data = (nint)x.Data, Strides = xs, ElementSize = 4 };
            operands[1] = new Operand { Data = (nint)y.Data, Strides = ys, ElementSize = 4 };
            operands[2] = new Operand { Data = (nint)u.Data, Strides = us, ElementSize = 8 };
            operands[3] = new Operand { Data = (nint)t.Data, Strides = ts, ElementSize = 1 };
            operands[4] = new Operand { Data = (nint)q.Data, Strides = qs, ElementSize = 2 };
            operands[5] = new Operand { Data = (nint)z.Floats, ElementSize = 4 };
            operands[6] = new Operand { Data = (nint)w.Floats, ElementSize = 8 };
            operands[7] = new Operand { Data = (nint)v.Floats, ElementSize = 1 };
            operands[8] = new Operand { Data = (nint)r.Floats, ElementSize = 2 };
            // A delegate reads every operand as it finds it; a pointer may be told that some are single elements.
            int weight = random.Next(2) == 0 ? 1 : 1000;
            ElementKernel kernel = random.Next(2) == 0 ? new(&Mixed, 0, weight) : new(static (table, start, end) => Mixed(table, start, end, 0), weight);
            ElementDriver.Run(kernel, 5, 4, operands, shape);
        }
        List<nint> xa = x.Addresses(shape), ya = y.Addresses(shape), ua = u.Addresses(shape), ta = t.Addresses(shape), qa = q.Addresses(shape);
        for (int i = 0; i < size; i++)
        {
            if (z.Floats[i] != *(float*)xa[i] + *(float*)ya[i] || ((ulong*)w.Floats)[i] != *(ulong*)ua[i] || ((byte*)v.Floats)[i] != *(byte*)ta[i]
                || ((ushort*)r.Floats)[i] != *(ushort*)qa[i])
                Assert.Fail($"{what}, shape ({string.Join(", ", shape)}), element {i}");
        }
        GC.KeepAlive((x, y, u, t, q));
    }

    // Whole registers, past the end too, as real kernels work.
    private static void Mixed(nint table, long start, long end, int scalars)
    {
        Assert.Equal(0, start % 64);
        nint* p = (nint*)table;
        for (long i = start; i < end; i += 16)
        {
            (Load((float*)p[0], i, scalars, 0) + Load((float*)p[1], i, scalars, 1)).Store((float*)p[5] + i);
        }
        for (long i = start; i < end; i += 8) Load((ulong*)p[2], i, scalars, 2).Store((ulong*)p[6] + i);
        for (long i = start; i < end; i += 64) Load((byte*)p[3], i, scalars, 3).Store((byte*)p[7] + i);
        for (long i = start; i < end; i += 32) Load((ushort*)p[4], i, scalars, 4).Store((ushort*)p[8] + i);
    }

    private static Vector512<T> Load<T>(T* operand, long i, int scalars, int k)
        where T : unmanaged => (scalars >> k & 1) != 0 ? Vector512.Create(*operand) : Vector512.Load(operand + i);

    private static void Add(nint table, long start, long end, int scalars)
    {
        nint* p = (nint*)table;
        for (long i = start; i < end; i += 16) (Load((float*)p[0], i, scalars, 0) + Load((float*)p[1], i, scalars, 1)).Store((float*)p[2] + i);
    }

    private static void AddScalar(nint table, long start, long end, int scalars)
    {
        nint* p = (nint*)table;
        for (long i = start; i < end; i += 16) (Vector512.Load((float*)p[0] + i) + Vector512.Create(*(float*)p[1])).Store((float*)p[2] + i);
    }

    private sealed class Block(int floats) : IDisposable
    {
        private readonly NativeBlock _block = new(Math.Max(1, 4L * floats));

        public float* Floats => (float*)_block.Pointer;

        public void Dispose() => _block.Release();
    }
}
