using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// The gradients of <see cref="BilinearSample"/>. A pixel gets what its points add in the order of the points, and sums over channels run in one fixed tree
/// of 64 bytes, so the bits depend on neither threads nor register width.
/// </summary>
internal static unsafe class BilinearGradients
{
    private const long ParallelElements = 32 * 1024;

    /// <summary>pixels[corner, :] += (1 − |row − y|)·(1 − |column − x|)·g[point, :] for each corner of each point; what lies outside gets nothing.</summary>
    public static void AddToPixels(
        DType dtype, nint g, GatherIndex images, nint rows, nint columns, nint pixels, long points, int count, int height, int width, int channels)
    {
        var job = new Job { Gradient = g, Images = images, Rows = rows, Columns = columns, Pixels = pixels, Points = points, Height = height, Width = width, Channels = channels };
        job.Lines = (long)count * height;

        // A piece owns lines of pixels and reads all points.
        job.Pieces = points * channels < ParallelElements ? 1 : (int)Math.Clamp(job.Lines, 1, WorkerPool.Threads);
        if (dtype == DType.Float32) WorkerPool.Run(job.Pieces, &LinesOfPixels<float>, &job);
        else WorkerPool.Run(job.Pieces, &LinesOfPixels<double>, &job);
    }

    /// <summary>
    /// The derivatives of Σ g·sample over the channels with respect to row and column, with |x|' = 0 at 0: slopes[0, point] = Σ over corners of
    /// −sign(row − y)·(1 − |column − x|)·Σ g·pixel, slopes[1, point] the same with row and column in each other's place.
    /// </summary>
    public static void Slopes(
        DType dtype, nint g, nint pixels, GatherIndex images, nint rows, nint columns, nint slopes, long points, int height, int width, int channels)
    {
        var job = new Job { Gradient = g, Images = images, Rows = rows, Columns = columns, Pixels = pixels, Points = points, Height = height, Width = width, Channels = channels };
        job.Slopes = slopes;
        job.Pieces = points * channels < ParallelElements ? 1 : (int)Math.Min(points, 8L * WorkerPool.Threads);
        if (dtype == DType.Float32) WorkerPool.Run(job.Pieces, &SlopesOfPoints<float>, &job);
        else WorkerPool.Run(job.Pieces, &SlopesOfPoints<double>, &job);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LinesOfPixels<T>(void* context, int piece)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Job* job = (Job*)context;
        long channels = job->Channels, height = job->Height, width = job->Width, first = job->Lines * piece / job->Pieces, end = job->Lines * (piece + 1) / job->Pieces;
        T bottom = BilinearSample.Last<T>(job->Height), last = BilinearSample.Last<T>(job->Width);
        for (long p = 0; p < job->Points; p++)
        {
            T row = ((T*)job->Rows)[p], column = ((T*)job->Columns)[p], y = T.Floor(row), left = T.Floor(column);
            T* g = (T*)job->Gradient + (p * channels);
            long image = job->Images[p] * height;
            for (int down = 0; down < 2; down++, y += T.One)
            {
                if (!(y >= T.Zero && y <= bottom)) continue;
                long line = image + BilinearSample.Index(y);
                if (line < first || line >= end) continue;
                T weight = T.One - T.Abs(row - y), x = left;
                for (int right = 0; right < 2; right++, x += T.One)
                {
                    if (!(x >= T.Zero && x <= last)) continue;
                    AddScaled(g, weight * (T.One - T.Abs(column - x)), (T*)job->Pixels + (((line * width) + BilinearSample.Index(x)) * channels), channels);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled<T>(T* source, T weight, T* target, long count)
        where T : unmanaged, INumber<T>
    {
        Vector<T> weights = new(weight);
        long i = 0;
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count) Vector.Store(Vector.Load(target + i) + (Vector.Load(source + i) * weights), target + i);
        for (; i < count; i++) target[i] += source[i] * weight;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SlopesOfPoints<T>(void* context, int piece)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Job* job = (Job*)context;
        long channels = job->Channels, area = (long)job->Height * job->Width;
        T bottom = BilinearSample.Last<T>(job->Height), end = BilinearSample.Last<T>(job->Width);
        T** at = stackalloc T*[4];
        T* rows = stackalloc T[4], columns = stackalloc T[4];
        T* slopes = (T*)job->Slopes;
        for (long p = job->Points * piece / job->Pieces, last = job->Points * (piece + 1) / job->Pieces; p < last; p++)
        {
            T row = ((T*)job->Rows)[p], column = ((T*)job->Columns)[p], top = T.Floor(row), left = T.Floor(column);
            T* image = (T*)job->Pixels + (job->Images[p] * area * channels), g = (T*)job->Gradient + (p * channels);
            int count = 0;
            for (int corner = 0; corner < 4; corner++)
            {
                T y = (corner & 2) == 0 ? top : top + T.One, x = (corner & 1) == 0 ? left : left + T.One;
                if (!(y >= T.Zero && y <= bottom && x >= T.Zero && x <= end)) continue;
                T down = row - y, right = column - x;
                rows[count] = Sign(down) * (T.Abs(right) - T.One);
                columns[count] = Sign(right) * (T.Abs(down) - T.One);
                at[count++] = image + (((BilinearSample.Index(y) * job->Width) + BilinearSample.Index(x)) * channels);
            }

            if (count == 4) Four(at, rows, columns, g, channels, out slopes[p], out slopes[job->Points + p]);
            else Fewer(at, rows, columns, count, g, channels, out slopes[p], out slopes[job->Points + p]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Sign<T>(T x)
        where T : unmanaged, INumber<T>
        => x > T.Zero ? T.One : x < T.Zero ? -T.One : T.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four<T>(T** at, T* rows, T* columns, T* g, long channels, out T row, out T column)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T* a = at[0], b = at[1], c = at[2], d = at[3];
        Vector512<T> ra = Vector512.Create(rows[0]), rb = Vector512.Create(rows[1]), rc = Vector512.Create(rows[2]), rd = Vector512.Create(rows[3]);
        Vector512<T> ca = Vector512.Create(columns[0]), cb = Vector512.Create(columns[1]), cc = Vector512.Create(columns[2]), cd = Vector512.Create(columns[3]);
        Vector512<T> rowSum = Vector512<T>.Zero, columnSum = Vector512<T>.Zero;
        long i = 0;
        for (; i <= channels - Vector512<T>.Count; i += Vector512<T>.Count)
        {
            Vector512<T> va = Vector512.Load(a + i), vb = Vector512.Load(b + i), vc = Vector512.Load(c + i), vd = Vector512.Load(d + i), vg = Vector512.Load(g + i);
            rowSum += ((va * ra) + (vb * rb) + (vc * rc) + (vd * rd)) * vg;
            columnSum += ((va * ca) + (vb * cb) + (vc * cc) + (vd * cd)) * vg;
        }

        (row, column) = (Total(rowSum), Total(columnSum));
        for (; i < channels; i++)
        {
            row += ((a[i] * rows[0]) + (b[i] * rows[1]) + (c[i] * rows[2]) + (d[i] * rows[3])) * g[i];
            column += ((a[i] * columns[0]) + (b[i] * columns[1]) + (c[i] * columns[2]) + (d[i] * columns[3])) * g[i];
        }
    }

    // At the border and outside.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fewer<T>(T** at, T* rows, T* columns, int count, T* g, long channels, out T row, out T column)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (row, column) = (T.Zero, T.Zero);
        for (long i = 0; i < channels; i++)
        {
            T rowSum = T.Zero, columnSum = T.Zero;
            for (int k = 0; k < count; k++)
            {
                rowSum += at[k][i] * rows[k];
                columnSum += at[k][i] * columns[k];
            }

            row += rowSum * g[i];
            column += columnSum * g[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Total<T>(Vector512<T> v)
        where T : unmanaged, INumber<T>
    {
        Vector256<T> half = v.GetLower() + v.GetUpper();
        Vector128<T> quarter = half.GetLower() + half.GetUpper();
        return Vector128<T>.Count == 2 ? quarter[0] + quarter[1] : quarter[0] + quarter[2] + (quarter[1] + quarter[3]);
    }

    private struct Job
    {
        public nint Gradient;
        public GatherIndex Images;
        public nint Rows;
        public nint Columns;
        public nint Pixels;
        public nint Slopes;
        public long Points;
        public long Lines;
        public int Height;
        public int Width;
        public int Channels;
        public int Pieces;
    }
}
