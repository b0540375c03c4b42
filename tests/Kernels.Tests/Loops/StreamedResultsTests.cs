using System.Linq.Expressions;
using System.Runtime.InteropServices;
using Fusion.Kernels;
using Fusion.Tests.Compile;

namespace Fusion.Tests;

/// <summary>Stores past the caches: the bits of ordinary ones, and only where lines are written whole and nothing is read there.</summary>
[Collection(nameof(ProcessState))]
public sealed unsafe class StreamedResultsTests : IDisposable
{
    private readonly int _threads = WorkerPool.Threads;
    private readonly long _least = StreamedResults.Least;

    // Only registers of 512 bits are stored so.
    private static bool IsPossible => SimdWidth.Hardware == 512 && VectorMethods.For(512, false).StoreStreamed is not null;

    public void Dispose()
    {
        (WorkerPool.Threads, StreamedResults.Least) = (_threads, _least);
        TieredLoop.TakesOverAtOnce = false;
    }

    [Fact]
    public void RandomBodiesGiveTheBitsOfOrdinaryStores()
    {
        if (!IsPossible) return;
        for (int seed = 0; seed < 40; seed++)
        {
            Random random = new(seed);
            bool is64 = seed % 2 == 1;
            KernelSpec spec = SpecRunner.RandomSpec(random, is64, 1 + random.Next(12));
            int length = 1 + random.Next(300);
            if (is64) Check<double>(spec, random, length);
            else Check<float>(spec, random, length);
        }

        static void Check<T>(KernelSpec spec, Random random, int length) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
        {
            T[][] inputs = SpecRunner.RandomInputs<T>(random, spec, length);
            byte[][] expected = SpecRunner.Run(spec, KernelCompiler.Compile(spec, 512), inputs, length);
            byte[][] actual = SpecRunner.Run(spec, new ElementKernel(KernelCompiler.BuildStreamed(spec)), inputs, length);
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i]);
        }
    }

    [Fact]
    public void NumbersAreStreamedAndMasksAreNot()
    {
        if (!IsPossible) return;
        KernelSpec spec = new(false, [new(), new()], [KernelStep.Of(ElementOps.Add, 0, 1), KernelStep.Of(ElementOps.Less, 0, 1)], [2, 3]);
        string[] calls = [.. KernelTree.Build(spec, 512, streams: true).Body.OfType<MethodCallExpression>().Select(static c => c.Method.Name)];
        Assert.Equal(["Stream512", "StoreMask512"], calls);
    }

    [Fact]
    public void SmallSharedAndUnalignedResultsAreNot()
    {
        StreamedResults.Least = 4096;
        WorkerPool.Threads = 1;
        byte* memory = (byte*)NativeMemory.AlignedAlloc(3 * 8192, 64);
        try
        {
            Assert.True(Fits(memory, memory + 8192, 1024));
            Assert.False(Fits(memory, memory + 8192, 1023));
            Assert.False(Fits(memory, memory, 1024));
            Assert.False(Fits(memory, memory + 8192 + 4, 1024));
            WorkerPool.Threads = 2;
            Assert.False(Fits(memory, memory + 8192, 1024));
            Assert.True(Fits(memory, memory + 8192, 2048));
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }

        static bool Fits(byte* read, byte* written, long size)
        {
            nint* table = stackalloc nint[2] { (nint)read, (nint)written };
            return StreamedResults.Fit(table, 1, [sizeof(float)], size);
        }
    }

    [Theory]
    [InlineData(1, 5000)]
    [InlineData(1, 5003)]
    [InlineData(3, 200_001)]
    public void TheDriverGivesTheSameSums(int threads, int size)
    {
        WorkerPool.Threads = threads;
        StreamedResults.Least = 64;
        TieredLoop.TakesOverAtOnce = true;
        ElementKernel kernel = ElementOps.Add.Loop(DType.Float32, 0);
        Assert.Equal(IsPossible && SimdWidth.Current == 512, kernel.Streamed is not null);
        nuint bytes = (nuint)((size * sizeof(float)) + 128);
        float* x = (float*)NativeMemory.AlignedAlloc(bytes, 64), y = (float*)NativeMemory.AlignedAlloc(bytes, 64), z = (float*)NativeMemory.AlignedAlloc(bytes, 64);
        try
        {
            for (int i = 0; i < size; i++) (x[i], y[i]) = (i, 0.5f * i);
            nint* table = stackalloc nint[3] { (nint)x, (nint)y, (nint)z };
            ElementDriver.RunDirect(kernel, table, 2, [sizeof(float)], size);
            for (int i = 0; i < size; i++) Assert.True(z[i] == i + (0.5f * i), $"{i}: {z[i]}");

            // In place, where lines are read before they are written.
            table[2] = (nint)x;
            ElementDriver.RunDirect(kernel, table, 2, [sizeof(float)], size);
            for (int i = 0; i < size; i++) Assert.True(x[i] == z[i], $"{i}: {x[i]}");
        }
        finally
        {
            NativeMemory.AlignedFree(x);
            NativeMemory.AlignedFree(y);
            NativeMemory.AlignedFree(z);
        }
    }
}
