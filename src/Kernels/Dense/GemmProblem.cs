namespace Fusion.Kernels;

/// <summary>C[m × n] = activation(alpha · op(A)[m × k] · op(B)[k × n] + beta · C + bias), all row-major with leading dimensions.</summary>
internal unsafe struct GemmProblem<T>
    where T : unmanaged
{
    public nint M;
    public nint N;
    public nint K;
    public T Alpha;
    public T Beta;

    /// <summary>A is stored transposed, k × m.</summary>
    public bool TransA;

    /// <summary>B is stored transposed, n × k.</summary>
    public bool TransB;

    public bool Relu;
    public T* A;
    public nint Lda;
    public T* B;
    public nint Ldb;
    public T* C;
    public nint Ldc;

    /// <summary>n values, or null.</summary>
    public T* Bias;

    /// <summary>Called for finished rectangles of C.</summary>
    public GemmFinish Finish;

    /// <summary>The row of a batch that C begins with, for <see cref="Finish"/>.</summary>
    public long FirstRow;

    /// <summary>
    /// K is cut into the fewest equal blocks of at most this many elements: 21 KB of a tile of A in L1. Part of the definition of the result: each block is one
    /// chain of fused multiply-adds, the blocks are added in order. The same for every vector width.
    /// </summary>
    public static nint MaxDepth => sizeof(T) == 4 ? 384 : 256;

    public readonly nint Depth => BlockDepth(K);

    /// <summary>The depth of all blocks but the last, which may have less.</summary>
    public static nint BlockDepth(nint k)
    {
        var blocks = Math.Max(1, (k + MaxDepth - 1) / MaxDepth);
        return (k + blocks - 1) / blocks;
    }

    public readonly T* RowsOfA(nint row, nint k) => TransA ? A + k * Lda + row : A + row * Lda + k;
}
