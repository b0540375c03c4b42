using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>What is applied to a matrix product when it is written.</summary>
internal enum GemmActivation
{
    None,

    /// <summary>max(0, x): NaN stays NaN and −0 stays −0.</summary>
    Relu,
}

/// <summary>The write-back of a tile, in this order, each step rounded: times Alpha, plus C, plus Bias, ReLU.</summary>
internal unsafe struct Epilogue<T>
    where T : unmanaged
{
    public T Alpha;

    /// <summary>Add to C instead of overwriting it.</summary>
    public bool Accumulate;

    public bool Relu;

    /// <summary>One value per column of the tile, or null.</summary>
    public T* Bias;

    // Not by an initializer, which writes elsewhere and copies: a copy is read in larger pieces than it was written, and then waits until all that was written before is in the cache.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Epilogue(T alpha, bool accumulate = false, bool relu = false, T* bias = null)
    {
        Alpha = alpha;
        Accumulate = accumulate;
        Relu = relu;
        Bias = bias;
    }
}
