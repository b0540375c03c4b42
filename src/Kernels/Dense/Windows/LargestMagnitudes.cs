using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The largest magnitudes of two operands; infinite where an element is not finite.</summary>
internal readonly unsafe struct LargestMagnitudes
{
    private const nint PartElements = 32 * 1024;

    public LargestMagnitudes(float* first, nint firstCount, float* second, nint secondCount)
    {
        var parts = (int)Math.Clamp((firstCount + secondCount) / PartElements, 1, WorkerPool.Threads);
        float* largest = stackalloc float[2 * parts];
        Job job = new() { First = first, FirstCount = firstCount, Second = second, SecondCount = secondCount, Parts = parts, Largest = largest };
        WorkerPool.Run(parts, &Run, &job);
        for (var i = 0; i < parts; i++) (First, Second) = (MathF.Max(First, largest[2 * i]), MathF.Max(Second, largest[2 * i + 1]));
    }

    public float First { get; }

    public float Second { get; }

    private static void Run(void* context, int part)
    {
        var job = (Job*)context;
        job->Largest[2 * part] = Of(job->First, job->FirstCount, part, job->Parts);
        job->Largest[2 * part + 1] = Of(job->Second, job->SecondCount, part, job->Parts);
    }

    private static float Of(float* values, nint count, int part, int parts)
    {
        var start = count * part / parts;
        values += start;
        count = count * (part + 1) / parts - start;
        return SimdWidth.Current switch
        {
            512 => Of<Lane512<float>>(values, count),
            256 => Of<Lane256<float>>(values, count),
            _ => Of<Lane128<float>>(values, count),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Of<L>(float* values, nint count)
        where L : struct, IVectorLane<L, float>
    {
        // 0·v is 0, or NaN where v is not finite; maxps forgets NaN.
        L zero = L.Const(0), largest0 = zero, largest1 = zero, nothing0 = zero, nothing1 = zero;
        nint i = 0;
        for (; i + 2 * L.Count <= count; i += 2 * L.Count)
        {
            L v0 = L.Load(values + i), v1 = L.Load(values + i + L.Count);
            (largest0, largest1) = (L.MaxNative(largest0, L.Abs(v0)), L.MaxNative(largest1, L.Abs(v1)));
            (nothing0, nothing1) = (L.Fma(v0, zero, nothing0), L.Fma(v1, zero, nothing1));
        }

        float* all = stackalloc float[2 * 16];
        L.Store(L.MaxNative(largest0, largest1), all);
        L.Store(nothing0 + nothing1, all + L.Count);
        float largest = 0, nothing = 0;
        for (var j = 0; j < L.Count; j++) (largest, nothing) = (MathF.Max(largest, all[j]), nothing + all[L.Count + j]);
        for (; i < count; i++) (largest, nothing) = (MathF.Max(largest, MathF.Abs(values[i])), nothing + values[i] * 0);
        return nothing == 0 ? largest : float.PositiveInfinity;
    }

    private struct Job
    {
        public float* First;
        public nint FirstCount;
        public float* Second;
        public nint SecondCount;
        public int Parts;
        public float* Largest;
    }
}
