using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The write-back of tiles that are wider than what is left of C: the same steps as in the micro-kernels, writing only the columns of C.</summary>
internal static unsafe class GemmEdge<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged
{
    /// <param name="tile">The product, without Alpha.</param>
    /// <param name="stride">Elements between its rows.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">The columns to write.</param>
    /// <param name="c">Where they go; up to a register more is read of every row.</param>
    /// <param name="ldc">Elements between the rows of C.</param>
    /// <param name="epilogue">What to do on the way.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(T* tile, nint stride, nint rows, nint columns, T* c, nint ldc, Epilogue<T>* epilogue)
    {
        var alpha = L.Broadcast(epilogue->Alpha);
        var zero = L.Const(0);

        // Read once: the compiler cannot know that C lies elsewhere.
        bool hasBias = epilogue->Bias != null, accumulate = epilogue->Accumulate, relu = epilogue->Relu;
        for (nint j = 0; j < columns; j += L.Count)
        {
            var bias = hasBias ? L.Load(epilogue->Bias + j) : zero;
            for (nint i = 0; i < rows; i++)
            {
                T* target = c + i * ldc + j;
                var v = L.Load(tile + i * stride + j) * alpha;
                if (accumulate) v += L.Load(target);
                if (hasBias) v += bias;
                if (relu) v = L.MaxNative(zero, v);
                LaneTail.Store<L, T>(v, target, columns - j);
            }
        }
    }
}
