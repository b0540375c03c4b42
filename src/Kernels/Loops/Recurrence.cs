using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Linear recurrences s[i] = b[i] + m·s[i − 1] along the middle axis of (outer, n, inner), with s[0] = b[0] and m the factor of element i or of the element
/// before. Each line is computed in order.
/// </summary>
internal static unsafe class Recurrence
{
    /// <summary>Contiguous arrays of Float32 or Float64.</summary>
    /// <param name="dtype">The type of all three.</param>
    /// <param name="factors">The factors.</param>
    /// <param name="terms">b.</param>
    /// <param name="output">s.</param>
    /// <param name="outer">The product of the axes before.</param>
    /// <param name="n">The length of the axis.</param>
    /// <param name="inner">The product of the axes behind.</param>
    /// <param name="reverse">From the last element to the first: "before" is the next one on the axis.</param>
    /// <param name="previous">The factor of the element before, instead of the element's own.</param>
    public static void Run(DType dtype, nint factors, nint terms, nint output, long outer, long n, long inner, bool reverse, bool previous)
    {
        Job job = new() { Factors = factors, Terms = terms, Output = output, Reverse = reverse, Previous = previous };
        if (dtype == DType.Float32) new RunningLines(outer, n, inner).Run(&job, &Part<float>);
        else if (dtype == DType.Float64) new RunningLines(outer, n, inner).Run(&job, &Part<double>);
        else throw new DTypeException($"A recurrence is Float32 or Float64, not {dtype}.");
    }

    private static void Part<T>(void* context, in RunningLines lines, LinePart part)
        where T : unmanaged, INumber<T>
    {
        ref Job job = ref *(Job*)context;
        long n = lines.Length, first = part.Start + (job.Reverse ? (n - 1) * lines.Step : 0), step = job.Reverse ? -lines.Step : lines.Step;
        T* factors = (T*)job.Factors + first - (job.Previous ? step : 0), terms = (T*)job.Terms + first, output = (T*)job.Output + first;
        if (lines.Step != 1)
        {
            Columns(factors, terms, output, n, step, part.Lines);
            return;
        }

        long line = 0;
        for (; line + 4 <= part.Lines; line += 4) FourLines(factors + (line * n), terms + (line * n), output + (line * n), n, step);
        for (; line < part.Lines; line++) Columns(factors + (line * n), terms + (line * n), output + (line * n), n, step, 1);
    }

    // Four chains at once hide the latency of one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourLines<T>(T* factors, T* terms, T* output, long n, long step)
        where T : unmanaged, INumber<T>
    {
        long second = 2 * n, third = 3 * n;
        T a = terms[0], b = terms[n], c = terms[second], d = terms[third];
        (output[0], output[n], output[second], output[third]) = (a, b, c, d);
        for (long i = 1; i < n; i++)
        {
            factors += step;
            terms += step;
            output += step;
            output[0] = a = terms[0] + (factors[0] * a);
            output[n] = b = terms[n] + (factors[n] * b);
            output[second] = c = terms[second] + (factors[second] * c);
            output[third] = d = terms[third] + (factors[third] * d);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<T>(T* factors, T* terms, T* output, long n, long step, long count)
        where T : unmanaged, INumber<T>
    {
        Buffer.MemoryCopy(terms, output, count * sizeof(T), count * sizeof(T));
        for (long row = 1; row < n; row++)
        {
            T* before = output;
            factors += step;
            terms += step;
            output += step;
            long i = 0;
            for (; i + Vector<T>.Count <= count; i += Vector<T>.Count)
                Vector.Store(Vector.Load(terms + i) + (Vector.Load(factors + i) * Vector.Load(before + i)), output + i);
            for (; i < count; i++) output[i] = terms[i] + (factors[i] * before[i]);
        }
    }

    private struct Job
    {
        public nint Factors;
        public nint Terms;
        public nint Output;
        public bool Reverse;
        public bool Previous;
    }
}
