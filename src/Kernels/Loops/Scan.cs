using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// Running sums along the middle axis of (outer, n, inner); every line is added up in order, so the bits depend on nothing but its elements. Float32 is added up in
/// Float64: the error of a sum of ten million is one rounding, and the chain of additions takes no longer.
/// </summary>
internal static unsafe class Scan
{
    /// <summary>Floating-point input: output of its type. Int32, Int64, UInt8 and Bool input: Int64 sums, written as Int64 or Int32.</summary>
    /// <param name="inputType">The input's element type.</param>
    /// <param name="outputType">The output's element type.</param>
    /// <param name="input">A contiguous array.</param>
    /// <param name="output">A contiguous array of the same shape; may be the input when the types agree.</param>
    /// <param name="outer">The product of the axes before the scanned one.</param>
    /// <param name="n">The length of the scanned axis.</param>
    /// <param name="inner">The product of the axes after it.</param>
    /// <param name="exclusive">Each output excludes its own element: the first one is 0.</param>
    /// <param name="reverse">From the last element to the first.</param>
    public static void CumSum(
        DType inputType, DType outputType, nint input, nint output, long outer, long n, long inner, bool exclusive = false, bool reverse = false)
    {
        switch (inputType)
        {
            case DType.Float32:
                Run<float, double, float>(input, output, outer, n, inner, exclusive, reverse);
                break;
            case DType.Float64:
                Run<double, double, double>(input, output, outer, n, inner, exclusive, reverse);
                break;
            case DType.Int32:
                Integer<int>(outputType, input, output, outer, n, inner, exclusive, reverse);
                break;
            case DType.Int64:
                Integer<long>(outputType, input, output, outer, n, inner, exclusive, reverse);
                break;
            default:
                Integer<byte>(outputType, input, output, outer, n, inner, exclusive, reverse);
                break;
        }
    }

    private static void Integer<TIn>(DType outputType, nint input, nint output, long outer, long n, long inner, bool exclusive, bool reverse)
        where TIn : unmanaged, INumberBase<TIn>
    {
        if (outputType == DType.Int32) Run<TIn, long, int>(input, output, outer, n, inner, exclusive, reverse);
        else if (outputType == DType.Int64) Run<TIn, long, long>(input, output, outer, n, inner, exclusive, reverse);
        else throw new DTypeException($"Integer running sums are Int64 or Int32, not {outputType}.");
    }

    private static void Run<TIn, TAcc, TOut>(nint input, nint output, long outer, long n, long inner, bool exclusive, bool reverse)
        where TIn : unmanaged, INumberBase<TIn>
        where TAcc : unmanaged, INumberBase<TAcc>
        where TOut : unmanaged, INumberBase<TOut>
    {
        Job job = new() { Input = input, Output = output, Exclusive = exclusive, Reverse = reverse };
        new RunningLines(outer, n, inner).Run(&job, &Part<TIn, TAcc, TOut>);
    }

    private static void Part<TIn, TAcc, TOut>(void* context, in RunningLines lines, LinePart part)
        where TIn : unmanaged, INumberBase<TIn>
        where TAcc : unmanaged, INumberBase<TAcc>
        where TOut : unmanaged, INumberBase<TOut>
    {
        ref Job job = ref *(Job*)context;
        long n = lines.Length, step = job.Reverse ? -lines.Step : lines.Step, first = part.Start + (job.Reverse ? (n - 1) * lines.Step : 0);
        TIn* x = (TIn*)job.Input + first;
        TOut* y = (TOut*)job.Output + first;
        if (lines.Step != 1)
        {
            Columns<TIn, TAcc, TOut>(x, y, n, part.Lines, step, job.Exclusive);
            return;
        }

        long line = 0;
        for (; line + 4 <= part.Lines; line += 4) FourLines<TIn, TAcc, TOut>(x + (line * n), y + (line * n), n, step, job.Exclusive);
        for (; line < part.Lines; line++) Line<TIn, TAcc, TOut>(x + (line * n), y + (line * n), n, step, job.Exclusive);
    }

    // Four chains at once hide the latency of one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourLines<TIn, TAcc, TOut>(TIn* x, TOut* y, long n, long step, bool exclusive)
        where TIn : unmanaged, INumberBase<TIn>
        where TAcc : unmanaged, INumberBase<TAcc>
        where TOut : unmanaged, INumberBase<TOut>
    {
        TIn* x1 = x + n, x2 = x1 + n, x3 = x2 + n;
        TOut* y1 = y + n, y2 = y1 + n, y3 = y2 + n;
        TAcc a = TAcc.Zero, b = a, c = a, d = a;
        for (long i = 0, left = n; left > 0; left--, i += step)
        {
            TAcc nextA = a + Wide<TIn, TAcc>(x[i]), nextB = b + Wide<TIn, TAcc>(x1[i]);
            TAcc nextC = c + Wide<TIn, TAcc>(x2[i]), nextD = d + Wide<TIn, TAcc>(x3[i]);
            y[i] = Result<TAcc, TOut>(exclusive ? a : nextA);
            y1[i] = Result<TAcc, TOut>(exclusive ? b : nextB);
            y2[i] = Result<TAcc, TOut>(exclusive ? c : nextC);
            y3[i] = Result<TAcc, TOut>(exclusive ? d : nextD);
            (a, b, c, d) = (nextA, nextB, nextC, nextD);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Line<TIn, TAcc, TOut>(TIn* x, TOut* y, long n, long step, bool exclusive)
        where TIn : unmanaged, INumberBase<TIn>
        where TAcc : unmanaged, INumberBase<TAcc>
        where TOut : unmanaged, INumberBase<TOut>
    {
        var sum = TAcc.Zero;
        if (typeof(TIn) == typeof(float) && step == 1)
        {
            // Four at a time are converted; the additions stay one after the other.
            for (; n >= 4; n -= 4, x += 4, y += 4)
            {
                Vector256<double> four = Vector256.WidenLower(Vector128.Load((float*)x).ToVector256Unsafe());
                double a = Unsafe.BitCast<TAcc, double>(sum), b = a + four[0], c = b + four[1], d = c + four[2], e = d + four[3];
                Vector256<double> sums = exclusive ? Vector256.Create(a, b, c, d) : Vector256.Create(b, c, d, e);
                Vector128.Store(Avx.IsSupported ? Avx.ConvertToVector128Single(sums) : Vector256.Narrow(sums, sums).GetLower(), (float*)y);
                sum = Unsafe.BitCast<double, TAcc>(e);
            }
        }

        for (; n > 0; n--, x += step, y += step)
        {
            var next = sum + Wide<TIn, TAcc>(*x);
            *y = Result<TAcc, TOut>(exclusive ? sum : next);
            sum = next;
        }
    }

    /// <summary>The running sums stay in the first-level cache while the rows go by.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<TIn, TAcc, TOut>(TIn* x, TOut* y, long n, long count, long step, bool exclusive)
        where TIn : unmanaged, INumberBase<TIn>
        where TAcc : unmanaged, INumberBase<TAcc>
        where TOut : unmanaged, INumberBase<TOut>
    {
        using var scratch = new NativeScratch(count * sizeof(TAcc));
        var sums = (TAcc*)scratch.Pointer;
        for (long i = 0; i < count; i++) sums[i] = TAcc.Zero;
        for (; n > 0; n--, x += step, y += step)
        {
            long i = 0;
            if (typeof(TIn) == typeof(TAcc) && typeof(TAcc) == typeof(TOut))
            {
                for (; i + Vector<TAcc>.Count <= count; i += Vector<TAcc>.Count)
                {
                    Vector<TAcc> sum = Vector.Load(sums + i), next = sum + Vector.Load((TAcc*)x + i);
                    Vector.Store(exclusive ? sum : next, (TAcc*)y + i);
                    Vector.Store(next, sums + i);
                }
            }

            if (typeof(TIn) == typeof(float) && typeof(TAcc) == typeof(double))
            {
                for (; i + Vector<float>.Count <= count; i += Vector<float>.Count)
                {
                    double* s = (double*)sums + i;
                    Vector<double> low = Vector.Load(s), high = Vector.Load(s + Vector<double>.Count);
                    Vector.Widen(Vector.Load((float*)x + i), out Vector<double> firstHalf, out Vector<double> secondHalf);
                    Vector<double> nextLow = low + firstHalf, nextHigh = high + secondHalf;
                    Vector.Store(exclusive ? Vector.Narrow(low, high) : Vector.Narrow(nextLow, nextHigh), (float*)y + i);
                    Vector.Store(nextLow, s);
                    Vector.Store(nextHigh, s + Vector<double>.Count);
                }
            }

            for (; i < count; i++)
            {
                var sum = sums[i];
                var next = sum + Wide<TIn, TAcc>(x[i]);
                y[i] = Result<TAcc, TOut>(exclusive ? sum : next);
                sums[i] = next;
            }
        }
    }

    // Not CreateTruncating, which is a call where the types differ: Float32 is added up as Float64, integers are as Int64.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TAcc Wide<TIn, TAcc>(TIn value)
        where TIn : unmanaged
        where TAcc : unmanaged
    {
        if (typeof(TIn) == typeof(TAcc)) return Unsafe.BitCast<TIn, TAcc>(value);
        if (typeof(TIn) == typeof(float)) return Unsafe.BitCast<double, TAcc>(Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.BitCast<TIn, float>(value))).ToScalar());
        return Unsafe.BitCast<long, TAcc>(sizeof(TIn) == 1 ? Unsafe.BitCast<TIn, byte>(value) : Unsafe.BitCast<TIn, int>(value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TOut Result<TAcc, TOut>(TAcc sum)
        where TAcc : unmanaged
        where TOut : unmanaged
        => typeof(TAcc) == typeof(TOut) ? Unsafe.BitCast<TAcc, TOut>(sum)
            : typeof(TAcc) == typeof(double) ? Unsafe.BitCast<float, TOut>(Single(Unsafe.BitCast<TAcc, double>(sum)))
            : Unsafe.BitCast<int, TOut>((int)Unsafe.BitCast<TAcc, long>(sum));

    // x86 converts a scalar into a register that keeps its upper part, and so waits for what was in there: a chain from element to element. Vectors have none.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Single(double sum) => Sse2.IsSupported ? Sse2.ConvertToVector128Single(Vector128.CreateScalarUnsafe(sum)).ToScalar() : (float)sum;

    private struct Job
    {
        public nint Input;
        public nint Output;
        public bool Exclusive;
        public bool Reverse;
    }
}
