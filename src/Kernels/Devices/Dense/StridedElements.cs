using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>A matrix read element by element, at any distances.</summary>
/// <param name="data">All of it.</param>
/// <param name="stride">Elements between the matrices of a batch.</param>
/// <param name="line">Elements between lines.</param>
/// <param name="step">Elements from one depth to the next.</param>
/// <param name="lines">Lines of a matrix.</param>
internal readonly struct StridedElements<T>(ArrayView<T> data, int stride, int line, int step, int lines)
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<T> _data = data;
    private readonly int _stride = stride;
    private readonly int _line = line;
    private readonly int _step = step;
    private readonly int _lines = lines;

    /// <summary>Lines past the last repeat it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Load(int batch, int line, int depth) => _data[batch * _stride + (line < _lines ? line : _lines - 1) * _line + depth * _step];
}
