using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Fusion.HandWritten;

/// <summary>The chains of the benchmarks in one loop each, 16 numbers at a time: what a compiled kernel is held against. Lengths are multiples of 16.</summary>
internal static class RegisterChains
{
    private interface IChain
    {
        static abstract Vector512<float> Of(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d);
    }

    public static bool IsSupported => Vector512.IsHardwareAccelerated;

    /// <summary>a·b + c.</summary>
    public static void MultiplyAdd(float[][] x, float[] result) => Run<MultiplyAddChain>(x, result);

    /// <summary>tanh(a·b + c)·sigmoid(d) + a/2 − relu(c).</summary>
    public static void Gated(float[][] x, float[] result) => Run<GatedChain>(x, result);

    /// <summary>a/2·(1 + tanh(√(2/π)·(a + 0.044715·a³))).</summary>
    public static void Gelu(float[][] x, float[] result) => Run<GeluChain>(x, result);

    /// <summary>max((a − b)·c + (b·d − c)·(a + d), b)/2 + a.</summary>
    public static void TenCheap(float[][] x, float[] result) => Run<TenCheapChain>(x, result);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TChain>(float[][] x, float[] result)
        where TChain : struct, IChain
    {
        ref float a = ref MemoryMarshal.GetArrayDataReference(x[0]), b = ref MemoryMarshal.GetArrayDataReference(x[1]),
            c = ref MemoryMarshal.GetArrayDataReference(x[2]), d = ref MemoryMarshal.GetArrayDataReference(x[3]), to = ref MemoryMarshal.GetArrayDataReference(result);
        // What a chain does not use is not loaded: the compiler drops loads without a reader.
        for (nuint i = 0; i < (nuint)result.Length; i += 16)
            TChain.Of(Vector512.LoadUnsafe(ref a, i), Vector512.LoadUnsafe(ref b, i), Vector512.LoadUnsafe(ref c, i), Vector512.LoadUnsafe(ref d, i)).StoreUnsafe(ref to, i);
    }

    private readonly struct MultiplyAddChain : IChain
    {
        public static Vector512<float> Of(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) => a * b + c;
    }

    private readonly struct GatedChain : IChain
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Of(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) =>
            Registers.Tanh(a * b + c) * Registers.Sigmoid(d) + Vector512.Create(0.5f) * a - Vector512.MaxNative(c, Vector512<float>.Zero);
    }

    private readonly struct GeluChain : IChain
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Of(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) =>
            Vector512.Create(0.5f) * a * (Vector512.Create(1f) + Registers.Tanh(Vector512.Create(0.7978845608f) * (a + Vector512.Create(0.044715f) * a * a * a)));
    }

    private readonly struct TenCheapChain : IChain
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Of(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) =>
            Vector512.MaxNative((a - b) * c + (b * d - c) * (a + d), b) * Vector512.Create(0.5f) + a;
    }
}
