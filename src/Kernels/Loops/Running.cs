using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// Running products, maxima and minima along the middle axis of (outer, n, inner), and where the extremes are. Every line is joined in order, so the
/// bits depend on nothing but its elements.
/// </summary>
internal static unsafe class Running
{
    /// <summary>Input and output are contiguous arrays of one type; products take Float32, Float64 and Int64, extremes every type.</summary>
    public static void Run(RunningKind kind, DType dtype, nint input, nint output, long outer, long n, long inner)
    {
        Job job = new() { Input = input, Output = output };
        new RunningLines(outer, n, inner).Run(&job, (kind, dtype) switch
        {
            (RunningKind.Prod, DType.Float32) => &Part<float, RunningProd<float>>,
            (RunningKind.Prod, DType.Float64) => &Part<double, RunningProd<double>>,
            (RunningKind.Prod, DType.Int64) => &Part<long, RunningProd<long>>,
            (RunningKind.Prod, _) => throw new DTypeException($"Running products are Float32, Float64 or Int64, not {dtype}."),
            (RunningKind.Max, DType.Float32) => &Part<float, RunningMax<float>>,
            (RunningKind.Max, DType.Float64) => &Part<double, RunningMax<double>>,
            (RunningKind.Max, DType.Int32) => &Part<int, RunningMax<int>>,
            (RunningKind.Max, DType.Int64) => &Part<long, RunningMax<long>>,
            (RunningKind.Max, _) => &Part<byte, RunningMax<byte>>,
            (_, DType.Float32) => &Part<float, RunningMin<float>>,
            (_, DType.Float64) => &Part<double, RunningMin<double>>,
            (_, DType.Int32) => &Part<int, RunningMin<int>>,
            (_, DType.Int64) => &Part<long, RunningMin<long>>,
            (_, _) => &Part<byte, RunningMin<byte>>,
        });
    }

    /// <summary>For every element the place on its line where its running maximum, or minimum, was found: the first of equal ones, the first NaN.</summary>
    public static void Positions(bool max, DType dtype, nint input, long* output, long outer, long n, long inner)
    {
        Job job = new() { Input = input, Output = (nint)output };
        new RunningLines(outer, n, inner).Run(&job, (max, dtype) switch
        {
            (true, DType.Float32) => &Places<float, RunningMax<float>>,
            (true, DType.Float64) => &Places<double, RunningMax<double>>,
            (true, DType.Int32) => &Places<int, RunningMax<int>>,
            (true, DType.Int64) => &Places<long, RunningMax<long>>,
            (true, _) => &Places<byte, RunningMax<byte>>,
            (false, DType.Float32) => &Places<float, RunningMin<float>>,
            (false, DType.Float64) => &Places<double, RunningMin<double>>,
            (false, DType.Int32) => &Places<int, RunningMin<int>>,
            (false, DType.Int64) => &Places<long, RunningMin<long>>,
            (false, _) => &Places<byte, RunningMin<byte>>,
        });
    }

    private static void Part<T, TOp>(void* context, in RunningLines lines, LinePart part)
        where T : unmanaged
        where TOp : struct, IRunningOp<T>
    {
        ref Job job = ref *(Job*)context;
        T* x = (T*)job.Input + part.Start, y = (T*)job.Output + part.Start;
        long n = lines.Length;
        if (lines.Step != 1)
        {
            Columns<T, TOp>(x, y, n, lines.Step, part.Lines);
            return;
        }

        long line = 0;
        for (; line + 4 <= part.Lines; line += 4) FourLines<T, TOp>(x + (line * n), y + (line * n), n);
        for (; line < part.Lines; line++) Line<T, TOp>(x + (line * n), y + (line * n), n);
    }

    // Four chains at once hide the latency of one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourLines<T, TOp>(T* x, T* y, long n)
        where T : unmanaged
        where TOp : struct, IRunningOp<T>
    {
        T* x1 = x + n, x2 = x1 + n, x3 = x2 + n, y1 = y + n, y2 = y1 + n, y3 = y2 + n;
        T a = x[0], b = x1[0], c = x2[0], d = x3[0];
        (y[0], y1[0], y2[0], y3[0]) = (a, b, c, d);
        for (long i = 1; i < n; i++)
        {
            y[i] = a = TOp.Join(a, x[i]);
            y1[i] = b = TOp.Join(b, x1[i]);
            y2[i] = c = TOp.Join(c, x2[i]);
            y3[i] = d = TOp.Join(d, x3[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Line<T, TOp>(T* x, T* y, long n)
        where T : unmanaged
        where TOp : struct, IRunningOp<T>
    {
        T a = y[0] = x[0];
        for (long i = 1; i < n; i++) y[i] = a = TOp.Join(a, x[i]);
    }

    /// <summary>The running results are the row of the output before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<T, TOp>(T* x, T* y, long n, long step, long count)
        where T : unmanaged
        where TOp : struct, IRunningOp<T>
    {
        Buffer.MemoryCopy(x, y, count * sizeof(T), count * sizeof(T));
        for (long row = 1; row < n; row++)
        {
            T* before = y;
            x += step;
            y += step;
            long i = 0;
            for (; i + Vector<T>.Count <= count; i += Vector<T>.Count) Vector.Store(TOp.Join(Vector.Load(before + i), Vector.Load(x + i)), y + i);
            for (; i < count; i++) y[i] = TOp.Join(before[i], x[i]);
        }
    }

    // A NaN is not equal to itself, and once it is there it stays.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Places<T, TOp>(void* context, in RunningLines lines, LinePart part)
        where T : unmanaged, INumber<T>
        where TOp : struct, IRunningOp<T>
    {
        ref Job job = ref *(Job*)context;
        T* x = (T*)job.Input + part.Start;
        long* y = (long*)job.Output + part.Start;
        long n = lines.Length, step = lines.Step;
        if (step != 1)
        {
            ColumnPlaces<T, TOp>(x, y, n, step, part.Lines);
            return;
        }

        long line = 0;
        for (; line + 4 <= part.Lines; line += 4, x += 4 * n, y += 4 * n) FourLinePlaces<T, TOp>(x, y, n);
        for (; line < part.Lines; line++, x += n, y += n)
        {
            T best = x[0];
            long place = y[0] = 0;
            for (long i = 1; i < n; i++)
            {
                T joined = TOp.Join(best, x[i]);
                if (joined != best && !T.IsNaN(best)) (best, place) = (joined, i);
                y[i] = place;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourLinePlaces<T, TOp>(T* x, long* y, long n)
        where T : unmanaged, INumber<T>
        where TOp : struct, IRunningOp<T>
    {
        T* x1 = x + n, x2 = x1 + n, x3 = x2 + n;
        long* y1 = y + n, y2 = y1 + n, y3 = y2 + n;
        T a = x[0], b = x1[0], c = x2[0], d = x3[0];
        long placeA = 0, placeB = 0, placeC = 0, placeD = 0;
        for (long i = 0; i < n; i++)
        {
            y[i] = placeA = Place<T, TOp>(ref a, x[i], placeA, i);
            y1[i] = placeB = Place<T, TOp>(ref b, x1[i], placeB, i);
            y2[i] = placeC = Place<T, TOp>(ref c, x2[i], placeC, i);
            y3[i] = placeD = Place<T, TOp>(ref d, x3[i], placeD, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Place<T, TOp>(ref T best, T x, long place, long i)
        where T : unmanaged, INumber<T>
        where TOp : struct, IRunningOp<T>
    {
        T joined = TOp.Join(best, x);
        bool isNew = joined != best && !T.IsNaN(best);
        best = joined;
        return isNew ? i : place;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ColumnPlaces<T, TOp>(T* x, long* y, long n, long step, long count)
        where T : unmanaged, INumber<T>
        where TOp : struct, IRunningOp<T>
    {
        using var scratch = new NativeScratch(count * sizeof(T));
        T* best = (T*)scratch.Pointer;
        Buffer.MemoryCopy(x, best, count * sizeof(T), count * sizeof(T));
        NativeMemory.Clear(y, (nuint)(count * sizeof(long)));
        for (long row = 1; row < n; row++)
        {
            long* before = y;
            x += step;
            y += step;
            for (long i = 0; i < count; i++)
            {
                T joined = TOp.Join(best[i], x[i]);
                bool isNew = joined != best[i] && !T.IsNaN(best[i]);
                best[i] = joined;
                y[i] = isNew ? row : before[i];
            }
        }
    }

    private struct Job
    {
        public nint Input;
        public nint Output;
    }
}
