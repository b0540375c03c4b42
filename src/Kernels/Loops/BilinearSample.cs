using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Values between the pixels of images whose channels lie together: Σ (1 − |row − y|)·(1 − |column − x|)·pixel over the four neighbours in reading order, of
/// which those outside count as 0. Channel by channel, so the bits depend on no register width.
/// </summary>
internal static unsafe class BilinearSample
{
    private const long ParallelElements = 32 * 1024;

    /// <summary>Float32 or Float64 pixels (images, height, width, channels), coordinates (points) and output (points, channels); checked image indices.</summary>
    public static void Run(
        DType dtype, nint pixels, GatherIndex images, nint rows, nint columns, nint output, long points, int height, int width, int channels)
    {
        var job = new Job { Pixels = pixels, Images = images, Rows = rows, Columns = columns, Output = output, Height = height, Width = width, Channels = channels };
        int pieces = points * channels < ParallelElements ? 1 : (int)Math.Min(points, 8L * WorkerPool.Threads);
        (job.Points, job.Pieces) = (points, pieces);
        if (dtype == DType.Float32) WorkerPool.Run(pieces, &Piece<float>, &job);
        else WorkerPool.Run(pieces, &Piece<double>, &job);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Piece<T>(void* context, int piece)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Job* job = (Job*)context;
        long channels = job->Channels, area = (long)job->Height * job->Width;
        T bottom = Last<T>(job->Height), end = Last<T>(job->Width);
        T** at = stackalloc T*[4];
        T* weights = stackalloc T[4];
        for (long p = job->Points * piece / job->Pieces, last = job->Points * (piece + 1) / job->Pieces; p < last; p++)
        {
            T row = ((T*)job->Rows)[p], column = ((T*)job->Columns)[p], top = T.Floor(row), left = T.Floor(column);
            T* image = (T*)job->Pixels + (job->Images[p] * area * channels), to = (T*)job->Output + (p * channels);
            int count = 0;
            for (int corner = 0; corner < 4; corner++)
            {
                T y = (corner & 2) == 0 ? top : top + T.One, x = (corner & 1) == 0 ? left : left + T.One;
                if (!(y >= T.Zero && y <= bottom && x >= T.Zero && x <= end)) continue;
                weights[count] = (T.One - T.Abs(row - y)) * (T.One - T.Abs(column - x));
                at[count++] = image + (((Index(y) * job->Width) + Index(x)) * channels);
            }

            if (count == 4) Four(at, weights, to, channels);
            else Fewer(at, weights, count, to, channels);
        }
    }

    /// <summary>The last place of an axis, or where it is none of the type's numbers (a Float32 from 2²⁴ on), the one before: to round up would be behind the axis.</summary>
    public static T Last<T>(int size)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T last = T.CreateChecked(size - 1);
        return long.CreateChecked(last) > size - 1 ? T.BitDecrement(last) : last;
    }

    // Of a whole number within the image; CreateTruncating would be a call.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Index<T>(T value)
        where T : unmanaged
        => sizeof(T) == 4 ? (int)Unsafe.BitCast<T, float>(value) : (int)Unsafe.BitCast<T, double>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four<T>(T** at, T* weights, T* to, long channels)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T* a = at[0], b = at[1], c = at[2], d = at[3];
        Vector<T> wa = new(weights[0]), wb = new(weights[1]), wc = new(weights[2]), wd = new(weights[3]);
        long i = 0;
        for (; i <= channels - Vector<T>.Count; i += Vector<T>.Count)
            Vector.Store((Vector.Load(a + i) * wa) + (Vector.Load(b + i) * wb) + (Vector.Load(c + i) * wc) + (Vector.Load(d + i) * wd), to + i);
        for (; i < channels; i++) to[i] = (a[i] * weights[0]) + (b[i] * weights[1]) + (c[i] * weights[2]) + (d[i] * weights[3]);
    }

    // At the border and outside.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fewer<T>(T** at, T* weights, int count, T* to, long channels)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long i = 0;
        for (; i <= channels - Vector<T>.Count; i += Vector<T>.Count)
        {
            Vector<T> sum = Vector<T>.Zero;
            for (int k = 0; k < count; k++) sum += Vector.Load(at[k] + i) * new Vector<T>(weights[k]);
            Vector.Store(sum, to + i);
        }
        for (; i < channels; i++)
        {
            T sum = T.Zero;
            for (int k = 0; k < count; k++) sum += at[k][i] * weights[k];
            to[i] = sum;
        }
    }

    private struct Job
    {
        public nint Pixels;
        public GatherIndex Images;
        public nint Rows;
        public nint Columns;
        public nint Output;
        public int Height;
        public int Width;
        public int Channels;
        public long Points;
        public int Pieces;
    }
}
