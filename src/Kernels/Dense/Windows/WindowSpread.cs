using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// The transpose of sums of windows that neither overlap nor leave gaps between them: every element of a plane receives what its window has, and zero behind the
/// last window. Each value is added to zero, as where windows are summed.
/// </summary>
internal unsafe struct WindowSpread<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double ParallelElements = 32 * 1024;

    // Elements that are written at a time.
    private const int Spill = 16;

    private WindowShape _shape;
    private T* _source;
    private T* _target;
    private nint _perChunk;

    /// <summary>Whether the windows of two axes lie side by side, from the first element on.</summary>
    public static bool Takes(in WindowShape s)
    {
        for (var axis = 0; axis < 3; axis++)
        {
            if (s.Before[axis] != 0 || s.Stride[axis] != s.Kernel[axis] || s.Dilation[axis] != 1 || s.Output[axis] * s.Stride[axis] > s.Input[axis]) return false;
        }

        return s.Input[0] == 1 && s.OutputSize > 0;
    }

    public static void Run(in WindowShape s, T* dy, T* dx)
    {
        var job = new WindowSpread<T> { _shape = s, _source = dy, _target = dx };
        if (WorkerPool.Threads == 1 || s.Batch == 1 || (double)s.Batch * s.InputSize < ParallelElements)
        {
            Range(&job, 0, s.Batch);
            return;
        }

        var chunks = Math.Min(s.Batch, 4 * WorkerPool.Threads);
        job._perChunk = (s.Batch + chunks - 1) / chunks;
        WorkerPool.Run((int)((s.Batch + job._perChunk - 1) / job._perChunk), &Chunk, &job);
    }

    private static void Chunk(void* context, int chunk)
    {
        var job = (WindowSpread<T>*)context;
        var start = chunk * job->_perChunk;
        Range(job, start, Math.Min(job->_shape.Batch, start + job->_perChunk));
    }

    // What a row spills is overwritten by the next row or plane; the last planes, behind which another thread's may lie, are made elsewhere.
    private static void Range(WindowSpread<T>* job, nint start, nint end)
    {
        nint size = (nint)job->_shape.InputSize, windows = (nint)job->_shape.OutputSize;
        using var scratch = new NativeScratch((size + Spill) * sizeof(T));
        for (var plane = start; plane < end; plane++)
        {
            T* to = job->_target + plane * size;
            if ((end - plane - 1) * size >= Spill)
            {
                Plane(job, job->_source + plane * windows, to);
                continue;
            }

            Plane(job, job->_source + plane * windows, (T*)scratch.Pointer);
            Buffer.MemoryCopy(scratch.Pointer, to, size * sizeof(T), size * sizeof(T));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Plane(WindowSpread<T>* job, T* from, T* to)
    {
        ref readonly var s = ref job->_shape;
        nint rows = s.Output[1], columns = s.Output[2], height = s.Stride[1], width = s.Stride[2], length = s.Input[2], covered = columns * width;
        var pairs = width == 2 && sizeof(T) == sizeof(uint);
        T* end = to + (nint)s.InputSize;
        for (; rows > 0; rows--, from += columns)
        {
            for (var y = height; y > 0; y--, to += length)
            {
                if (pairs) Pairs((float*)from, (ulong*)to, columns);
                else
                {
                    for (nint x = 0; x < columns; x++)
                        for (nint i = 0; i < width; i++) to[x * width + i] = from[x] + T.Zero;
                }

                for (var x = covered; x < length; x++) to[x] = T.Zero;
            }
        }

        for (; to < end; to++) *to = T.Zero;
    }

    // Every element twice. No register is read that begins behind the last element.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pairs(float* from, ulong* to, nint count)
    {
        // A wide register would mostly spill, and lie in two lines of the cache more often.
        if (count <= Vector256<ulong>.Count)
        {
            Vector128<uint> few = (Vector128.Load(from) + Vector128<float>.Zero).AsUInt32();
            Vector256<ulong> both = Vector256.Create(Vector128.WidenLower(few), Vector128.WidenUpper(few));
            (both | (both << 32)).Store(to);
            return;
        }

        for (nint i = 0; i < count; i += Vector512<ulong>.Count)
        {
            Vector256<uint> value = (Vector256.Load(from + i) + Vector256<float>.Zero).AsUInt32();
            Vector512<ulong> wide = Vector512.Create(Vector256.WidenLower(value), Vector256.WidenUpper(value));
            (wide | (wide << 32)).Store(to + i);
        }
    }
}
