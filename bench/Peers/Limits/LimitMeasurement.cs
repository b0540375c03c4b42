using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Peers;

/// <summary>How the limits of the machine are measured.</summary>
internal static class LimitMeasurement
{
    /// <summary>Bytes read and written a nanosecond by a copy of so many bytes, source and target together.</summary>
    public static double CopyBandwidth(long bytes, int threads) => Best(threads, worker =>
    {
        int share = (int)(bytes / threads / 2);
        byte[] source = GC.AllocateArray<byte>(share, pinned: true), target = GC.AllocateArray<byte>(share, pinned: true);
        return (() => source.CopyTo(target.AsSpan()), 2.0 * share);
    });

    /// <summary>Floating-point operations a nanosecond (a fused multiply-add is two), single precision.</summary>
    public static double FmaPeak(int threads) => Best(threads, worker => (() => Spin(20_000), 20_000.0 * 12 * 2 * Width));

    private static int Width => Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Spin(int rounds)
    {
        if (Vector512.IsHardwareAccelerated) Keep(Spin512(rounds));
        else Keep(Spin256(rounds));
    }

    // Twelve independent chains hide the latency of four cycles on two units.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Spin512(int rounds)
    {
        Vector512<float> x = Vector512.Create(0.999f), y = Vector512.Create(1e-3f);
        Vector512<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (int n = 0; n < rounds; n++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y);
            b = Vector512.FusedMultiplyAdd(b, x, y);
            c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y);
            e = Vector512.FusedMultiplyAdd(e, x, y);
            f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y);
            h = Vector512.FusedMultiplyAdd(h, x, y);
            i = Vector512.FusedMultiplyAdd(i, x, y);
            j = Vector512.FusedMultiplyAdd(j, x, y);
            k = Vector512.FusedMultiplyAdd(k, x, y);
            l = Vector512.FusedMultiplyAdd(l, x, y);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Spin256(int rounds)
    {
        Vector256<float> x = Vector256.Create(0.999f), y = Vector256.Create(1e-3f);
        Vector256<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (int n = 0; n < rounds; n++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y);
            b = Vector256.FusedMultiplyAdd(b, x, y);
            c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y);
            f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y);
            h = Vector256.FusedMultiplyAdd(h, x, y);
            i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y);
            k = Vector256.FusedMultiplyAdd(k, x, y);
            l = Vector256.FusedMultiplyAdd(l, x, y);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep(float value) => GC.KeepAlive(value);

    // The best of some rounds: a limit is what the machine does undisturbed. Every thread works for itself and repeats until all are done.
    private static double Best(int threads, Func<int, (Action Run, double Work)> prepare)
    {
        (Action Run, double Work)[] jobs = [.. Enumerable.Range(0, threads).Select(prepare)];
        double best = 0;
        for (int round = 0; round < 10; round++)
        {
            double[] rates = new double[threads];
            Thread[] workers = [.. jobs.Select((job, i) => new Thread(() =>
            {
                job.Run();
                long start = System.Diagnostics.Stopwatch.GetTimestamp();
                int calls = 0;
                TimeSpan elapsed;
                do
                {
                    job.Run();
                    calls++;
                    elapsed = System.Diagnostics.Stopwatch.GetElapsedTime(start);
                }
                while (elapsed < TimeSpan.FromMilliseconds(20));
                rates[i] = job.Work * calls / elapsed.TotalNanoseconds;
            }))];
            foreach (Thread worker in workers) worker.Start();
            foreach (Thread worker in workers) worker.Join();
            best = Math.Max(best, rates.Sum());
        }

        return best;
    }
}
