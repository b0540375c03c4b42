using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Which element of its plane (flat index) each window of a max pooling took: the first of equal ones, the first NaN if there is one.</summary>
internal unsafe struct MaxPoolIndices<T, TIndex>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TIndex : unmanaged, IBinaryInteger<TIndex>
{
    private PatchMap _map;
    private byte* _target;
    private nint _perChunk;
    private nint _planes;

    /// <summary>The index type is as wide as the element type: tap numbers are found by vectors and replaced by indices in place.</summary>
    public static void Run(in WindowShape s, T* x, TIndex* indices)
    {
        Convolution.Pool<WindowArgMaxRow, T>(s, x, (T*)indices);
        var map = new PatchMap(PatchAxis.Forward(s, 0), PatchAxis.Forward(s, 1), PatchAxis.Forward(s, 2));
        nint planes = s.Batch, chunks = Math.Min(planes, 4 * WorkerPool.Threads);
        if (planes == 0 || map.Pixels == 0) return;
        var job = new MaxPoolIndices<T, TIndex> { _map = map, _target = (byte*)indices, _planes = planes, _perChunk = (planes + chunks - 1) / chunks };
        WorkerPool.Run((int)((planes + job._perChunk - 1) / job._perChunk), &Chunk, &job);
    }

    private static void Chunk(void* context, int chunk)
    {
        var job = (MaxPoolIndices<T, TIndex>*)context;
        nint start = chunk * job->_perChunk, end = Math.Min(job->_planes, start + job->_perChunk), pixels = job->_map.Pixels;
        for (var plane = start; plane < end; plane++) job->Plane((T*)job->_target + plane * pixels);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Plane(T* numbers)
    {
        nint height = _map.Y.Source, width = _map.X.Source, taps = _map.Taps;
        using var table = new NativeScratch(taps * sizeof(nint));
        nint* offsets = (nint*)table.Pointer;
        for (nint t = 0; t < taps; t++)
        {
            var (line, tapX) = (t / _map.X.Taps, t % _map.X.Taps);
            var (tapZ, tapY) = (line / _map.Y.Taps, line % _map.Y.Taps);
            offsets[t] = (tapZ * _map.Z.Increment * height + tapY * _map.Y.Increment) * width + tapX * _map.X.Increment;
        }

        for (nint z = 0; z < _map.Z.Grid; z++)
        {
            for (nint y = 0; y < _map.Y.Grid; y++)
            {
                for (nint x = 0; x < _map.X.Grid; x++, numbers++)
                {
                    nint fromZ = z * _map.Z.Step + _map.Z.First, fromY = y * _map.Y.Step + _map.Y.First, fromX = x * _map.X.Step + _map.X.First;
                    var tap = nint.CreateTruncating(*numbers);
                    var index = tap >= 0
                        ? (fromZ * height + fromY) * width + fromX + offsets[tap]
                        : (Math.Max(0, fromZ) * height + Math.Max(0, fromY)) * width + Math.Max(0, fromX);
                    *(TIndex*)numbers = TIndex.CreateTruncating(index);
                }
            }
        }
    }
}
