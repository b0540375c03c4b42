using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// The right operand of many products with few rows, packed once: blocks of K as in <see cref="GemmProblem{T}"/> (hence the bits of <see cref="Gemm"/>'s
/// chains), each as panels of as many columns as the micro-kernels have.
/// </summary>
internal unsafe struct PackedMatrix<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly nint _n;
    private readonly nint _k;
    private readonly int _vectors;
    private readonly nint _panel;
    private readonly nint _panels;
    private T* _data;

    public PackedMatrix(nint n, nint k)
    {
        int length = MicroKernels.For<T>().VectorLength;
        (_n, _k, _vectors) = (n, k, n <= length ? 1 : 2);
        _panel = _vectors * length;
        _panels = (n + _panel - 1) / _panel;
        _data = null;
    }

    /// <summary>Elements that the packed matrix takes.</summary>
    public readonly nint Size => _panels * _panel * _k;

    /// <summary>Elements of a row of a result: whole panels.</summary>
    public readonly nint Columns => _panels * _panel;

    /// <summary>Packs a matrix B (k × n), or its transpose (n × k), of contiguous rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack(T* source, bool transposed, T* destination)
    {
        _data = destination;
        MatrixPanels<T> panels = new(new GemmProblem<T> { B = source, Ldb = transposed ? _k : _n, TransB = transposed });
        nint depth = GemmProblem<T>.BlockDepth(_k);
        for (nint k = 0; k < _k; k += depth)
        {
            nint count = Math.Min(depth, _k - k);
            for (nint j = 0; j < _n; j += _panel, destination += _panel * count)
            {
                nint width = Math.Min(_panel, _n - j);
                if (width < _panel) NativeMemory.Clear(destination, (nuint)(_panel * count * sizeof(T)));
                panels.Pack(k, count, j, width, destination, _panel);
            }
        }
    }

    /// <summary>C = A·B + bias, or C + A·B; C has room for <see cref="Columns"/> in every row, and so has the bias.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Multiply(nint rows, T* a, nint lda, T* bias, bool accumulate, T* c, nint ldc)
    {
        GemmKernels<T> kernels = MicroKernels.For<T>();
        nint tiles = (rows + kernels.MaxRows - 1) / kernels.MaxRows, height = (rows + tiles - 1) / tiles, depth = GemmProblem<T>.BlockDepth(_k);
        T* b = _data;
        for (nint k = 0; k < _k; k += depth)
        {
            nint count = Math.Min(depth, _k - k);
            Epilogue<T> epilogue = new() { Alpha = T.One, Accumulate = accumulate || k > 0 };
            for (nint j = 0; j < _panels; j++, b += _panel * count)
            {
                if (bias != null && k + depth >= _k) epilogue.Bias = bias + (j * _panel);
                for (nint i = 0; i < rows; i += height)
                {
                    nint some = Math.Min(height, rows - i);
                    kernels.Kernel(false, _vectors, some)(count, a + (i * lda) + k, lda, b, _panel, c + (i * ldc) + (j * _panel), ldc, &epilogue);
                }
            }
        }
    }
}
